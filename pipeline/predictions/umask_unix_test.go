//go:build unix

package predictions

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFileHeedsTheUmask(t *testing.T) {
	for umask, want := range map[int]os.FileMode{0o077: 0o600, 0o002: 0o664, 0o022: 0o644} {
		path := filepath.Join(t.TempDir(), "p.csv")
		was := syscall.Umask(umask)
		w, err := Create(path, Layout{}, false)
		if err == nil {
			err = w.Close()
		}
		syscall.Umask(was)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("umask %o: %v, %v", umask, info.Mode(), err)
		}
	}
}
