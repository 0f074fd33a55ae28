package worker

import (
	"archive/tar"
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
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
	var got []string
	open := func(path string) ([]byte, error) { got = append(got, path); return nil, nil }
	bad := 0
	for img, err := range Lines(strings.NewReader("a b.jpg\r\nfile:///x/%20y.jpg\nfile://other/z.jpg\nhttp://h/a.jpg\nfile://%zz\n\nlast.png"), open) {
		if err != nil {
			t.Fatal(err)
		}
		if img.Err != nil {
			bad++
		}
	}
	if strings.Join(got, "|") != "a b.jpg|/x/ y.jpg|last.png" || bad != 3 {
		t.Errorf("opened %q, %d bad", got, bad)
	}
	long := strings.Repeat("x", maxLine+1)
	for _, err := range Lines(strings.NewReader(long), open) {
		if !errors.Is(err, ErrInput) {
			t.Errorf("a line of %d bytes: %v", len(long), err)
		}
	}
}
