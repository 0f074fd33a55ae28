//go:build unix

package weights

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNewFileHeedsTheUmask(t *testing.T) {
	for umask, want := range map[int]os.FileMode{0o077: 0o600, 0o002: 0o664, 0o022: 0o644} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		was := syscall.Umask(umask)
		err := writeNew(path, smallTensors(), encodeSafetensors)
		syscall.Umask(was)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("umask %o: %v, %v", umask, info.Mode(), err)
		}
	}
}
