package csvfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLinesAreQuotedWhereTheyMustBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := Write(path, slices.Values([][]string{{"path", "label"}, {`a,"b".jpg`, "ß"}})); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "path,label\n\"a,\"\"b\"\".jpg\",ß\n"; err != nil || string(got) != want {
		t.Errorf("%v: %s, want %s", err, got, want)
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFullDiskIsTold(t *testing.T) {
	line := []string{strings.Repeat("x", 1<<16)}
	if err := To(full{}, slices.Values([][]string{line, line})); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if err := Write(filepath.Join(t.TempDir(), "no", "a.csv"), slices.Values([][]string{line})); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
