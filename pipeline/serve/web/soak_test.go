package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icebox/pipeline/serve"
)

// soakFor is how long the server is tormented: ICEBOX_SOAK, or some seconds.
func soakFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("ICEBOX_SOAK")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("ICEBOX_SOAK: %v", err)
	}
	return d
}

// torment is what clients do to a server, and what they found.
type torment struct {
	t       *testing.T
	address string // host and port
	client  *http.Client
	caller  *http.Client      // of gRPC
	images  map[string][]byte // by their label

	right, refused, aborted atomic.Int64
}

// ask sends an image and compares the answer.
func (s *torment) ask(rng *rand.Rand, ctx context.Context) {
	label := []string{"red", "green", "<blue>"}[rng.IntN(3)]
	client, path, body, kind := s.client, "/", s.images[label], "image/png"
	switch rng.IntN(4) {
	case 1:
		path = "/predictions/paint"
	case 2:
		path, kind = "/v1/models/paint:predict", asJSON
		body = []byte(`{"instances":[{"b64":"` + b64(body) + `"}]}`)
	case 3:
		client, path, kind = s.caller, service+"ModelInfer", "application/grpc"
		body = frame(0, requestOf(oneImage(), inner(7, counted(body)), inner(6, text(1, "label"))))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+path, bytes.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	r.Header.Set("Content-Type", kind)
	answer, err := client.Do(r)
	if err == nil {
		var text []byte
		text, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		switch {
		case err == nil && client == s.caller:
			s.judgeCall(answer.Trailer.Get("Grpc-Status"), string(text), label)
		case err == nil:
			s.judge(answer.StatusCode, string(text), label)
		}
	}
	if err != nil {
		if ctx.Err() == nil {
			s.t.Errorf("%s: %v", path, err)
		}
		s.aborted.Add(1)
	}
}

// judge compares an answer: the first class that it names must be the one of the image.
func (s *torment) judge(status int, text, label string) {
	quoted, err := json.Marshal(label)
	if err != nil {
		s.t.Error(err)
	}
	first := len(text)
	for _, class := range []string{"red", "green", `\u003cblue\u003e`} {
		if at := strings.Index(text, `"`+class+`"`); at >= 0 {
			first = min(first, at)
		}
	}
	switch {
	case status == http.StatusServiceUnavailable:
		s.refused.Add(1)
	case status == http.StatusOK && strings.HasPrefix(text[first:], string(quoted)):
		s.right.Add(1)
	default:
		s.t.Errorf("an image of %s: %d %s", label, status, text)
	}
}

// judgeCall compares the answer of a call.
func (s *torment) judgeCall(code, text, label string) {
	switch {
	case code == "14":
		s.refused.Add(1)
	case code == "0" && strings.HasSuffix(text, label):
		s.right.Add(1)
	default:
		s.t.Errorf("an image of %s: code %s, %q", label, code, text)
	}
}

// harm sends what no client should.
func (s *torment) harm(rng *rand.Rand) {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	body := s.images["red"]
	switch rng.IntN(4) {
	case 0: // it promises more than it sends
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body)+100, body)
	case 1: // it sends a byte now and then, and goes
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(body))
		for i := range 5 {
			if _, err := c.Write(body[i : i+1]); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	case 2: // it speaks no HTTP
		_, _ = c.Write(body)
	case 3: // it asks and does not listen
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

// Under load, with clients that give up, are slow or broken, each answer is right, and nothing
// is left behind.
func TestSoak(t *testing.T) {
	b := backboneOf(t, colours{}, serve.BackboneOptions{Queue: 32})
	shelf := shelfOf(t, painter(b))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, New(shelf, Options{Timeout: 5 * time.Second})) }()
	s := &torment{t: t, address: l.Addr().String(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}, caller: caller(t), images: map[string][]byte{}}
	for label, c := range map[string]color.NRGBA{"red": red, "green": green, "<blue>": blue} {
		s.images[label] = painted(t, c)
	}
	s.ask(rand.New(rand.NewPCG(0, 0)), ctx)
	goroutines, memory := left(s)
	until := time.Now().Add(soakFor(t))
	var all sync.WaitGroup
	for n := range 24 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(n)))
			for time.Now().Before(until) {
				switch rng.IntN(20) {
				case 0:
					s.harm(rng)
				case 1: // it gives up soon
					ctx, giveUp := context.WithTimeout(ctx, time.Duration(rng.IntN(4000))*time.Microsecond)
					s.ask(rng, ctx)
					giveUp()
				default:
					s.ask(rng, ctx)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d right answers, %d refused, %d given up", s.right.Load(), s.refused.Load(), s.aborted.Load())
	if s.right.Load() < 100 || s.aborted.Load() == 0 {
		t.Error("the server was hardly tormented")
	}
	for deadline := time.Now().Add(20 * time.Second); b.Waiting() > 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		now, bytes := left(s)
		if now <= goroutines+3 && bytes <= memory+32<<20 {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%d goroutines and %d MB where there were %d and %d", now, bytes>>20, goroutines, memory>>20)
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// left counts goroutines, and bytes in use.
func left(s *torment) (goroutines int, memory uint64) {
	s.client.CloseIdleConnections()
	s.caller.CloseIdleConnections()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}
