package runs_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/runs"
)

// FuzzHead lets a head file say anything of its features and of its training.
func FuzzHead(f *testing.F) {
	info, err := json.Marshal(runs.HeadInfo{Dataset: "set", Cache: "features.db", Refit: true})
	must(f, err)
	f.Add(info, []byte(`{"engine": "linear/2", "options": {"lr": 0.001}, "rows": 3, "epochs_run": 5, "best_epoch": 2}`))
	f.Add([]byte(`null`), []byte(`{"best_epoch": -3}`))
	f.Add([]byte(`{"extraction": 3}`), []byte(`[]`))
	path := filepath.Join(f.TempDir(), runs.HeadFile)
	f.Fuzz(func(t *testing.T, info, recipe []byte) {
		if !json.Valid(info) || !json.Valid(recipe) {
			return // a file that holds such is refused as a whole
		}
		h := &headtrain.Head{Classes: []string{"a", "b"}, Dim: 1, W: []float32{1, 2}, B: []float32{0, 0}, Preprocessing: info, Recipe: recipe}
		if h.Save(path) != nil {
			return
		}
		got, _, err := runs.Head(path)
		if err != nil {
			if !errors.Is(err, headtrain.ErrFormat) {
				t.Fatalf("%v is not ErrFormat", err)
			}
			return
		}
		if _, epochs, err := got.Trained(); err != nil && !errors.Is(err, headtrain.ErrFormat) || err == nil && epochs < 0 {
			t.Fatalf("%d epochs, %v", epochs, err)
		}
	})
}
