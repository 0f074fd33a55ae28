//go:build unix

package weights

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A file that another process shortens while it is read gives an error, not a
// crash of the process.
func TestShrinkingFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shrinks.safetensors")
	data := encoded(t, encodeSafetensors, []tensor{{name: "a", dtype: "U8", shape: []int{1 << 20}, storage: make([]byte, 1<<20)}})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	err = guarded(func() error {
		hashTensors(f.tensors)
		return nil
	})
	if !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}
