//go:build unix

package pictures

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

func TestPicturesHeedTheUmask(t *testing.T) {
	for umask, want := range map[int]fs.FileMode{0o077: 0o600, 0o002: 0o664, 0o022: 0o644} {
		o := Options{Dir: t.TempDir(), PerClass: Counts{Train: 1}, Seed: 3, MTime: past}
		was := syscall.Umask(umask)
		err := Draw(t.Context(), o, nil)
		syscall.Umask(was)
		if err != nil {
			t.Fatal(err)
		}
		err = filepath.WalkDir(o.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm() != want {
				t.Errorf("umask %o: %s is %v", umask, path, info.Mode())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
