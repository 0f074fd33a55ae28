package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestFileIsWholeOrAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	must(t, Write(path, []byte("old")))
	f, err := Create(path)
	must(t, err)
	_, err = f.Write([]byte("new"))
	must(t, err)
	if text, err := os.ReadFile(path); string(text) != "old" {
		t.Errorf("while it is written: %q, %v", text, err)
	}
	f.Abandon()
	if err := WriteNew(path, []byte("new")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	f, err = Create(path)
	must(t, err)
	if err := f.Place(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that came meanwhile: %v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "old" {
		t.Errorf("after all: %q, %v", text, err)
	}
	must(t, Write(path, []byte("new")))
	must(t, WriteNew(filepath.Join(dir, "b.csv"), []byte("b")))
	if text, err := os.ReadFile(path); string(text) != "new" {
		t.Errorf("replaced: %q, %v", text, err)
	}
	if now := names(t, dir); !slices.Equal(now, []string{"a.csv", "b.csv"}) {
		t.Errorf("left %v", now)
	}
}

// What a killed process left of a file goes when it is written again; what a living one is
// at, and what is somebody else's, stays.
func TestOnlyLeftFilesAreTidied(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: there are no locks that go with their process here")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	living, err := Create(path)
	must(t, err)
	defer living.Abandon()
	keep := []string{filepath.Base(living.Name()), ".a.csv.0123456789abcdef", ".a.csv.thesis.icebox", ".b.csv.0123456789abcdef.icebox", "a.csv"}
	for _, name := range append(keep[1:4:4], ".a.csv.0123456789abcdef.icebox") {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	must(t, os.Symlink(filepath.Join(dir, keep[1]), filepath.Join(dir, ".a.csv.0123456789abcdee.icebox")))
	keep = append(keep, ".a.csv.0123456789abcdee.icebox")
	must(t, Write(path, nil))
	slices.Sort(keep)
	if now := names(t, dir); !slices.Equal(now, keep) {
		t.Errorf("left are %v, want %v", now, keep)
	}
}
