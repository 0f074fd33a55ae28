package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/quality"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	must(t, os.WriteFile(path, b.Bytes(), 0o644))
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
}

// oddPhotos are photos with a black one and a grey strip among them.
func oddPhotos(t *testing.T) string {
	dir := photos(t, 2, 12)
	writePNG(t, filepath.Join(dir, "class0", "black.png"), image.NewGray(image.Rect(0, 0, 40, 30)))
	strip := image.NewGray(image.Rect(0, 0, 200, 20))
	for i := range strip.Pix {
		strip.Pix[i] = uint8(i * 7)
	}
	writePNG(t, filepath.Join(dir, "class1", "strip.png"), strip)
	time.Sleep(settle)
	return dir
}

// pathsOf are those that have an issue.
func pathsOf(q *quality.Report, name string) string {
	var paths []string
	for _, issue := range q.Issues {
		for _, p := range issue.Worst {
			if issue.Name == name {
				paths = append(paths, p.Path)
			}
		}
	}
	return strings.Join(paths, " ")
}

// What is wrong with pictures is told by the run that decodes them, by each one after it, which
// opens none, and by an insight.
func TestPicturesAreJudgedOnce(t *testing.T) {
	o := ready(t, settings(oddPhotos(t)))
	cold, err := Run(context.Background(), o, Silent)
	must(t, err)
	q := cold.Quality
	if q == nil || q.Judged != 26 || q.NotJudged != 0 {
		t.Fatalf("judged: %+v", q)
	}
	for name, want := range map[string]string{
		quality.Dark: "class0/black.png", quality.OddAspectRatio: "class1/strip.png", quality.Grayscale: "class0/black.png class1/strip.png",
	} {
		if got := pathsOf(q, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	warm, err := Run(context.Background(), o, Silent)
	must(t, err)
	if warm.ImagesOpened != 0 || !reflect.DeepEqual(warm.Quality, q) {
		t.Errorf("%d images opened: %+v, was %+v", warm.ImagesOpened, warm.Quality, q)
	}
	text, err := os.ReadFile(filepath.Join(*warm.RunDir, runs.ReportTextFile))
	must(t, err)
	if !strings.Contains(string(text), "\nquality   1 dark, ") {
		t.Errorf("no line on quality in\n%s", text)
	}
	i, err := Inspect(context.Background(), *warm.RunDir, o, Choice{}, 0.7, Silent)
	must(t, err)
	if !reflect.DeepEqual(i.Quality, q) {
		t.Errorf("insight: %+v, want %+v", i.Quality, q)
	}
	table, err := os.ReadFile(filepath.Join(*warm.RunDir, report.QualityFile))
	must(t, err)
	if !strings.Contains(string(table), "\nclass1/strip.png,") {
		t.Errorf("%s:\n%s", report.QualityFile, table)
	}
	read, err := report.Read(*warm.RunDir)
	must(t, err)
	if again, _ := json.Marshal(read.Summary.Quality); len(read.Summary.Quality.Issues) != 7 || pathsOf(read.Summary.Quality, quality.Dark) != "class0/black.png" {
		t.Errorf("read: %s", again)
	}
}

// Rows whose pictures an older version did not look at are not judged, and counted.
func TestRowsOfOlderVersionsAreNotJudged(t *testing.T) {
	o := ready(t, settings(oddPhotos(t)))
	_, err := Extract(context.Background(), o, Silent)
	must(t, err)
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	w, err := c.Writer()
	must(t, err)
	for _, name := range c.Docs("quality/") {
		must(t, w.PutDoc(name, nil))
	}
	must(t, w.Close())
	must(t, c.Close())
	white := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for y := range 30 {
		for x := range 40 {
			white.Set(x, y, color.White)
		}
	}
	writePNG(t, filepath.Join(o.Data.Train, "class0", "white.png"), white)
	sum, err := Run(context.Background(), o, Silent)
	must(t, err)
	if q := sum.Quality; sum.Computed != 1 || q.Judged != 1 || q.NotJudged != 26 || pathsOf(q, quality.Light) != "class0/white.png" {
		t.Errorf("%d computed: %+v", sum.Computed, sum.Quality)
	}
}
