package pipeline

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/dataset"
	"icebox/pipeline/predictions"
	"icebox/pipeline/report"
)

// scored answers for the images at places.
func scored(t *testing.T, run string, o Options, places ...dataset.Place) (rows []predictions.Row, sum *report.Summary) {
	t.Helper()
	s, sum, err := OpenScorer(context.Background(), run, places, o, Silent)
	must(t, err)
	defer s.Close()
	for row, err := range s.Rows(context.Background()) {
		must(t, err)
		r := *row
		r.Probabilities = append([]float64(nil), row.Probabilities...)
		rows = append(rows, r)
	}
	return rows, sum
}

func TestScoresAreThoseOfEval(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 20)
	must(t, os.WriteFile(filepath.Join(dir, "class1", "bad.png"), []byte("no picture"), 0o644))
	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	list := filepath.Join(t.TempDir(), "list.csv")
	_, err = Eval(ctx, EvalOptions{Run: *run.RunDir, Predictions: list}, Options{Cache: o.Cache, Backbone: o.Backbone, Extract: o.Extract, Head: o.Head, Sweep: o.Sweep, Output: o.Output, Engines: o.Engines}, Silent)
	must(t, err)
	f, err := os.Open(list)
	must(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	must(t, err)
	said := map[string]string{}
	for _, line := range lines[1:] {
		said[line[0]] = strings.Join(line[3:], ",")
	}
	before, err := os.ReadFile(o.Cache.Path)
	must(t, err)
	rows, sum := scored(t, *run.RunDir, o, dataset.Place{Path: dir})
	if sum.Hits != 40 || sum.ImagesOpened != 0 || sum.KnownBad != 1 || len(rows) != 41 || len(said) != 41 {
		t.Errorf("%d rows, %d lines, %+v", len(rows), len(said), sum)
	}
	for _, r := range rows {
		line := []string{r.Label, fmt.Sprintf("%.8g", r.Probability), fmt.Sprint(r.Unknown)}
		for _, p := range r.Probabilities {
			line = append(line, fmt.Sprintf("%.8g", p))
		}
		if r.Err != "" {
			line = []string{"", "", "", "", ""}
		}
		if got := strings.Join(append(line, r.Err), ","); got != said[r.Path] {
			t.Errorf("%s: %s, and eval says %s", r.Path, got, said[r.Path])
		}
	}
	after, err := os.ReadFile(o.Cache.Path)
	must(t, err)
	if string(before) != string(after) {
		t.Error("the cache was written to, though nothing was computed")
	}
}

func TestAPoolIsComputedOnce(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 8)))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	pool := t.TempDir()
	for i := range 6 {
		writePicture(t, filepath.Join(pool, "deep", fmt.Sprintf("%d.png", i)), i%2, 500+i)
	}
	for i := range 20 { // far more than a run allows
		must(t, os.WriteFile(filepath.Join(pool, fmt.Sprintf("bad%02d.jpg", i)), []byte{0xff, 0xd8, byte(i)}, 0o644))
	}
	must(t, os.WriteFile(filepath.Join(pool, "notes.txt"), []byte("no picture"), 0o644))
	time.Sleep(settle)
	place := dataset.Place{Path: pool, Name: "in/pool/"}
	rows, sum := scored(t, *run.RunDir, o, place)
	if sum.Computed != 6 || sum.Quarantined != 20 || sum.Skipped[".txt"] != 1 || len(rows) != 26 {
		t.Fatalf("%d rows: %+v", len(rows), sum)
	}
	if rows[0].Path != "in/pool/bad00.jpg" || rows[0].Err == "" || rows[0].Label != "" || rows[25].Path != "in/pool/deep/5.png" || rows[25].Err != "" {
		t.Errorf("first %+v, last %+v", rows[0], rows[25])
	}
	again, sum := scored(t, *run.RunDir, o, place)
	if sum.Hits != 6 || sum.ImagesOpened != 0 || sum.KnownBad != 20 {
		t.Errorf("the second time: %+v", sum)
	}
	for i := range rows {
		if rows[i].Path != again[i].Path || rows[i].Probability != again[i].Probability || rows[i].Err != again[i].Err {
			t.Errorf("%+v, and the second time %+v", rows[i], again[i])
		}
	}
	trained, err := Train(ctx, withoutData(o), Choice{}, Silent)
	must(t, err) // nobody trains on a pool: there is one dataset to choose from
	if trained.Images != 16 {
		t.Errorf("trained on %d images", trained.Images)
	}
}

