package main

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/extract"
)

// seesMap fails unless the file at path is a picture of a crop and a map beside it.
func seesMap(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	img, err := jpeg.Decode(bytes.NewReader(data))
	must(t, err)
	if b := img.Bounds(); b.Dx() != 2*extract.Side || b.Dy() != extract.Side {
		t.Errorf("%s: %v", path, b)
	}
}

func TestAnswersAreExplained(t *testing.T) {
	dir := trainedIn(t)
	write(t, dir, "pool/deep/1.png", pngOf(t, 0, 40))
	write(t, dir, "pool/2.png", pngOf(t, 1, 41))
	write(t, dir, "bad.jpg", []byte("no picture"))

	// A few named files, by the quicker plan.
	r := icebox(t, dir, "predict", "--run", "latest", "--explain", "why", "--json", "pool/2.png", "pool/../pool/2.png", "bad.jpg", filepath.Join(dir, "pool", "2.png"))
	if r.code != exitData || !strings.Contains(r.errOut, "3 maps of evidence in why") {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	for _, name := range []string{"pool/2.png", "pool/2.png-2", "2.png"} {
		seesMap(t, filepath.Join(dir, "why", name+".evidence.jpg"))
	}
	if !strings.Contains(r.out, `"against":"a"`) || !strings.Contains(r.out, "2.png-2.evidence.jpg") {
		t.Errorf("%s", r.out)
	}

	// A folder, through the cache; nothing is written over.
	r = icebox(t, dir, "predict", "--run", "latest", "--explain", "why", "pool")
	if r.code != exitUsage || !strings.Contains(r.errOut, "in the folder") || !strings.Contains(r.errOut, "--overwrite") {
		t.Errorf("over files: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	r = icebox(t, dir, "predict", "--run", "latest", "--explain", "all", "-o", "a.csv", "pool")
	rows := readCSV(t, filepath.Join(dir, "a.csv"))
	if r.code != 0 || len(rows) != 2 || rows[0]["against"] != "a" || rows[1]["against"] != "b" {
		t.Fatalf("exit %d: %v %s%s", r.code, rows, r.out, r.errOut)
	}
	for _, row := range rows {
		seesMap(t, row["evidence"])
	}
}

func TestHeadsWithoutMapsSaySo(t *testing.T) {
	dir := folder(t, 2, 6)
	r := icebox(t, dir, "run", "-q", "--data", "photos", "--weights", "random:1", "data.split.val=0.4", "head.kind=mlp", "head.hidden=4", "head.engine=gorgonia")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	for _, args := range [][]string{{"photos"}, {"photos/a/0.png"}} {
		r = icebox(t, dir, append([]string{"predict", "--run", "latest", "--explain", "why"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.errOut, "the head has a hidden layer") || !strings.Contains(r.errOut, "head.kind=linear") {
			t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "why")); err == nil {
		t.Error("a folder was made")
	}
}
