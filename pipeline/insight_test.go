package pipeline

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/insight"
	"icebox/pipeline/report"
)

// copyFile puts a copy of a picture elsewhere, byte for byte.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(t, os.WriteFile(to, data, 0o644))
}

func TestInsightFindsWhatWasPlanted(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	ctx := context.Background()
	dir := photos(t, 3, 20)
	for c, name := range []string{"class0", "class1", "class2"} {
		for n := range 6 {
			writePicture(t, filepath.Join(dir, "..", "test", name, string(rune('a'+n))+".png"), c, 100+n)
		}
	}
	// A wrong label, a copy in another class and a leak.
	writePicture(t, filepath.Join(dir, "class0", "planted.png"), 2, 500)
	copyFile(t, filepath.Join(dir, "class1", "003.png"), filepath.Join(dir, "class1", "copy.png"))
	copyFile(t, filepath.Join(dir, "class2", "005.png"), filepath.Join(dir, "..", "test", "class2", "leak.png"))
	o := ready(t, settings(dir))
	o.Data.Test, o.Data.Split, o.Head.Epochs = filepath.Join(dir, "..", "test"), dataset.Split{Val: 0.2}, 40
	run, err := Run(ctx, o, Silent)
	must(t, err)
	must(t, os.RemoveAll(dir)) // no image is opened
	_, err = Inspect(ctx, *run.RunDir, Default(), Choice{}, 0.9, Silent)
	if err == nil {
		t.Fatal("a cache that is not there was read")
	}
	other := Default()
	other.Cache.Path = o.Cache.Path
	i, err := Inspect(ctx, *run.RunDir, other, Choice{}, 0.9, Silent)
	must(t, err)
	if i.Images != 81 || len(i.Suspects) == 0 || i.Suspects[0].Path != "train/class0/planted.png" || i.Suspects[0].LooksLike != "class2" {
		t.Errorf("suspects of %d images: %+v", i.Images, i.Suspects)
	}
	if i.Copies.Exact != 2 || i.Copies.Leaks < 1 || !i.Copies.Pairs[0].Exact || !i.Copies.Pairs[1].Exact {
		t.Errorf("copies: %+v", i.Copies)
	}
	leak := false
	for _, p := range i.Copies.Pairs {
		leak = leak || p.Exact && p.Leak() && p.A.Path == "train/class2/005.png" && p.B.Path == "test/class2/leak.png"
	}
	if !leak {
		t.Errorf("the leak is missing: %+v", i.Copies.Pairs)
	}
	if len(i.Curve.Points) != 4 || i.Curve.Points[3].Rows != 81*4/5 || math.Abs(i.Curve.Points[3].Accuracy-i.OutOfFold.Top1) > 1e-12 {
		t.Errorf("curve: %+v, out of fold %v", i.Curve, i.OutOfFold.Top1)
	}
	if i.WorstOf != "test" || i.Summary.ImagesOpened != 0 {
		t.Errorf("worst of %s, %d images opened", i.WorstOf, i.Summary.ImagesOpened)
	}
	checkInsightFiles(t, *run.RunDir, i)
}

func checkInsightFiles(t *testing.T, dir string, want *report.Insight) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, report.InsightFile))
	must(t, err)
	var back report.Insight
	must(t, json.Unmarshal(body, &back))
	if len(back.Suspects) != len(want.Suspects) || back.Copies.Exact != want.Copies.Exact {
		t.Errorf("insight.json differs: %s", body)
	}
	for name, rows := range map[string]int{report.SuspectsFile: len(want.Suspects), report.CopiesFile: len(want.Copies.Pairs)} {
		f, err := os.Open(filepath.Join(dir, name))
		must(t, err)
		lines, err := csv.NewReader(f).ReadAll()
		must(t, errors.Join(err, f.Close()))
		if len(lines) != rows+1 {
			t.Errorf("%s has %d lines, want %d", name, len(lines), rows+1)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, report.InsightTextFile))
	must(t, err)
	for _, say := range []string{"LABELS  about ", "COPIES  2 exact", "both sides of a split", "class0/planted.png", "LEARNING CURVE  5 folds", "the 19 of test too"} {
		if !strings.Contains(string(text), say) {
			t.Errorf("insight.txt does not say %q:\n%s", say, text)
		}
	}
}

