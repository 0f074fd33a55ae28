package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// remote serves one file, some bytes of it at a time.
type remote struct {
	data   []byte
	ranges bool                // the server knows Range
	stop   int                 // break off after so many bytes of a body; 0 for never
	ask    func(*http.Request) // sees every request
}

func (r *remote) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if r.ask != nil {
		r.ask(q)
	}
	body, from := r.data, 0
	if n, _ := fmt.Sscanf(q.Header.Get("Range"), "bytes=%d-", &from); r.ranges && n == 1 {
		if from >= len(r.data) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		body = r.data[from:]
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(r.data)-1, len(r.data)))
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(http.StatusPartialContent)
	} else {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	}
	if r.stop > 0 && r.stop < len(body) {
		w.Write(body[:r.stop])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

var payload = bytes.Repeat([]byte("frozen weights, "), 20_000)

func payloadHash() string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:8])
}

func serve(t *testing.T, r http.Handler) FetchOptions {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return FetchOptions{URL: server.URL + "/models/w-" + payloadHash() + ".pth?x=1", Dir: filepath.Join(t.TempDir(), "new"), Client: server.Client()}
}

func wantFetched(t *testing.T, o FetchOptions) {
	t.Helper()
	path, err := Fetch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(data, payload) || path != filepath.Join(o.Dir, "w-"+payloadHash()+".pth") {
		t.Fatalf("%s: %d bytes, %v", path, len(data), err)
	}
	wantFiles(t, o.Dir, filepath.Base(path))
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("files are %v, want %v", got, want)
	}
}

func TestFetchDownloadsOnceAndTellsProgress(t *testing.T) {
	requests := 0
	o := serve(t, &remote{data: payload, ranges: true, ask: func(*http.Request) { requests++ }})
	var last, total int64
	o.Progress = func(done, all int64) {
		if done < last {
			t.Errorf("progress went back from %d to %d", last, done)
		}
		last, total = done, all
	}
	wantFetched(t, o)
	if last != int64(len(payload)) || total != last {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	wantFetched(t, o)
	if requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
}

func TestFetchReplacesADamagedFile(t *testing.T) {
	o := serve(t, &remote{data: payload})
	wantFetched(t, o)
	path := filepath.Join(o.Dir, "w-"+payloadHash()+".pth")
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFetched(t, o)
}

func TestFetchResumes(t *testing.T) {
	for name, ranges := range map[string]bool{"server knows ranges": true, "server sends all again": false} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			r := &remote{data: payload, ranges: ranges, stop: 100_000, ask: func(q *http.Request) { asked = append(asked, q.Header.Get("Range")) }}
			o := serve(t, r)
			_, err := Fetch(t.Context(), o)
			if !errors.Is(err, ErrDownload) || !errors.Is(err, ErrBroken) || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "100000 bytes") {
				t.Fatalf("got %v, want a download that can be resumed", err)
			}
			part := filepath.Join(o.Dir, "w-"+payloadHash()+".pth.part")
			info, err := os.Stat(part)
			if err != nil || info.Size() != 100_000 {
				t.Fatalf("part: %v, %v", info, err)
			}
			r.stop = 0
			wantFetched(t, o)
			if len(asked) != 2 || asked[0] != "" || asked[1] != "bytes=100000-" {
				t.Errorf("ranges asked for: %q", asked)
			}
		})
	}
}

func TestFetchFinishesAWholePart(t *testing.T) {
	o := serve(t, &remote{data: payload, ranges: true})
	remnant(t, o, "w-"+payloadHash()+".pth.part", payload, 0)
	wantFetched(t, o)
}

func TestFetchRemovesWhatHasTheWrongHash(t *testing.T) {
	o := serve(t, &remote{data: append([]byte("x"), payload...), ranges: true})
	_, err := Fetch(t.Context(), o)
	if !errors.Is(err, ErrChecksum) || !strings.Contains(err.Error(), payloadHash()[:12]) || !strings.Contains(err.Error(), "removed") {
		t.Fatalf("got %v, want ErrChecksum", err)
	}
	wantFiles(t, o.Dir)
}

func TestFetchRefusesOtherAnswers(t *testing.T) {
	for words, handler := range map[string]http.HandlerFunc{
		"404": http.NotFound,
		"wrong range": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
		},
	} {
		o := serve(t, handler)
		if _, err := Fetch(t.Context(), o); !errors.Is(err, ErrDownload) || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want ErrDownload with %q", err, words)
		} else if errors.Is(err, ErrRange) != (words == "wrong range") {
			t.Errorf("%q: got %v", words, err)
		}
	}
}

