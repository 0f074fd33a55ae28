package lint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the fences into .golangci.yml and the limits into SECURITY.md")

// The rules of depguard stand last in .golangci.yml, below this line.
const rulesBegin = "        # The fences of cmd/internal/lint: `go test ./cmd/internal/lint -update` writes them.\n"

// TestLinterHasTheSameFences holds .golangci.yml to the table of fences.
func TestLinterHasTheSameFences(t *testing.T) {
	file := filepath.Join(root(t), ".golangci.yml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	above, rules, ok := strings.Cut(string(data), rulesBegin)
	if !ok {
		t.Fatalf(".golangci.yml lacks the line %q", rulesBegin)
	}
	want := depguardRules()
	if *update {
		if err := os.WriteFile(file, []byte(above+rulesBegin+want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if rules != want {
		t.Error(".golangci.yml has other fences than this package: go test ./cmd/internal/lint -update")
	}
}

// depguardRules writes every fence as a rule of depguard.
func depguardRules() string {
	var out strings.Builder
	for _, f := range fences {
		fmt.Fprintf(&out, "        %s:\n          files: [%s]\n          deny:\n", f.name, strings.Join(f.globs(), ", "))
		for _, path := range f.imports {
			fmt.Fprintf(&out, "            - {pkg: %s, desc: %q}\n", path, f.reason)
		}
	}
	return out.String()
}

// globs are the files that the fence is for, as depguard takes them.
func (f *fence) globs() []string {
	glob := func(not, folder string) string { return fmt.Sprintf("%q", not+"${base-path}/"+folder+"/**") }
	var globs []string
	for _, folder := range f.around {
		globs = append(globs, glob("", folder))
	}
	for _, folder := range f.but {
		globs = append(globs, glob("!", folder))
	}
	if f.built {
		globs = append(globs, `"!$test"`)
	}
	return globs
}

// depguard looks only at the nearest of a rule's paths, in the order of the alphabet:
// a path below another would hide that one.
func TestNoPathOfAFenceHidesAnother(t *testing.T) {
	for _, f := range fences {
		paths := slices.Sorted(slices.Values(f.imports))
		for i := range paths[1:] {
			if strings.HasPrefix(paths[i+1], paths[i]) {
				t.Errorf("the fence %q: %s hides %s from depguard", f.name, paths[i+1], paths[i])
			}
		}
	}
}
