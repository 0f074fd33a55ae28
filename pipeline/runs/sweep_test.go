package runs_test

import (
	"os"
	"path/filepath"
	"testing"

	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

// A folder with the log of a sweep is kept, and one with its results is no stranger's: the
// names are the ones that package sweep writes.
func TestTheFilesOfASweepAreKnown(t *testing.T) {
	for _, c := range []struct {
		name, text string
		gone       bool
	}{{sweep.LogFile, "{}\n", false}, {sweep.LogFile, "{", true}, {sweep.ResultFile, "{}\n", true}, {"other.jsonl", "{}\n", false}} {
		dir := t.TempDir()
		left := filepath.Join(dir, "20260101-000000-x.partial")
		if err := os.Mkdir(left, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{c.name: c.text, "lock": ""} {
			if err := os.WriteFile(filepath.Join(left, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		runs.Tidy(dir)
		if _, err := os.Stat(left); os.IsNotExist(err) != c.gone {
			t.Errorf("%s with %q: %v, gone should be %v", c.name, c.text, err, c.gone)
		}
	}
}
