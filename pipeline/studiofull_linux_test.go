package pipeline

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"icebox/pipeline/studio"
)

// smallFiles is set for the process of a test that limits how large files may get. The log of
// files opened, which `go test` has a test program write, would not fit either: that process
// writes none.
const smallFiles = "ICEBOX_TEST_SMALL_FILES"

// On a full disk a change is refused with the reason, and nothing is lost.
func TestAStudioOnAFullDisk(t *testing.T) {
	if os.Getenv(smallFiles) == "" {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), smallFiles+"=1")
		if out, err := child.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
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
