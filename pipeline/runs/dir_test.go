package runs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/runs"
)

func must(t *testing.T, err error) {
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
	again, err := runs.Reopen(kept.Kept())
	must(t, err)
	must(t, again.Done())
	again.Close()
	if again.Final()+".partial" != kept.Kept() {
		t.Errorf("%s became %s", kept.Kept(), again.Final())
	}
	if _, err := runs.Reopen(again.Final()); !errors.Is(err, runs.ErrPartial) {
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
