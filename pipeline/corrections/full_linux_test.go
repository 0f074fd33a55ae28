package corrections

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that is full in the middle of a line leaves the file as it was.
func TestAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.csv")
	l, err := Open(path)
	must(t, err)
	defer l.Close()
	must(t, l.Append(relabel("a.jpg", 1, "", "cat")))
	before, err := os.ReadFile(path)
	must(t, err)
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	full := limit
	full.Cur = uint64(len(before)) + 20
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
	err = l.Append(relabel("b.jpg", 2, "", "cat"))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	if !errors.Is(err, ErrNotWritten) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Errorf("the file is %q", after)
	}
	must(t, l.Append(relabel("b.jpg", 2, "", "cat")))
	if f, err := Read(path); err != nil || len(f.Changes) != 2 {
		t.Errorf("%v, %v", err, f)
	}
}
