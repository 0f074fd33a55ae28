package report

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/runs"
)

// FuzzListed feeds a report's bytes to the list of runs: any version wrote them, or anybody.
func FuzzListed(f *testing.F) {
	head, err := json.Marshal(headtrain.Options{LR: 0.01}.WithDefaults())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"started": "2026-01-02T03:04:05Z", "summary": {"dataset": "set", "weights": "random", "val_acc": 0.5}, "head_engine": "gorgonia", "head": ` + string(head) + `, "sweep": {"heads": 9}}`))
	f.Add([]byte(`{"head": {"lr": "\u001b[2J", "class_weights": {"map": {"a": {"b": [1]}}}}, "head_engine": "x"}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"sweep": {"heads": -1}, "summary": {"test_acc": 1e308}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, runs.ReportFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := ReadListed(dir)
		if err != nil {
			if !errors.Is(err, runs.ErrRun) {
				t.Fatalf("%v is not ErrRun", err)
			}
			return
		}
		if l.Heads < 1 {
			t.Fatalf("%d heads", l.Heads)
		}
		ListText(io.Discard, []Listed{l})
		if _, err := json.Marshal(l); err != nil {
			t.Fatal(err)
		}
	})
}
