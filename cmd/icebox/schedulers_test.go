package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
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
	for file, says := range map[string]string{"kubernetes/base/jobs.yaml": "values: [" + strings.Join(final, ", ") + "]", "slurm.sh": strings.Join(final, " | ") + ")"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		must(t, err)
		if !strings.Contains(string(text), says) {
			t.Errorf("%s does not say %q", file, says)
		}
	}
	var files []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	}))
	call := regexp.MustCompile(`(?m)args: \[(.*)\]|value: \[((?:extract|cache).*)\]|"command": \[(.*)\]|^ *(?:parallel .*\\\n +.*)?icebox (.*?)(?: :::.*)?$`)
	calls := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			line := strings.NewReplacer(",", " ", `"`, "").Replace(m[1] + m[2] + m[3] + m[4])
			calls++
			if r := icebox(t, t.TempDir(), append(strings.Fields(line), "--help")...); r.code != 0 || r.errOut != "" {
				t.Errorf("%s: icebox %s: %d %s", file, line, r.code, r.errOut)
			}
		}
	}
	if calls < 8 {
		t.Errorf("only %d calls were found", calls)
	}
}

// All variants for Kubernetes go together: each adds to the jobs, and takes nothing of another
// away.
func TestVariantsForKubernetesGoTogether(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("skipped: there is no kubectl")
	}
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", ".github", "schedulers", "kubernetes"))))
	must(t, os.Mkdir(filepath.Join(dir, "all"), 0o755))
	all := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\ncomponents: [../bucket, ../gpu, ../spot]\n"
	must(t, os.WriteFile(filepath.Join(dir, "all", "kustomization.yaml"), []byte(all), 0o644))
	for variant, says := range map[string][]string{
		"base":             {"completionMode: Indexed", "/photos/parts"},
		"spot-in-a-bucket": {"s3://jobs/parts", "capacity-type: spot"},
		"all":              {"s3://jobs/parts", "capacity-type: spot", "nvidia.com/gpu: 1", "key: nvidia.com/gpu", "key: karpenter.sh/capacity-type", "backbone.engine=cuda", "onExitCodes"},
	} {
		out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", filepath.Join(dir, variant)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v %s", variant, err, out)
		}
		for _, s := range says {
			if !strings.Contains(string(out), s) {
				t.Errorf("%s does not say %q", variant, s)
			}
		}
	}
}
