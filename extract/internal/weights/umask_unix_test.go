//go:build unix

package weights

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestNewFilesHeedTheUmask(t *testing.T) {
	for umask, want := range map[int]os.FileMode{0o077: 0o600, 0o002: 0o664, 0o022: 0o644} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		o := serve(t, &remote{data: payload})
		was := syscall.Umask(umask)
		err := writeNew(path, smallTensors(), encodeSafetensors)
		fetched, fetchErr := Fetch(t.Context(), o)
		syscall.Umask(was)
		if err := errors.Join(err, fetchErr); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{path, fetched} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("umask %o: %v, %v", umask, info.Mode(), err)
			}
		}
	}
}
