package worker

import (
	"archive/tar"
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// A tar that is cut off anywhere gives the images before the cut, and an error.
func TestACutTarIsAnError(t *testing.T) {
	var whole bytes.Buffer
	w := tar.NewWriter(&whole)
	for name, size := range map[string]int{"a.jpg": 700, "b.png": 512, "c.txt": 3, strings.Repeat("d", 200) + ".jpg": 1} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(size), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte{7}, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	members := whole.Len()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	read := func(n int) (images int, err error) {
		for _, err := range Tar(iotest.HalfReader(bytes.NewReader(whole.Bytes()[:n])), 1<<20) {
			if err != nil {
				return images, err
			}
			images++
		}
		return images, nil
	}
	for n := range whole.Len() + 1 {
		images, err := read(n)
		if n < members+tarBlock {
			if !errors.Is(err, ErrInput) {
				t.Fatalf("cut off at %d of %d: %d images, %v", n, members, images, err)
			}
		} else if images != 3 || err != nil && n >= members+2*tarBlock {
			t.Errorf("cut off at %d: %d images, %v", n, images, err)
		}
	}
	for img, err := range Tar(bytes.NewReader(whole.Bytes()), 600) {
		if err != nil || (img.Err != nil) != (img.Name == "a.jpg") {
			t.Errorf("%s: %v %v", img.Name, img.Err, err)
		}
	}
}

func TestLinesThatNameNoFileOfThisMachine(t *testing.T) {
	known := map[string]bool{"a b.jpg": true, "/x/ y.jpg": true, "last.png": true}
	read := Open(10)
	open := func(path string) ([]byte, error) {
		if known[path] {
			return []byte(path), nil
		}
		return read(path)
	}
	var names, images []string
	for img, err := range Lines(strings.NewReader("a b.jpg\r\nfile:///x/%20y.jpg\nfile://other/z.jpg\nhttp://h/a.jpg\nfile://%zz\n\nlast.png"), open, 3) {
		if err != nil {
			t.Fatal(err)
		}
		if names = append(names, img.Name); img.Err == nil {
			images = append(images, string(img.Bytes))
		}
	}
	if len(names) != 6 || names[3] != "http://h/a.jpg" || strings.Join(images, "|") != "a b.jpg|/x/ y.jpg|last.png" {
		t.Errorf("of %q there are %q", names, images)
	}
	// Images come in order, however long each takes, and no more are read at a time than asked for.
	var now, most atomic.Int32
	slow := func(path string) ([]byte, error) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		time.Sleep(time.Duration(path[0]%3) * 5 * time.Millisecond)
		return []byte(path), nil
	}
	got := ""
	for img, err := range Lines(strings.NewReader("a\nb\nc\nd\ne\nf\ng\nh\n"), slow, 4) {
		if err != nil {
			t.Fatal(err)
		}
		got += string(img.Bytes)
	}
	if got != "abcdefgh" || most.Load() < 2 || most.Load() > 4 {
		t.Errorf("%q, %d at a time", got, most.Load())
	}
	for range Lines(strings.NewReader("a\nb\nc\nd\n"), slow, 2) {
		break
	}
	long := strings.Repeat("x", maxLine+1)
	for _, err := range Lines(strings.NewReader(long), open, 1) {
		if !errors.Is(err, ErrInput) {
			t.Errorf("a line of %d bytes: %v", len(long), err)
		}
	}
}
