package pipeline

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/worker"
)

type workedRow struct {
	Path, SHA256, Error string
	Feature             []float32
}

// work pipes in through a worker.
func work(t *testing.T, o Options, in io.Reader, tar bool) (rows []workedRow, err error) {
	t.Helper()
	var out bytes.Buffer
	c, err := Work(context.Background(), o, WorkOptions{Tar: tar, Format: worker.JSONL}, in, &out, Silent)
	for line := range strings.Lines(out.String()) {
		var r workedRow
		must(t, json.Unmarshal([]byte(line), &r))
		rows = append(rows, r)
	}
	if c.Images != len(rows) {
		t.Errorf("%d images are counted, and %d written", c.Images, len(rows))
	}
	return rows, err
}

// A worker's features are those of an extraction, bit by bit, whichever way the images come.
func TestAWorkerComputesWhatAnExtractionDoes(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it passes the gate, which takes minutes under the race detector")
	}
	startStore(t)
	o := settings(photos(t, 2, 5))
	_, err := Extract(context.Background(), o, Silent)
	must(t, err)
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	files, err := filepath.Glob(filepath.Join(o.Data.Train, "*", "*"))
	must(t, err)
	var lines strings.Builder
	var archive bytes.Buffer
	tw := tar.NewWriter(&archive)
	add := func(name string, data []byte) {
		must(t, tw.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, Typeflag: tar.TypeReg}))
		_, err := tw.Write(data)
		must(t, err)
	}
	for n, f := range files {
		data, err := os.ReadFile(f)
		must(t, err)
		add(filepath.Base(f), data)
		if n%2 == 0 {
			f = "file://" + filepath.ToSlash(f)
		}
		lines.WriteString(f + "\n")
	}
	add("bad.jpg", []byte("no picture"))
	add("key.cls", []byte("3"))
	must(t, tw.Close())
	lines.WriteString("\nnone.jpg\r\ns3://photos/none.jpg\n")

	check := func(way string, rows []workedRow, err error, bad int) {
		t.Helper()
		must(t, err)
		if len(rows) != len(files)+bad {
			t.Fatalf("%s: %d rows", way, len(rows))
		}
		for n, r := range rows {
			if n >= len(files) {
				if r.Error == "" || r.Feature != nil {
					t.Errorf("%s: %+v", way, r)
				}
				continue
			}
			key, err := hex.DecodeString(r.SHA256)
			must(t, err)
			want := make([]float32, extract.Dim)
			missing, err := c.Lookup(c.Spaces()[0].ID, []cache.Key{cache.Key(key)}, want)
			if err != nil || len(missing) > 0 || !slices.Equal(want, r.Feature) || filepath.Base(r.Path) != filepath.Base(files[n]) {
				t.Errorf("%s: row %d of %s differs: %v %v", way, n, r.Path, missing, err)
			}
		}
	}
	rows, err := work(t, o, strings.NewReader(lines.String()), false)
	check("lines", rows, err, 2)
	rows, err = work(t, o, bytes.NewReader(archive.Bytes()), true)
	check("tar", rows, err, 1)
}

// Who sends one image and waits for its row gets it before the next is sent.
func TestAWorkerAnswersAtOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it passes the gate, which takes minutes under the race detector")
	}
	o := settings(photos(t, 1, 3))
	files, err := filepath.Glob(filepath.Join(o.Data.Train, "*", "*"))
	must(t, err)
	inRead, in := io.Pipe()
	out, outWrite := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := Work(context.Background(), o, WorkOptions{Format: worker.JSONL}, inRead, outWrite, Silent)
		done <- errors.Join(err, outWrite.Close())
	}()
	answers := bufio.NewReader(out)
	for _, f := range files {
		_, err := io.WriteString(in, f+"\n")
		must(t, err)
		line, err := answers.ReadString('\n')
		must(t, err)
		data, err := os.ReadFile(f)
		must(t, err)
		sum := sha256.Sum256(data)
		if !strings.Contains(line, hex.EncodeToString(sum[:])) {
			t.Errorf("%.100s", line)
		}
	}
	must(t, in.Close())
	must(t, <-done)
}
