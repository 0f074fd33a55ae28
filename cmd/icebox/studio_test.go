package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
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
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	out, in := io.Pipe()
	var errOut bytes.Buffer
	p := &process{
		environ: []string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, dir: dir, stdin: strings.NewReader(""), stdout: in, stderr: &errOut,
		interrupts: func(context.Context) (context.Context, context.CancelFunc) { return ctx, interrupt },
	}
	ended := make(chan int, 1)
	go func() {
		ended <- p.main([]string{"studio", "--no-browser", "--cache", "f.db"})
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: exit %d: %s", err, <-ended, errOut.String())
	}
	address := strings.TrimSpace(line)
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatalf("it is at %s", address)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	r, err := client.Get(address)
	must(t, err)
	body, err := io.ReadAll(r.Body)
	must(t, err)
	must(t, r.Body.Close())
	if r.StatusCode != http.StatusOK || !strings.Contains(string(body), "12 images") {
		t.Errorf("%s: %.400s", r.Status, body)
	}
	interrupt()
	if code := <-ended; code != exitOK || !strings.Contains(errOut.String(), "corrections go to corrections.csv") {
		t.Errorf("exit %d: %s", code, errOut.String())
	}
}
