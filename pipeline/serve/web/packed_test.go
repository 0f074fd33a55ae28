package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
)

// packed is data as gzip has it.
func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A path that takes other methods says which; a packed body is read as what it was.
func TestMethodsAndPacking(t *testing.T) {
	h := painting(t, Options{})
	for path, allow := range map[string]string{"/": "POST", "/ping": "GET", "/predictions/paint": "POST, PUT", "/abc/image": "POST"} {
		if w := ask(h, "DELETE", path, nil); w.Code != 405 || w.Header().Get("Allow") != allow {
			t.Errorf("%s: %d, %v", path, w.Code, w.Header())
		}
	}
	w := ask(h, "POST", "/", packed(t, painted(t, red)), "Content-Encoding", "gzip")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `{"label":"red"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
