package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/extract"
)

// result is what a command left behind.
type result struct {
	code        int
	out, errOut string
}

// icebox runs the whole program in dir, in this process, without the environment and
// without the network.
func icebox(t testing.TB, dir string, args ...string) result {
	t.Helper()
	return iceboxEnv(t, dir, nil, args...)
}

func iceboxEnv(t testing.TB, dir string, environ []string, args ...string) result {
	t.Helper()
	return iceboxFetching(t, dir, extract.FetchOptions{}, environ, args...)
}

// iceboxFetching runs it with another server than torchvision's, which it asks where
// environ takes ICEBOX_OFFLINE back.
func iceboxFetching(t testing.TB, dir string, official extract.FetchOptions, environ []string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	p := &process{
		official: official,
		environ:  append([]string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, environ...), dir: dir,
		stdin: strings.NewReader(""), stdout: &out, stderr: &errOut,
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}
	code := p.main(args)
	return result{code, out.String(), errOut.String()}
}

// lastJSON decodes the last line of stdout.
func (r result) lastJSON(t testing.TB) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimRight(r.out, "\n"), "\n")
	var m map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		t.Fatalf("exit %d: the last line of stdout is no JSON object: %v\nstdout: %s\nstderr: %s", r.code, err, r.out, r.errOut)
	}
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write puts a file below dir.
func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
	return path
}

// pngOf is a small picture in a colour of its own.
func pngOf(t testing.TB, class, index int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(class), uint64(index)))
	img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		v := [3]uint8{uint8(rng.IntN(50)), uint8(rng.IntN(50)), uint8(rng.IntN(50))}
		v[class%3] += 200
		img.SetNRGBA(i%32, i/32, color.NRGBA{v[0], v[1], v[2], 255})
	}
	var buf bytes.Buffer
	must(t, png.Encode(&buf, img))
	return buf.Bytes()
}

// folder makes a new folder with photos/<class>/… in it.
func folder(t testing.TB, classes, n int) string {
	t.Helper()
	dir := t.TempDir()
	for c := range classes {
		for i := range n {
			write(t, dir, filepath.Join("photos", string(rune('a'+c)), string(rune('0'+i))+".png"), pngOf(t, c, i))
		}
	}
	time.Sleep(50 * time.Millisecond) // so that the cache trusts the times
	return dir
}
