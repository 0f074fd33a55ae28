package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answer is all that a server says, whatever it is asked.
type answer func(*http.Request) (*http.Response, error)

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

// FuzzFetch lets a server say anything, to a download that finds a part of an earlier one:
// nothing has the file's name but the right file, and no failure keeps the next download
// from coming about.
func FuzzFetch(f *testing.F) {
	content := []byte("frozen weights")
	digest := sha256.Sum256(content)
	name := "w-" + hex.EncodeToString(digest[:8]) + ".pth"
	for _, part := range [][]byte{nil, content[:6], content, []byte("others")} {
		f.Add(part, uint16(200), "", int64(len(content)), content, "")
		f.Add(part, uint16(206), "bytes 6-13/14", int64(8), content[6:], "")
		f.Add(part, uint16(206), "bytes 6-99999999999999999999/*", int64(-1), content, "")
		f.Add(part, uint16(302), "", int64(0), content, "http://elsewhere/"+name)
		f.Add(part, uint16(416), "", int64(0), content, "")
	}
	f.Fuzz(func(t *testing.T, part []byte, status uint16, contentRange string, length int64, body []byte, location string) {
		dir := t.TempDir()
		target := filepath.Join(dir, name)
		if err := os.WriteFile(target+".part", part, 0o644); err != nil {
			t.Fatal(err)
		}
		says := answer(func(r *http.Request) (*http.Response, error) {
			header := http.Header{"Content-Range": {contentRange}, "Location": {location}}
			return &http.Response{StatusCode: int(status), Status: "said", Header: header, ContentLength: length, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
		})
		fetch := func(a answer) error {
			_, err := Fetch(t.Context(), FetchOptions{URL: "https://here/" + name, Dir: dir, Client: &http.Client{Transport: a, CheckRedirect: staySafe}})
			return err
		}
		err := fetch(says)
		got, readErr := os.ReadFile(target)
		if (err == nil) != (readErr == nil) || err == nil && !bytes.Equal(got, content) {
			t.Fatalf("%v, and the file holds %q, %v", err, got, readErr)
		}
		if err != nil && !errors.Is(err, ErrDownload) && !errors.Is(err, ErrChecksum) && !errors.Is(err, ErrNoNetwork) {
			t.Fatalf("an error of no class: %v", err)
		}
		good := answer(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, ContentLength: int64(len(content)), Body: io.NopCloser(bytes.NewReader(content)), Request: r}, nil
		})
		if err := fetch(good); err != nil {
			t.Fatalf("after that: %v", err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(left) != 1 || !strings.HasSuffix(left[0], name) {
			t.Fatalf("files are left: %v", left)
		}
	})
}
