package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExtractTakesUnlabelledImages(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, dir, "flat/"+string(rune('0'+i))+".png", pngOf(t, 0, i))
	}
	sum := icebox(t, dir, "extract", "--data", "flat", "--weights", "random", "--json").lastJSON(t)
	if sum["images"] != 3.0 || sum["misses"] != 3.0 || sum["run_dir"] != nil {
		t.Errorf("%v", sum)
	}
	export := icebox(t, dir, "cache", "export", "--out", "out", "--json").lastJSON(t)
	if export["rows"] != 3.0 {
		t.Errorf("%v", export)
	}
	labels, err := os.ReadFile(filepath.Join(dir, "out", "labels.npy"))
	must(t, err)
	if !bytes.HasSuffix(labels, bytes.Repeat([]byte{0xff}, 24)) {
		t.Errorf("labels are not -1: %x", labels)
	}
	index, err := os.ReadFile(filepath.Join(dir, "out", "index.csv"))
	must(t, err)
	if !strings.HasPrefix(string(index), "row,path,label,split,sha256\n0,0.png,,train,") {
		t.Errorf("index.csv: %s", index)
	}
	if r := icebox(t, dir, "train"); r.code != exitData || !strings.Contains(r.errOut, "no labels") {
		t.Errorf("training on unlabelled images: exit %d, %s", r.code, r.errOut)
	}
}

func TestDryRunSaysWhatWouldBeDone(t *testing.T) {
	dir := folder(t, 2, 3)
	r := icebox(t, dir, "run", "--dry-run", "--data", "photos", "--weights", "random", "--cache", "f.db")
	for _, want := range []string{"dataset    photos: 6 images, 2 classes (train 0, val 0, test 0, to be split 6)", "0 in the cache; 6 images (", "images/s", "nothing was written"} {
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("exit %d, no %q in %s%s", r.code, want, r.out, r.errOut)
		}
	}
	if isFile(filepath.Join(dir, "f.db")) {
		t.Error("a cache was written")
	}
	if got := icebox(t, dir, "extract", "--dry-run", "--json", "--data", "photos", "--weights", "random", "--cache", "f.db").lastJSON(t); got["to_extract"] != 6.0 {
		t.Errorf("%v", got)
	}
}

func TestSummariesHaveASingular(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "flat/a.png", pngOf(t, 0, 0))
	r := icebox(t, dir, "extract", "--data", "flat", "--weights", "random", "--cache", "f.db")
	if r.code != 0 || !strings.Contains(r.out, "features   1 image: 0 from the cache, 1 computed; 1 image opened, ") || !strings.Contains(r.out, "cache      f.db\n") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "cache", "stat", "--cache", "f.db"); !strings.Contains(r.out, "1 row of 512 float32 in 1 block") {
		t.Errorf("%s", r.out)
	}
	if r := icebox(t, dir, "extract", "--quiet", "--data", "flat", "--weights", "random", "--cache", "f.db"); r.code != 0 || r.out+r.errOut != "" {
		t.Errorf("--quiet says %s%s", r.out, r.errOut)
	}
}

func TestKnownBadImagesAreTold(t *testing.T) {
	dir := folder(t, 2, 3)
	write(t, dir, "photos/a/bad.png", []byte("no picture"))
	args := []string{"extract", "--data", "photos", "--weights", "random", "--cache", "f.db"}
	if r := icebox(t, dir, args...); !strings.Contains(r.out, "bad        1 image quarantined, the first: a/bad.png: ") {
		t.Errorf("%s%s", r.out, r.errOut)
	}
	if r := icebox(t, dir, args...); !strings.Contains(r.out, "1 of them known from before and not tried again; extract.retry_failed=true does that") {
		t.Errorf("%s%s", r.out, r.errOut)
	}
}
