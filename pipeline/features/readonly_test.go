package features

import (
	"errors"
	"runtime"
	"testing"

	"icebox/pipeline/journal"
)

// Nobody makes folders in /sys, not even root, for whom modes of files are no bounds.
func TestACacheThatCannotBeMadeIsReadOnly(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped: it wants a folder in which nobody may write, as Linux has")
	}
	s, err := OpenStore(t.Context(), "/sys/icebox/features.db", 0, journal.New(journal.Silent, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.putDoc("a", nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v", err)
	}
}
