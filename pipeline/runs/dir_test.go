package runs_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/runs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAFolderHasItsNameOnceItIsWhole(t *testing.T) {
	o := runs.Options{Dir: t.TempDir(), Config: []byte("head: {}\n")}
	d, err := runs.New(o, "photos")
	must(t, err)
	if now := names(t, o.Dir); len(now) != 1 || !strings.HasSuffix(now[0], "-photos.partial") {
		t.Errorf("while it is written: %v", now)
	}
	config, err := os.ReadFile(d.File(runs.ConfigFile))
	must(t, err)
	if string(config) != "head: {}\n" {
		t.Errorf("config %q", config)
	}
	must(t, d.Done())
	d.Close()
	if now := names(t, o.Dir); len(now) != 1 || filepath.Join(o.Dir, now[0]) != d.Final() {
		t.Errorf("once it is whole: %v, not %s", now, d.Final())
	}
}

// What a killed check left goes, and what somebody else has put there stays.
func TestCheckOfAFolderLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, ".trial-1"), 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, ".trial-mine", "thesis"), 0o755))
	must(t, runs.CheckWritable(dir))
	if now := names(t, dir); !slices.Equal(now, []string{".trial-mine"}) {
		t.Errorf("left %v", now)
	}
}

func TestNoFolderIsTakenTwice(t *testing.T) {
	o := runs.Options{Dir: t.TempDir(), Name: "same"}
	seen := map[string]bool{}
	for range 4 { // in one second, as a rule
		d, err := runs.New(o, "photos")
		must(t, err)
		defer d.Close()
		if seen[d.Final()] {
			t.Fatalf("%s twice", d.Final())
		}
		seen[d.Final()] = true
	}
}

func TestAFolderThatIsNotWholeGoesUnlessItIsKept(t *testing.T) {
	o := runs.Options{Dir: t.TempDir()}
	gone, err := runs.New(o, "gone")
	must(t, err)
	gone.Close()
	if left := names(t, o.Dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	kept, err := runs.New(o, "kept")
	must(t, err)
	kept.Keep(true)
	kept.Close()
	if kept.Kept() == "" || len(names(t, o.Dir)) != 1 {
		t.Errorf("kept %q, left %v", kept.Kept(), names(t, o.Dir))
	}
	again, err := runs.Reopen(kept.Kept(), "")
	must(t, err)
	must(t, again.Done())
	again.Close()
	if again.Final()+".partial" != kept.Kept() {
		t.Errorf("%s became %s", kept.Kept(), again.Final())
	}
	if _, err := runs.Reopen(again.Final(), ""); !errors.Is(err, runs.ErrPartial) {
		t.Errorf("a folder that is whole: %v", err)
	}
}

func TestNamesArePortable(t *testing.T) {
	for name, want := range map[string]string{`a:b/c\d?`: "a_b_c_d_", "dots...": "dots", "new\nline": "new_line", strings.Repeat("ü", 80): strings.Repeat("ü", 50)} {
		o := runs.Options{Dir: t.TempDir(), Name: name}
		d, err := runs.New(o, "")
		must(t, err)
		if got := filepath.Base(d.Final()); !strings.HasSuffix(got, "-"+want) || strings.Count(got, "-") != 2 {
			t.Errorf("%q became %q", name, got)
		}
		d.Close()
	}
}

func TestWhatIsNoRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := runs.Head(dir); !errors.Is(err, runs.ErrRun) {
		t.Errorf("an empty folder: %v", err)
	}
	h := &headtrain.Head{Classes: []string{"a", "b"}, Dim: 1, W: []float32{1, 2}, B: []float32{0, 0}}
	must(t, h.Save(filepath.Join(dir, runs.HeadFile)))
	if _, _, err := runs.Head(dir); !errors.Is(err, headtrain.ErrFormat) {
		t.Errorf("a head that does not say what its features are: %v", err)
	}
}

func TestAReopenedFolderTakesAnotherName(t *testing.T) {
	o := runs.Options{Dir: t.TempDir(), Name: "first"}
	left := func() string {
		d, err := runs.New(o, "photos")
		must(t, err)
		d.Keep(true)
		d.Close()
		return d.Kept()
	}
	one, two := left(), left()
	for _, c := range []struct{ path, name, want string }{{two, "", "first-2"}, {two, "first", "first-2"}, {one, "se/cond", "se_cond"}, {two, "se/cond", "se_cond-2"}} {
		d, err := runs.Reopen(c.path, c.name)
		must(t, err)
		if got := filepath.Base(d.Final()); len(got) < 17 || got[:16] != filepath.Base(c.path)[:16] || got[16:] != c.want {
			t.Errorf("%s, to be called %q, becomes %s", c.path, c.name, got)
		}
		if c.name == "se/cond" {
			must(t, d.Done())
		}
		d.Close()
	}
}

