package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"icebox/cmd/internal/exitcode"
)

// The files for schedulers give up after the exit codes after which a retry cannot help, and
// call commands that there are.
func TestSchedulersKnowExitCodesAndFlags(t *testing.T) {
	var final []string
	for _, m := range exitcode.Meanings {
		if m.Code != exitOK && !m.Retry {
			final = append(final, fmt.Sprint(m.Code))
		}
	}
	dir := filepath.Join("..", "..", ".github", "schedulers")
	for file, says := range map[string]string{"kubernetes.yaml": "values: [" + strings.Join(final, ", ") + "]", "slurm.sh": strings.Join(final, " | ") + ")"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		must(t, err)
		if !strings.Contains(string(text), says) {
			t.Errorf("%s does not say %q", file, says)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	call := regexp.MustCompile(`(?m)args: \[(.*)\]|"command": \[(.*)\]|^ *(?:parallel .*\\\n +.*)?icebox (.*?)(?: :::.*)?$`)
	calls := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			line := strings.NewReplacer(",", " ", `"`, "").Replace(m[1] + m[2] + m[3])
			calls++
			if r := icebox(t, t.TempDir(), append(strings.Fields(line), "--help")...); r.code != 0 || r.errOut != "" {
				t.Errorf("%s: icebox %s: %d %s", file, line, r.code, r.errOut)
			}
		}
	}
	if calls < 6 {
		t.Errorf("only %d calls were found", calls)
	}
}
