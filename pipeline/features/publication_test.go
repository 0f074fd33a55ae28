package features

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

var publicationNames = []string{"a", "b", "c"}

// written is a publication whose files are written.
func written(t *testing.T, dir string) *publication {
	t.Helper()
	p, err := openPublication(dir, publicationNames...)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range publicationNames {
		if err := os.WriteFile(p.path(name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func entriesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestPublicationIsWholeOrNotThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	written(t, dir).close() // as after a full disk
	if left := entriesOf(t, dir); len(left) > 0 {
		t.Errorf("of one that failed are left %v", left)
	}
	p := written(t, dir)
	if err := p.publish(); err != nil {
		t.Fatal(err)
	}
	p.close()
	if now := entriesOf(t, dir); !slices.Equal(now, publicationNames) {
		t.Errorf("published: %v", now)
	}
	if _, err := openPublication(dir, "c", "d"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
}

func TestPublicationReplacesNoFileThatCameMeanwhile(t *testing.T) {
	dir := t.TempDir()
	p := written(t, dir)
	defer p.close()
	late := filepath.Join(dir, "b")
	if err := os.WriteFile(late, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.publish(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(late); string(text) != "mine" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("a part was published")
	}
}

// What a killed publication left goes; what a living one is at, what is whole, and what
// somebody else put there stays.
func TestKilledPublicationIsTidied(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no locks that go with their process here")
	}
	for placed := range len(publicationNames) + 1 {
		dir := t.TempDir()
		killed, living := written(t, dir), written(t, dir)
		for _, name := range publicationNames[:placed] {
			if err := killed.place(name); err != nil {
				t.Fatal(err)
			}
		}
		killed.lock.Release()
		foreign := filepath.Join(dir, unpublished+"mine")
		if err := errors.Join(os.Mkdir(foreign, 0o755), os.WriteFile(filepath.Join(foreign, "thesis"), nil, 0o644), os.WriteFile(filepath.Join(foreign, "lock"), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		p, err := openPublication(dir, publicationNames...)
		want := []string{filepath.Base(living.tmp), filepath.Base(foreign)}
		if placed == len(publicationNames) {
			want = append(want, publicationNames...)
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("over a whole one: %v", err)
			}
		} else if err != nil {
			t.Errorf("%d placed: %v", placed, err)
		} else {
			p.close()
		}
		slices.Sort(want)
		if now := entriesOf(t, dir); !slices.Equal(now, want) {
			t.Errorf("%d placed: left are %v, want %v", placed, now, want)
		}
		living.close()
	}
}