// withoutData are options that leave it to the cache which images there are.
func withoutData(o Options) Options {
	o.Data.Train = ""
	return o
}

func TestNamedFilesAndTablesAreScored(t *testing.T) {
	dir := photos(t, 2, 8)
	o := ready(t, settings(dir))
	run, err := Run(context.Background(), o, Silent)
	must(t, err)
	rows, _ := scored(t, *run.RunDir, o,
		dataset.Place{Path: filepath.Join(dir, "class1", "001.png"), Name: "x/001.png"}, dataset.Place{Path: filepath.Join(dir, "none.jpg"), Name: "none.jpg"},
		dataset.Place{Path: filepath.Join(dir, "class0"), Name: "."})
	if len(rows) != 10 || rows[0].Path != "x/001.png" || rows[0].Label != "class1" || rows[1].Path != "none.jpg" || rows[1].Err == "" || rows[2].Path != "./000.jpg" {
		t.Errorf("%+v", rows)
	}
	table := filepath.Join(dir, "ids.csv")
	must(t, os.WriteFile(table, []byte("id,breed,split\nclass1/001,\"cat,dog\",holdout\nclass0/none.png,,\n"), 0o644))
	o.Data.Reading.Columns = dataset.Columns{Path: "id", Label: "not there"}
	rows, _ = scored(t, *run.RunDir, o, dataset.Place{Path: table})
	if len(rows) != 2 || rows[0].Path != "class1/001.png" || rows[0].Label != "class1" || rows[1].Err == "" {
		t.Errorf("of a table: %+v", rows)
	}
	for _, bad := range []string{filepath.Join(dir, "none"), t.TempDir()} {
		if _, _, err := OpenScorer(context.Background(), *run.RunDir, []dataset.Place{{Path: bad}}, o, Silent); !errors.Is(err, dataset.ErrData) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// One photo is answered by a plan that gets ready sooner. What its answers are off by is
// what the documentation of Predictor says.
func TestQuickAnswersAreNearThoseOfTheCache(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	ctx := context.Background()
	dir := photos(t, 2, 8)
	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	rows, _ := scored(t, *run.RunDir, o, dataset.Place{Path: dir})
	p, err := OpenPredictor(ctx, *run.RunDir, o)
	must(t, err)
	defer p.Close()
	n := 0
	for quick, err := range p.Predict(ctx, Files(ctx, []string{dir}, nil)) {
		must(t, err)
		for c := range quick.Probabilities {
			if off := math.Abs(quick.Probabilities[c] - rows[n].Probabilities[c]); off > 0.01 {
				t.Errorf("%s: class %d is off by %v", quick.Path, c, off)
			}
		}
		n++
	}
	if n != len(rows) {
		t.Errorf("%d quick answers, %d others", n, len(rows))
	}
}

func TestStrangersTestUnknown(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 20)))
	o.Answers.Reject.Coverage = 0.5
	run, err := Run(ctx, o, Silent)
	must(t, err)
	other := ready(t, settings(photos(t, 3, 4))) // class2 is the stranger
	other.Cache.Path = o.Cache.Path
	list := filepath.Join(t.TempDir(), "list.csv")
	e, err := Eval(ctx, EvalOptions{Run: *run.RunDir, Predictions: list}, other, Silent)
	must(t, err)
	all, s := e.Parts["all"], e.Strangers
	if all.N != 8 || s == nil || s.Images != 4 || s.Classes["class2"] != 4 || len(s.Classes) != 1 {
		t.Fatalf("scored %+v, strangers %+v", all, s)
	}
	body, err := os.ReadFile(list)
	must(t, err)
	unknown := 0
	for line := range strings.Lines(string(body)) {
		if strings.Contains(line, ",all,class2,unknown,") {
			unknown++
		}
	}
	if unknown != s.Unknown || strings.Count(string(body), ",all,class2,") != 4 {
		t.Errorf("%d of the strangers are unknown, and the list has\n%s", s.Unknown, body)
	}
	text := new(strings.Builder)
	e.Text(text)
	if !strings.Contains(text.String(), "4 images of 1 class that the head does not know (\"class2\") are not scored; ") {
		t.Errorf("%s", text)
	}
	known := filepath.Join(other.Data.Train, "class2")
	must(t, os.Rename(known, filepath.Join(other.Data.Train, "class3")))
	must(t, os.RemoveAll(filepath.Join(other.Data.Train, "class0")))
	must(t, os.RemoveAll(filepath.Join(other.Data.Train, "class1")))
	if _, err := Eval(ctx, EvalOptions{Run: *run.RunDir}, other, Silent); !errors.Is(err, ErrClasses) || !strings.Contains(err.Error(), "class3") {
		t.Errorf("strangers alone: %v", err)
	}
}

