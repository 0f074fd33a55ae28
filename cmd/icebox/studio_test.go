package main

import (
	"net/http"
	"strings"
	"testing"
)

// The studio says where it is, answers there, and ends with an interruption.
func TestStudioServesUntilItIsInterrupted(t *testing.T) {
	dir := folder(t, 2, 6)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	address, end := serving(t, dir, nil, "studio", "--no-browser", "--cache", "f.db")
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatalf("it is at %s", address)
	}
	status, body := fetched(t, newClient(t, &http.Transport{}), "GET", address, nil)
	if status != http.StatusOK || !strings.Contains(body, "12 images") {
		t.Errorf("%d: %.400s", status, body)
	}
	if code, errOut := end(); code != exitOK || !strings.Contains(errOut, "corrections go to corrections.csv") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
