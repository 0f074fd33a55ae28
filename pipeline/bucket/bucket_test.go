package bucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// fake starts a store with the bucket photos, and returns its environment. Before, if it is not
// nil, may answer a request in its stead.
func fake(t *testing.T, before func(w http.ResponseWriter, r *http.Request) bool) func(string) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("photos"); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "a secret of mine", "AWS_REGION": "us-east-1"}[name]
	}
}

func open(t *testing.T, address string, env func(string) string) *Bucket {
	t.Helper()
	b, err := Open(address, env)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func free(int64) error { return nil }

func write(b *Bucket, name, data string, absent bool) error {
	return b.Write(context.Background(), name, strings.NewReader(data), int64(len(data)), absent)
}

func TestAStoreIsWhatItIsTakenFor(t *testing.T) {
	tryStore(t, open(t, "s3://photos/a b", fake(t, nil)), true)
}

// An object is read in pieces, and as one object.
func TestPieces(t *testing.T) {
	ctx := context.Background()
	b := open(t, "s3://photos/x", fake(t, nil))
	if _, err := b.Open(ctx, "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no object: %v", err)
	}
	must(t, write(b, "a", "0123456789", false))
	f, err := b.Open(ctx, "a")
	must(t, err)
	if all, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size)); err != nil || string(all) != "0123456789" {
		t.Errorf("%q %v", all, err)
	}
	p := make([]byte, 4)
	for at, want := range map[int64]string{0: "0123", 6: "6789"} {
		if n, err := f.ReadAt(p, at); err != nil || string(p[:n]) != want {
			t.Errorf("from %d: %q %v", at, p[:n], err)
		}
	}
	if n, err := f.ReadAt(p, 8); !errors.Is(err, io.EOF) || string(p[:n]) != "89" {
		t.Errorf("%q %v", p[:n], err)
	}
	if n, err := f.ReadAt(p, 10); !errors.Is(err, io.EOF) || n != 0 {
		t.Errorf("%d %v", n, err)
	}
}

// Of writers that want to be the first, one is.
func TestTheFirstStays(t *testing.T) {
	b := open(t, "s3://photos", fake(t, nil))
	must(t, write(b, "a", "first", true))
	if err := write(b, "a", "second", true); !errors.Is(err, ErrThere) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second: %v", err)
	}
	must(t, write(b, "empty", "", true))
	must(t, write(b, "a", "third", false))
	if data, _, err := b.Read(context.Background(), "a", free); err != nil || string(data) != "third" {
		t.Errorf("%q %v", data, err)
	}
}

// A connection that breaks in an object is made anew, and an object that changes meanwhile is
// not read as one.
func TestConnectionsThatBreak(t *testing.T) {
	ctx := context.Background()
	var breaks atomic.Int32
	etag := "eb62f6b9306db575c2d596b1279627a4" // MD5 of the object, as the fake has it
	b := open(t, "s3://photos", fake(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || breaks.Add(-1) < 0 {
			return false
		}
		w.Header().Set("ETag", `"`+etag+`"`)
		w.Header().Set("Last-Modified", "Fri, 27 Nov 2026 00:00:00 GMT")
		w.Header().Set("Content-Length", "4")
		_, _ = io.WriteString(w, "01")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	must(t, write(b, "a", "0123", false))
	if f, err := b.Open(ctx, "a"); err != nil {
		t.Error(err)
	} else {
		breaks.Store(2)
		if all, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size)); err != nil || string(all) != "0123" {
			t.Errorf("in pieces: %q %v", all, err)
		}
	}
	breaks.Store(2)
	if data, _, err := b.Read(ctx, "a", free); err != nil || string(data) != "0123" {
		t.Errorf("%q %v", data, err)
	}
	etag = "another"
	breaks.Store(1)
	if _, _, err := b.Read(ctx, "a", free); !errors.Is(err, ErrChanged) {
		t.Errorf("another object after the break: %v", err)
	}
	breaks.Store(100)
	if _, _, err := b.Read(ctx, "a", free); !errors.Is(err, ErrStore) {
		t.Errorf("a connection that always breaks: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestObjectsComeBack(t *testing.T) {
	ctx := context.Background()
	env := fake(t, nil)
	all, below := open(t, "s3://photos", env), open(t, "s3://photos/a b", env)
	for name, data := range map[string]string{"a b/x/1.jpg": "one", "a b/y/ü.jpg": "two", "a bc/z.jpg": "three"} {
		if err := write(all, name, data, false); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for o, err := range below.List(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, o.Name)
		data, read, err := below.Read(ctx, o.Name, free)
		if err != nil || int64(len(data)) != o.Size || read.ETag != o.ETag || len(o.ETag) == 0 {
			t.Errorf("%s: %q %+v %v", o.Name, data, read, err)
		}
	}
	if strings.Join(names, "|") != "x/1.jpg|y/ü.jpg" {
		t.Errorf("listed %q", names)
	}
	large := errors.New("too large")
	if _, _, err := below.Read(ctx, "x/1.jpg", func(int64) error { return large }); !errors.Is(err, large) {
		t.Errorf("read past the limit: %v", err)
	}
	if _, _, err := below.Read(ctx, "none", free); !errors.Is(err, ErrMissing) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no object: %v", err)
	}
	for _, err := range open(t, "s3://nobodys", env).List(ctx) {
		if !errors.Is(err, ErrMissing) {
			t.Errorf("of no bucket: %v", err)
		}
	}
}

// A store that is overrun answers in the end; one that denies is not asked again.
func TestStoresThatFail(t *testing.T) {
	ctx := context.Background()
	var failing, asked atomic.Int32
	var status atomic.Int32
	env := fake(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || failing.Load() == 0 {
			return false
		}
		asked.Add(1)
		failing.Add(-1)
		w.WriteHeader(int(status.Load()))
		return true
	})
	b := open(t, "s3://photos", env)
	if err := write(b, "a", "x", false); err != nil {
		t.Fatal(err)
	}
	for _, code := range []int32{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		status.Store(code)
		failing.Store(2)
		if data, _, err := b.Read(ctx, "a", free); err != nil || string(data) != "x" {
			t.Errorf("after %d twice: %q %v", code, data, err)
		}
	}
	status.Store(http.StatusForbidden)
	failing.Store(100)
	asked.Store(0)
	_, _, err := b.Read(ctx, "a", free)
	if !errors.Is(err, ErrDenied) || asked.Load() > 2 {
		t.Errorf("denied: %v, asked %d times", err, asked.Load())
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells the secret: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	none := func(string) string { return "" }
	for _, address := range []string{"s3://", "s3:///x", "photos", "s3://a b", "s3://me@bbb/x", "s3://bbb?x", "s3://bb", "gs://bb"} {
		if _, err := Open(address, none); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, endpoint := range []string{"localhost:9000", "ftp://x", "http://me:secret@x", "http://x/path"} {
		_, err := Open("s3://photos", func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_S3": endpoint}[name] })
		if !errors.Is(err, ErrAddress) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if b := open(t, "s3://bbb/p", none); b.String() != "s3://bbb/p/" {
		t.Error(b)
	}
}
