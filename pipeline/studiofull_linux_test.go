package pipeline

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"icebox/pipeline/studio"
)

// On a full disk a change is refused with the reason, and nothing is lost.
func TestAStudioOnAFullDisk(t *testing.T) {
	h, s, o := webOf(t)
	if w := ask(h, "POST", "/change", `{"items":[0],"action":"exclude"}`); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	before, err := os.ReadFile(o.Data.Corrections)
	must(t, err)
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	full := limit
	full.Cur = uint64(len(before)) + 30
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
	w := ask(h, "POST", "/change", `{"items":[1,2,3],"action":"exclude"}`)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	if w.Code != http.StatusInsufficientStorage || !strings.Contains(w.Body.String(), "was not written") || !strings.Contains(w.Body.String(), o.Data.Corrections) {
		t.Errorf("full: %d %s", w.Code, w.Body)
	}
	after, err := os.ReadFile(o.Data.Corrections)
	must(t, err)
	if !bytes.Equal(before, after) || s.Wall(studio.Query{}).Counts[studio.Excluded] != 1 {
		t.Errorf("something has changed: %s", after)
	}
	if w := ask(h, "POST", "/change", `{"items":[1,2,3],"action":"exclude"}`); w.Code != http.StatusOK || s.Wall(studio.Query{}).Counts[studio.Excluded] != 4 {
		t.Errorf("with room again: %d %s", w.Code, w.Body)
	}
}