func TestRunsAreCompared(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 20)))
	a, err := Run(ctx, o, Silent)
	must(t, err)
	o.Head.Epochs, o.Head.LR = 1, 1e-6 // hardly trained
	b, err := Run(ctx, o, Silent)
	must(t, err)
	c, err := Compare(ctx, Compared{*a.RunDir, withoutData(o)}, Compared{*b.RunDir, withoutData(o)}, Silent)
	must(t, err)
	if c.Part != "test" || c.Rows != a.TestRows || c.Apart != 0 || c.AccA != *a.TestAcc || c.AccB != *b.TestAcc {
		t.Errorf("%+v", c)
	}
	if want := float64(c.OnlyB-c.OnlyA) / float64(c.Rows); c.Difference != want || math.Abs(c.AccB-c.AccA-want) > 1e-12 {
		t.Errorf("%+v", c)
	}
	alone := 0
	for _, d := range c.Differing {
		if d.A == d.B || d.Right() == (d.B == d.Label) {
			t.Errorf("%+v is no image that one of the two has right", d)
		}
		if d.Right() {
			alone++
		}
	}
	if alone != c.OnlyA || len(c.Differing) != c.OnlyA+c.OnlyB {
		t.Errorf("%d images differ, %d of them are right in A: %+v", len(c.Differing), alone, c)
	}
	path := filepath.Join(t.TempDir(), "compare.html")
	s, err := ComparePage(ctx, []Compared{{*a.RunDir, withoutData(o)}, {*b.RunDir, withoutData(o)}, {*a.RunDir, withoutData(o)}}, path, Silent)
	must(t, err)
	drawn, err := os.ReadFile(path)
	must(t, err)
	if s.Bytes != len(drawn) || len(s.Compared) != 2 || s.Pictures != len(c.Differing) || strings.Count(string(drawn), "data:image/jpeg") != s.Pictures {
		t.Errorf("%+v", s)
	}
	text := new(strings.Builder)
	c.Text(text, report.Style{})
	for _, want := range []string{"8 test images that neither has learned from", " lr ", " epochs ", "1e-06"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	o.Data.Split = dataset.Split{Val: 0.2}
	other := settings(photos(t, 2, 6))
	other.Cache.Path, other.Output = o.Cache.Path, o.Output
	d, err := Run(ctx, other, Silent)
	must(t, err)
	if c, err := Compare(ctx, Compared{*a.RunDir, withoutData(o)}, Compared{*d.RunDir, withoutData(o)}, Silent); err == nil && c.Rows == a.TestRows {
		t.Errorf("of other images: %+v", c)
	}
}