// What a killed run leaves is taken away, and nothing else.
func TestOnlyDeadRunsAreTidied(t *testing.T) {
	o := runs.Options{Dir: t.TempDir()}
	live, err := runs.New(o, "live")
	must(t, err)
	defer live.Close()
	kept, err := runs.New(o, "sweep")
	must(t, err)
	kept.Keep(true)
	kept.Close()
	whole, err := runs.New(o, "whole")
	must(t, err)
	must(t, whole.Done())
	dead := func(name string, files ...string) string {
		path := filepath.Join(o.Dir, "20200101-000000-"+name+".partial")
		must(t, os.Mkdir(path, 0o755))
		for _, file := range files {
			must(t, os.WriteFile(filepath.Join(path, file), nil, 0o644))
		}
		return filepath.Base(path)
	}
	killed := dead("killed", "lock", "config.yaml", "metrics.jsonl", "head.safetensors")
	resumable := dead("resumable", "lock", "config.yaml", "metrics.jsonl", "heads.jsonl")
	must(t, os.WriteFile(filepath.Join(o.Dir, resumable, "heads.jsonl"), []byte("{\"format\": 1}\n{\"ru"), 0o644))
	wantGone := []string{
		dead("beginning", "lock"), dead("empty"), dead("full", "lock", "config.yaml", "metrics.jsonl", "heads.jsonl"), killed,
		dead("reporting", "lock", "config.yaml", "head.safetensors.tmp0", "report.json", ".report.txt.0123456789abcdef.icebox"),
	}
	for _, name := range []string{"lock", "heads.jsonl", "head.safetensors"} {
		must(t, os.WriteFile(filepath.Join(whole.Final(), name), nil, 0o644))
	}
	dead("older", "config.yaml", "metrics.jsonl")
	dead("mine", "lock", "config.yaml", "notes.txt")
	before := names(t, o.Dir)
	gone := runs.Tidy(o.Dir)
	if runtime.GOOS == "windows" {
		wantGone = nil
		must(t, os.Remove(filepath.Join(whole.Final(), "lock")))
	}
	if !slices.Equal(gone, wantGone) {
		t.Errorf("gone: %q", gone)
	}
	left := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(wantGone, name) })
	if now := names(t, o.Dir); !slices.Equal(now, left) {
		t.Errorf("%q are left, want %q", now, left)
	}
	for _, dir := range []string{whole.Final(), kept.Kept()} {
		if slices.Contains(names(t, dir), "lock") {
			t.Errorf("%s has a lock", dir)
		}
	}
	if slices.Contains(names(t, whole.Final()), "heads.jsonl") != (runtime.GOOS == "windows") {
		t.Error("the log of a sweep that is whole")
	}
	if gone := runs.Tidy(filepath.Join(o.Dir, "none")); gone != nil {
		t.Errorf("of no folder: %q", gone)
	}
}

// The loss of an epoch under way is told apart from that of the head that is kept.
func TestRunningNumbersHaveTheirOwnNames(t *testing.T) {
	d, err := runs.New(runs.Options{Dir: t.TempDir()}, "photos")
	must(t, err)
	defer d.Close()
	d.Metric(headtrain.Epoch{Epoch: 1, TrainLoss: 0.5, TrainAcc: 0.75})
	text, err := os.ReadFile(d.File(runs.MetricsFile))
	must(t, err)
	for _, want := range []string{`"running_loss":0.5`, `"running_acc":0.75`, `"train_loss":0.5`, `"train_acc":0.75`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// Two that go on with one folder would mix their files.
func TestFolderIsReopenedByOneAtATime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no locks that go with their process here")
	}
	o := runs.Options{Dir: t.TempDir()}
	first, err := runs.New(o, "photos")
	must(t, err)
	first.Keep(true)
	for _, d := range []*runs.Dir{first, nil} {
		if d == nil {
			d, err = runs.Reopen(first.Path(), "")
			must(t, err)
		}
		if _, err := runs.Reopen(d.Path(), "other"); !errors.Is(err, runs.ErrBusy) || !strings.Contains(err.Error(), d.Path()) {
			t.Errorf("beside the one that writes: %v", err)
		}
		d.Close()
	}
	if left := names(t, first.Path()); slices.Contains(left, "lock") {
		t.Errorf("left: %v", left)
	}
	must(t, os.Symlink(filepath.Join(o.Dir, "victim"), filepath.Join(first.Path(), "lock")))
	if _, err := runs.Reopen(first.Path(), ""); err == nil {
		t.Error("a link was taken for the lock")
	}
	if _, err := os.Lstat(filepath.Join(o.Dir, "victim")); err == nil {
		t.Error("a link was followed")
	}
}
