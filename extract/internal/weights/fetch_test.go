package weights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, "w-"+payloadHash()+".pth.part"), payload, 0o600); err != nil {
		t.Fatal(err)
	}
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
