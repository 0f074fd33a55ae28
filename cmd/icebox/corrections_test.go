package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/corrections"
)

func TestMovesAreAScriptThatRuns(t *testing.T) {
	dir := t.TempDir()
	odd := "it's\n`touch x`; $(touch y) -rf.jpg"
	write(t, dir, "photos/a/1.jpg", nil)
	write(t, dir, "photos/-a/"+odd, nil)
	l, err := corrections.Open(filepath.Join(dir, "c.csv"))
	must(t, err)
	must(t, l.Append(
		corrections.Change{Action: corrections.Relabel, Path: "a/1.jpg", Hash: cache.Key{1}, Old: "a", New: "b c", When: time.Now()},
		corrections.Change{Action: corrections.Relabel, Path: "-a/" + odd, Hash: cache.Key{2}, Old: "-a", New: "$(touch z)", When: time.Now()},
		corrections.Change{Action: corrections.Exclude, Path: "a/two\ntouch w", Hash: cache.Key{3}, Old: "a", When: time.Now()},
		corrections.Change{Action: corrections.Relabel, Path: "s.tar!x/a/1.jpg", Hash: cache.Key{5}, Old: "a", New: "b c", When: time.Now()},
		corrections.Change{Action: corrections.Relabel, Path: "two\ntouch w", Hash: cache.Key{4}, New: "a", When: time.Now()}))
	must(t, l.Close())
	show := icebox(t, dir, "corrections", "show", "c.csv")
	if show.code != 0 || !strings.Contains(show.out, "a/1.jpg: a → b c") || !strings.Contains(show.out, `"a/two\ntouch w": excluded`) {
		t.Errorf("exit %d: %s%s", show.code, show.out, show.errOut)
	}
	r := icebox(t, dir, "corrections", "moves", "c.csv")
	if r.code != 0 {
		t.Fatal(r.errOut)
	}
	if !strings.Contains(r.out, "# of class b c, in an archive, where nothing can be moved: s.tar!x/a/1.jpg") {
		t.Error(r.out)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("skipped: there is no shell to run the script")
	}
	cmd := exec.Command(sh)
	cmd.Dir, cmd.Stdin = filepath.Join(dir, "photos"), strings.NewReader(r.out)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, r.out)
	}
	for _, name := range []string{"b c/1.jpg", "$(touch z)/" + odd} {
		if !isFile(filepath.Join(dir, "photos", name)) {
			t.Errorf("%q is not there", name)
		}
	}
	entries, err := os.ReadDir(cmd.Dir)
	must(t, err)
	if len(entries) != 4 {
		t.Errorf("the script made %v", entries)
	}
}
