package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Stores of others, which the environment names as programs: what is written to one is listed
// and read back, by other names than the client's own.
func TestStoresOfOthers(t *testing.T) {
	for _, c := range []struct {
		variable, address string
		args              func(port string) []string
		make              string // path of the bucket
		body              string
		env               func(host string) map[string]string
		conditions        bool // it knows that an object is to be absent
	}{
		{
			"ICEBOX_FAKE_GCS", "gs://photos/a b", func(port string) []string {
				return []string{"-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-public-host", "127.0.0.1:" + port}
			}, "/storage/v1/b?project=p", `{"name":"photos"}`, func(host string) map[string]string {
				return map[string]string{"STORAGE_EMULATOR_HOST": signing(t, host)}
			}, false,
		},
	} {
		t.Run(c.address, func(t *testing.T) {
			program := os.Getenv(c.variable)
			if program == "" {
				t.Skipf("skipped: %s names no program", c.variable)
			}
			host := started(t, program, c.args)
			r, err := http.Post("http://"+host+c.make, "application/json", strings.NewReader(c.body))
			must(t, err)
			r.Body.Close()
			vars := c.env(host)
			tryStore(t, open(t, c.address, func(name string) string { return vars[name] }), c.conditions)
		})
	}
}

// signing stands before an emulator of Google's that takes what is put to signed addresses alone.
func signing(t *testing.T, host string) string {
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			r.URL.RawQuery = "X-Goog-Algorithm=GOOG4-RSA-SHA256"
		}
		r.Host = host
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// started starts a server that ends with the test.
func started(t *testing.T, program string, args func(port string) []string) (host string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	host = l.Addr().String()
	l.Close()
	_, port, err := net.SplitHostPort(host)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), program, args(port)...)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Dir = &log, &log, t.TempDir()
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for range 300 {
		if c, err := net.Dial("tcp", host); err == nil {
			c.Close()
			return host
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", program)
	return ""
}

// tryStore does with a bucket all that icebox does.
func tryStore(t *testing.T, b *Bucket, conditions bool) {
	t.Helper()
	ctx := context.Background()
	large := strings.Repeat("0123456789", 2_000_000)
	want := map[string]string{"x/1.jpg": "one", "y/ü +%.jpg": "two", "empty": "", "large": large}
	for name, data := range want {
		if err := write(b, name, data, true); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if conditions && !errors.Is(write(b, "x/1.jpg", "another", true), ErrThere) {
		t.Error("of two that want to be the first, both are")
	}
	var names []string
	for o, err := range b.List(ctx) {
		must(t, err)
		names = append(names, o.Name)
		data, read, err := b.Read(ctx, o.Name, free)
		if err != nil || string(data) != want[o.Name] || read.ETag != o.ETag || read.Size != o.Size || o.ETag == "" || o.MTime.IsZero() {
			t.Errorf("%s: %d bytes, %+v beside %+v: %v", o.Name, len(data), read, o, err)
		}
	}
	if got := strings.Join(names, "|"); got != "empty|large|x/1.jpg|y/ü +%.jpg" {
		t.Errorf("listed %q", got)
	}
	f, err := b.Open(ctx, "large")
	must(t, err)
	p := make([]byte, 15)
	if n, err := f.ReadAt(p, 9_999_995); err != nil || string(p[:n]) != large[5:20] {
		t.Errorf("a piece: %q %v", p[:n], err)
	}
	must(t, write(b, "large", large+"!", false))
	if _, err := f.ReadAt(p, 0); !errors.Is(err, ErrChanged) {
		t.Errorf("a piece of an object that has changed: %v", err)
	}
	if _, err := b.Open(ctx, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no object: %v", err)
	}
	for i := range 1100 { // more than a page
		if err := write(b, fmt.Sprintf("many/%04d", i), "x", false); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range b.List(ctx) {
		must(t, err)
		n++
	}
	if n != 1104 {
		t.Errorf("%d objects", n)
	}
}
