package lint

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eachFile calls f for every Go file of the module, with its path below the
// module's folder, which has slashes, and its full path.
func eachFile(t *testing.T, f func(name, full string)) {
	t.Helper()
	top := root(t)
	n := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != top && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			name, err := filepath.Rel(top, path)
			if err != nil {
				return err
			}
			n++
			f(filepath.ToSlash(name), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Fatalf("only %d Go files found below %s", n, top)
	}
}

// eachSource calls f for every Go file that is no test.
func eachSource(t *testing.T, f func(name, full string)) {
	t.Helper()
	eachFile(t, func(name, full string) {
		if !strings.HasSuffix(name, "_test.go") {
			f(name, full)
		}
	})
}
