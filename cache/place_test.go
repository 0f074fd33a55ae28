package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What a person or an attacker put in the place of a lock or of a new file stays as it is.
func TestForeignFilesAreNeitherFollowedNorOverwritten(t *testing.T) {
	const kept = "not to be lost"
	if runtime.GOOS == "windows" {
		t.Skip("links need a right here")
	}
	for _, place := range []func(string) string{lockPath, makingPath} {
		for _, how := range []string{"link", "hard link", "file", "folder"} {
			c := newCache(t, quick())
			fill(t, c, keysOf(0, 20), space8)
			must(t, os.Remove(lockPath(c.path)))
			victim, at := filepath.Join(t.TempDir(), "victim"), place(c.path)
			must(t, os.WriteFile(victim, []byte(kept), 0o644))
			switch how {
			case "link":
				must(t, os.Symlink(victim, at))
			case "hard link":
				must(t, os.Link(victim, at))
			case "file":
				must(t, os.WriteFile(at, []byte(kept), 0o644))
				victim = at
			case "folder":
				must(t, os.Mkdir(at, 0o755))
			}
			_, err := Compact(c.path, CompactOptions{Options: quick()})
			if err == nil || !strings.Contains(err.Error(), at) {
				t.Errorf("%s at %s: %v", how, filepath.Base(at), err)
			}
			if w, err := c.Writer(); (err == nil) != (at == makingPath(c.path)) {
				t.Errorf("%s at %s: writer: %v", how, filepath.Base(at), err)
			} else if err == nil {
				must(t, w.Close())
			}
			if got := string(readFile(t, victim)); got != kept {
				t.Errorf("%s at %s: the file is %q now", how, filepath.Base(at), got)
			}
			wantRows(t, c, space8, keysOf(0, 20))
		}
	}
}

func TestLinkToNothingIsNoPlaceForACache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	if err := os.Symlink(filepath.Join(t.TempDir(), "none"), path); err != nil {
		t.Skip(err)
	}
	if _, err := OpenOrCreate(path, quick()); err == nil || !strings.Contains(err.Error(), "link") {
		t.Error(err)
	}
}

func TestNewCacheTakesNobodysName(t *testing.T) {
	dir := t.TempDir()
	path, tmp := filepath.Join(dir, "c.db"), filepath.Join(dir, "c.db.making")
	must(t, os.WriteFile(path, []byte("first"), 0o644))
	must(t, os.WriteFile(tmp, []byte("second"), 0o644))
	must(t, placeNew(tmp, path))
	if got := string(readFile(t, path)); got != "first" {
		t.Errorf("the file is %q", got)
	}
	if _, err := os.Lstat(tmp); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// What a killed process leaves of the making of a cache is in nobody's way.
func TestRemnantsOfMakingAreReplaced(t *testing.T) {
	whole := readFile(t, newCache(t, quick()).path)
	for _, n := range []int{0, pageSize, 4*pageSize - 1, len(whole)} {
		path := filepath.Join(t.TempDir(), "c.db")
		must(t, os.WriteFile(makingPath(path), whole[:n], 0o600))
		c, err := OpenOrCreate(path, quick())
		must(t, err)
		must(t, os.WriteFile(makingPath(path), whole[:n], 0o600))
		fill(t, c, keysOf(0, 20), space8) // a writer tidies
		wantSound(t, path)
		if left, _ := filepath.Glob(path + "?*"); len(left) != 1 {
			t.Errorf("%d bytes: left behind: %v", n, left)
		}
	}
}

func TestCompactAndDropKeepModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such modes here")
	}
	for _, perm := range []fs.FileMode{0o600, 0o640, 0o664, 0o644} {
		c := newCache(t, quick())
		fill(t, c, keysOf(0, 20), space8, spaceHalf)
		must(t, os.Chmod(c.path, perm))
		must(t, os.Remove(lockPath(c.path)))
		_, err := Compact(c.path, CompactOptions{Options: quick()})
		must(t, err)
		for range 2 {
			for _, path := range []string{c.path, lockPath(c.path)} {
				info, err := os.Stat(path)
				must(t, err)
				if got := info.Mode().Perm(); got != perm {
					t.Errorf("%s: %o instead of %o", filepath.Base(path), got, perm)
				}
			}
			if c.Len(space8.ID) > 0 {
				must(t, Drop(c.path, space8.ID, quick()))
				must(t, c.Refresh())
			}
		}
	}
}