// TestFoldersOfFeaturesAreJudgedLikeACache trains on a folder, and asks all of its
// head that is asked of one whose features lie in a cache.
func TestFoldersOfFeaturesAreJudgedLikeACache(t *testing.T) {
	ctx := context.Background()
	o := featureOptions(t)
	o.Answers.Reject.Coverage = 0.8
	run, err := o.train()
	must(t, err)
	rep, _ := reportOf(t, run)
	if run.Temperature == 1 || run.Threshold == 0 || rep.Base == nil || len(rep.Base.Found) != 5 || rep.Base.Part != "test" {
		t.Errorf("%+v, %+v", run.TrainSummary, rep.Base)
	}
	e, err := Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: Choice{}}, Default(), Silent)
	must(t, err)
	if e.Answers.Temperature != run.Temperature || e.Answers.Parts["test"].Calibration.ECE != *run.TestECE {
		t.Errorf("eval says %+v", e.Answers)
	}
	i, err := Inspect(ctx, *run.RunDir, Default(), Choice{}, insight.NearCosine, Silent)
	must(t, err)
	text := new(strings.Builder)
	i.Text(text)
	if i.Images != 195 || i.FoldsOfTest != 60 || i.WorstOf != "test" || i.Curve == nil || !strings.Contains(text.String(), "195 labelled rows, 3 classes") {
		t.Errorf("%s", text)
	}
	copies := i.Copies.Exact
	writeArrays(t, filepath.Join(o.Features, "test"), 1, 90, 8, 3) // the training rows
	if i, err = Inspect(ctx, *run.RunDir, Default(), Choice{}, insight.NearCosine, Silent); err != nil || i.Copies.Exact != copies+90 || i.Copies.Leaks < 90 {
		t.Errorf("%v, %+v", err, i.Copies)
	}
	other := t.TempDir()
	writeArrays(t, other, 5, 30, 9, 3)
	_, inspect := Inspect(ctx, *run.RunDir, Default(), Choice{Features: other}, insight.NearCosine, Silent)
	_, eval := Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: Choice{Features: other}}, Default(), Silent)
	want := "rows in " + other + " have 9 features, and the head in " + *run.RunDir + " takes 8: these rows"
	for _, err := range []error{inspect, eval} {
		if !errors.Is(err, headtrain.ErrFingerprint) || !strings.Contains(err.Error(), want) || !strings.Contains(told(err), "try training a head on the features in "+other) {
			t.Errorf("features of another dimension: %v", err)
		}
	}
	must(t, os.RemoveAll(o.Features))
	if _, err := Inspect(ctx, *run.RunDir, Default(), Choice{}, insight.NearCosine, Silent); !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), o.Features) {
		t.Errorf("a folder that is gone: %v", err)
	}
	o.Answers.Reject.Coverage = 0.8
	writeArrays(t, o.Features, 1, 90, 8, 3)
	if _, err := o.train(); !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), "a folder val, or an index.csv") {
		t.Errorf("rejection without validation rows: %v", err)
	}
}

func TestInsightOfTinyAndPlainSets(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 2)))
	o.Data.Split = dataset.Split{}
	run, err := Run(ctx, o, Silent)
	must(t, err)
	i, err := Inspect(ctx, *run.RunDir, o, Choice{}, insight.NearCosine, Silent)
	must(t, err)
	if i.WorstOf != "" || i.Images != 4 {
		t.Errorf("%+v", i)
	}
	text := new(strings.Builder)
	i.Text(text)
	if !strings.Contains(text.String(), "nothing is held out") || !strings.Contains(text.String(), "LABELS  not judged") || strings.Contains(text.String(), "NaN") {
		t.Errorf("%s", text)
	}
	if _, err := Inspect(ctx, *run.RunDir, o, Choice{}, 2, Silent); err == nil {
		t.Error("a cosine of 2 was taken")
	}
}
