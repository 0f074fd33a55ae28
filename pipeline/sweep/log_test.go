package sweep

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A log says no more than its file holds.
func TestLogOnAFullDiskCountsWhatItHolds(t *testing.T) {
	dir := t.TempDir()
	l, err := NewLog(dir, Recipe{Format: recipeFormat})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.append([]Record{{HeadID: HeadID{Point: 1}}, {HeadID: HeadID{Point: 2}}}); err != nil {
		t.Fatal(err)
	}
	file := l.f
	if l.f, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Skip("there is no disk that is always full: ", err)
	}
	if err := l.append([]Record{{HeadID: HeadID{Point: 3}}, {HeadID: HeadID{Point: 4}}}); err == nil || l.Len() != 2 {
		t.Errorf("%d heads, %v", l.Len(), err)
	}
	l.Close()
	l.f = file
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, err := readLog(dir)
	if err != nil || again.Len() != l.Len() {
		t.Errorf("the file holds %d heads, the log says %d: %v", again.Len(), l.Len(), err)
	}
}

// A log whose first line cannot be written is none, and its file is closed.
func TestLogThatCannotBeBegunIsClosed(t *testing.T) {
	dir := t.TempDir()
	if l, err := NewLog(dir, Recipe{Choice: json.RawMessage("{")}); l != nil || err == nil {
		t.Fatalf("%v, %v", l, err)
	}
	const open = "/proc/self/fd"
	files, err := os.ReadDir(open)
	if err != nil {
		t.Skip("open files are not listed here: ", err)
	}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(open, f.Name())); err == nil && to == filepath.Join(dir, LogFile) {
			t.Error("the file is open")
		}
	}
}
