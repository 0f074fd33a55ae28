package sweep

import (
	"os"
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
