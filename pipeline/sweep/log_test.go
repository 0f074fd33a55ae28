package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"icebox/headtrain"
)

// A log says no more than its file holds.
func TestLogOnAFullDiskCountsWhatItHolds(t *testing.T) {
	dir := t.TempDir()
	l, err := NewLog(dir, Recipe{Format: recipeFormat})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.append([]Record{{HeadID: HeadID{Point: 1}}, {HeadID: HeadID{Point: 2}}}); err != nil {
		t.Fatal(err)
	}
	file := l.f
	if l.f, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Skip("there is no disk that is always full: ", err)
	}
	if err := l.append([]Record{{HeadID: HeadID{Point: 3}}, {HeadID: HeadID{Point: 4}}}); err == nil || l.Len() != 2 {
		t.Errorf("%d heads, %v", l.Len(), err)
	}
	l.Close()
	l.f = file
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, err := readLog(dir)
	if err != nil || again.Len() != l.Len() {
		t.Errorf("the file holds %d heads, the log says %d: %v", again.Len(), l.Len(), err)
	}
}

// A log whose first line cannot be written is none, and its file is closed.
func TestLogThatCannotBeBegunIsClosed(t *testing.T) {
	dir := t.TempDir()
	if l, err := NewLog(dir, Recipe{Choice: json.RawMessage("{")}); l != nil || err == nil {
		t.Fatalf("%v, %v", l, err)
	}
	const open = "/proc/self/fd"
	files, err := os.ReadDir(open)
	if err != nil {
		t.Skip("open files are not listed here: ", err)
	}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(open, f.Name())); err == nil && to == filepath.Join(dir, LogFile) {
			t.Error("the file is open")
		}
	}
}

// fuzzedPlan has two points, two seeds and two rungs.
func fuzzedPlan(tb testing.TB) *Plan {
	tb.Helper()
	p, err := NewPlan(Options{Method: Halving, Seeds: 2, Axes: []Axis{{Key: "lr", Values: []any{0.1, 0.01}}}}, defaults())
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// FuzzLog feeds a file's bytes to a sweep that is to be resumed. What it accepts is of the
// plan, and is there again after more heads have been added.
func FuzzLog(f *testing.F) {
	p := fuzzedPlan(f)
	recipe, err := NewRecipe(Options{Method: Halving}, defaults(), RowsOf{Dataset: "set"}, map[string]any{"data": "x"}, "icebox")
	if err != nil {
		f.Fatal(err)
	}
	var text []byte
	share := 0.5
	whole := Record{Options: p.options(HeadID{}), EpochsRun: 3, BestEpoch: 2, ValLoss: &share, ValAcc: &share, ValMacroF1: &share, ValBalancedAcc: &share}
	for _, v := range []any{recipe, whole, Record{HeadID: HeadID{1, 1, 1, 0}, Options: p.options(HeadID{1, 1, 1, 0}), Diverged: true}} {
		line, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	f.Add(text)
	f.Add(text[:len(text)-20])
	f.Add(bytes.ReplaceAll(text, []byte(`"rung":0`), []byte(`"rung":-1`)))
	f.Add(bytes.ReplaceAll(text, []byte(`"point":0`), []byte(`"point":-1`)))
	f.Add(bytes.ReplaceAll(text, []byte(`"val_acc":0.5`), []byte(`"val_acc":null`)))
	f.Add(bytes.ReplaceAll(text, []byte(`"best_epoch":2`), []byte(`"best_epoch":2000000`)))
	f.Add([]byte("null\nnull\n"))
	f.Add([]byte("\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		must(t, os.WriteFile(filepath.Join(dir, LogFile), text, 0o644))
		var choice map[string]any
		_ = Interrupted(dir, &choice) // a choice of another form is the caller's to refuse
		l, _, err := readLog(dir)
		if err != nil {
			wantResume(t, err)
			return
		}
		l, err = ResumeLog(dir, l.recipe)
		must(t, err)
		defer l.Close()
		if err := l.check(p, headtrain.MetricValAcc); err != nil {
			wantResume(t, err)
			return
		}
		var missing []Record
		for rung := range p.Rungs {
			for _, id := range p.headsOf(rung, []int{0, 1}) {
				if _, ok := l.heads[id]; !ok {
					missing = append(missing, Record{HeadID: id, Options: p.options(id), ValAcc: &share, ValLoss: &share})
				}
			}
		}
		must(t, l.append(missing))
		search := &Search{Plan: p, Log: l, Metric: headtrain.MetricValAcc}
		for rung := range p.Rungs {
			results := search.collect(rung, []int{0, 1})
			rank(results, search.Metric)
			Importance(results, p.Axes, search.Metric)
		}
		again, _, err := readLog(dir)
		if err != nil || again.Len() != l.Len() || again.Epochs() != l.Epochs() {
			t.Fatalf("%d heads became %d: %v", l.Len(), again.Len(), err)
		}
	})
}

func wantResume(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrResume) {
		t.Fatalf("%v is not ErrResume", err)
	}
}