func TestFetchStopsWhenCancelledOrStalled(t *testing.T) {
	stall := func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(payload)))
		w.Write(payload[:1000])
		w.(http.Flusher).Flush()
		<-q.Context().Done()
	}
	t.Run("cancelled", func(t *testing.T) {
		o := serve(t, http.HandlerFunc(stall))
		ctx, cancel := context.WithCancel(t.Context())
		o.Progress = func(done, _ int64) {
			if done == 1000 {
				cancel()
			}
		}
		_, err := Fetch(ctx, o)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrDownload) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		wantFiles(t, o.Dir, "w-"+payloadHash()+".pth.part")
	})
	t.Run("stalled", func(t *testing.T) {
		o := serve(t, http.HandlerFunc(stall))
		o.idle = 50 * time.Millisecond
		if _, err := Fetch(t.Context(), o); !errors.Is(err, errStalled) {
			t.Errorf("got %v, want errStalled", err)
		}
	})
}

func TestFetchOptionsReportEveryFault(t *testing.T) {
	err := FetchOptions{URL: "ftp://x/y", SHA256Prefix: "xyz"}.Validate()
	if err == nil || !strings.Contains(err.Error(), "ftp://x/y") || !strings.Contains(err.Error(), `"xyz"`) {
		t.Errorf("got %v, want both faults", err)
	}
	for _, url := range []string{"http://x/", "http://x/..", "http://x/a.pth", "://"} {
		if err := (FetchOptions{URL: url}).Validate(); err == nil {
			t.Errorf("%s is accepted", url)
		}
	}
	if err := (FetchOptions{}).Validate(); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
	if o := (FetchOptions{}).withDefaults(); o.URL != OfficialURL || o.SHA256Prefix != OfficialSHA256 {
		t.Errorf("defaults are %q, %q", o.URL, o.SHA256Prefix)
	}
}

// slowBody gives one byte after each pause.
type slowBody struct {
	ctx   context.Context
	data  []byte
	pause time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(b.pause):
	}
	p[0] = b.data[0]
	b.data = b.data[1:]
	return 1, nil
}

func (b *slowBody) Close() error { return nil }

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// The time limit is on silence, not on the whole download. (The clock is faked.)
func TestFetchWaitsForASlowServer(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		data := []byte("slow and steady")
		sum := sha256.Sum256(data)
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			body := &slowBody{r.Context(), data, 50 * time.Second}
			return &http.Response{StatusCode: http.StatusOK, Body: body, ContentLength: int64(len(data)), Request: r}, nil
		})}
		o := FetchOptions{URL: "http://slow/w.pth", Dir: dir, SHA256Prefix: hex.EncodeToString(sum[:]), Client: client}
		if _, err := Fetch(t.Context(), o); err != nil {
			t.Error(err)
		}
	})
}

// remnant puts a file into a folder to be made, as a download of some time ago left it.
func remnant(t *testing.T, o FetchOptions, name string, data []byte, age time.Duration) {
	t.Helper()
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path, then := filepath.Join(o.Dir, name), time.Now().Add(-age)
	if err := errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, then, then)); err != nil {
		t.Fatal(err)
	}
}

// Of two downloads at once neither sees the other's bytes, and one file is left.
func TestFetchTwiceAtOnce(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	o := serve(t, &remote{data: payload, ranges: true, ask: func(*http.Request) { both.Done(); both.Wait() }})
	remnant(t, o, "w-"+payloadHash()+".pth.part", payload[:5000], 0)
	errs := make(chan error)
	for range 2 {
		go func() { _, err := Fetch(t.Context(), o); errs <- err }()
	}
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Fatal(err)
	}
	wantFetched(t, o)
}

// A whole file that cannot be put in its place waits for the next download, unless another
// process has put the right one there.
func TestFetchKeepsWhatHasNoPlace(t *testing.T) {
	name := "w-" + payloadHash() + ".pth"
	o := serve(t, &remote{}).withDefaults()
	d := newDownload(o)
	d.mine = filepath.Join(o.Dir, "mine")
	remnant(t, o, "mine", payload, 0)
	if err := os.MkdirAll(filepath.Join(d.path, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.keep(); err == nil {
		t.Error("a folder was replaced")
	}
	wantFiles(t, o.Dir, name, name+".part")

	o = serve(t, &remote{}).withDefaults()
	d = newDownload(o)
	d.mine = filepath.Join(o.Dir, "mine")
	remnant(t, o, name, payload, 0)
	if err := os.Mkdir(d.mine, 0o755); err != nil { // which takes no file's place, as a file in use has none taken
		t.Fatal(err)
	}
	if err := d.keep(); err != nil {
		t.Error(err)
	}
	wantFiles(t, o.Dir, name)
}

// The file of a process that was killed is taken over when nobody can be writing to it.
func TestFetchTakesOverWhatAKilledOneLeft(t *testing.T) {
	for _, age := range []time.Duration{0, 2 * abandoned} {
		asked := ""
		o := serve(t, &remote{data: payload, ranges: true, ask: func(q *http.Request) { asked = q.Header.Get("Range") }})
		remnant(t, o, "w-"+payloadHash()+".pth.part-1234", payload[:7000], age)
		path, err := Fetch(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if age == 0 && asked != "" || age > 0 && asked != "bytes=7000-" {
			t.Errorf("after %v the range asked for is %q", age, asked)
		}
		if age > 0 {
			wantFiles(t, o.Dir, filepath.Base(path))
		}
	}
}

// The digest of the official file is checked in full, wherever the file comes from.
func TestFetchPinsTheOfficialFile(t *testing.T) {
	for _, url := range []string{"", "https://mirror/of/" + officialName, "https://mirror/" + officialName + "?x=1"} {
		if got := (FetchOptions{URL: url}).withDefaults().SHA256Prefix; got != OfficialSHA256 || len(got) != 64 {
			t.Errorf("%q has the digest %s", url, got)
		}
	}
	o := serve(t, &remote{data: payload})
	o.URL = strings.Replace(o.URL, "w-"+payloadHash()+".pth", officialName, 1)
	if _, err := Fetch(t.Context(), o); !errors.Is(err, ErrChecksum) {
		t.Errorf("other bytes pass for the official file: %v", err)
	}
	wantFiles(t, o.Dir)
}

func TestFetchSaysThatThereIsNoNetwork(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // which accepts nothing: a handshake gets no answer
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, url := range []string{"https://" + silent.Addr().String(), "http://" + closed.Addr().String()} {
		o := FetchOptions{URL: url + "/w-01234567.pth", Dir: t.TempDir(), Connect: 100 * time.Millisecond}
		start := time.Now()
		_, err := Fetch(t.Context(), o)
		if !errors.Is(err, ErrNoNetwork) || errors.Is(err, context.Canceled) || strings.Count(err.Error(), url) != 1 {
			t.Errorf("%s: got %v, want ErrNoNetwork", url, err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("%s: it took %v", url, took)
		}
		wantFiles(t, o.Dir)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	o := FetchOptions{URL: "https://" + silent.Addr().String() + "/w-01234567.pth", Dir: t.TempDir()}
	if _, err := Fetch(ctx, o); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNoNetwork) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestPlaceIsTheHubIfThereIsOne(t *testing.T) {
	root := t.TempDir()
	env := map[string]string{"HOME": root, "XDG_CACHE_HOME": root}
	place := func() string {
		rel, err := filepath.Rel(root, Place(func(k string) string { return env[k] }))
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(rel)
	}
	if got := place(); got != "icebox/weights" {
		t.Errorf("without PyTorch: %s", got)
	}
	if err := os.Mkdir(filepath.Join(root, "torch"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := place(); got != "torch/hub/checkpoints" {
		t.Errorf("with PyTorch's folder: %s", got)
	}
	own := filepath.Join(root, "icebox", "weights", officialName)
	if err := errors.Join(os.MkdirAll(filepath.Dir(own), 0o755), os.WriteFile(own, []byte("damaged"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := place(); got != "icebox/weights" {
		t.Errorf("with a file that is found before PyTorch's: %s", got)
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	env["TORCH_HOME"] = filepath.Join(root, "elsewhere")
	if got := place(); got != "elsewhere/hub/checkpoints" {
		t.Errorf("with TORCH_HOME: %s", got)
	}
	if err := os.WriteFile(env["TORCH_HOME"], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := place(); got != "icebox/weights" {
		t.Errorf("with a hub that cannot be written to: %s", got)
	}
	if path := (FetchOptions{Env: func(k string) string { return env[k] }}).Target(); path != filepath.Join(root, "icebox", "weights", officialName) {
		t.Errorf("the file goes to %s", path)
	}
}
