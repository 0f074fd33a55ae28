package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/sweep"
)

// TestFoldsCalibrateWhereThereIsNoValidation holds temperature and threshold to those
// of the out-of-fold scores of heads of the chosen options.
func TestFoldsCalibrateWhereThereIsNoValidation(t *testing.T) {
	ctx := context.Background()
	o := featureOptions(t)
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	o.Sweep.Folds = 3
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{1e-3, 2e-2}}}
	o.Head.Epochs = 20
	o.Answers.Reject.Coverage = 0.8
	sum, err := o.sweep(ctx, "", Silent)
	must(t, err)
	rep, text := reportOf(t, &sum.RunSummary)
	head, f := headOf(t, sum.RunDir), rep.Answers.OutOfFold
	if f == nil || f.Folds != 3 || f.Rows != 90 || rep.Answers.ValRows != 0 {
		t.Fatalf("%+v", rep.Answers)
	}
	logits, labels := leftOut(t, o, 3)
	temperature, ok, err := judge.Temperature(ctx, logits, labels)
	must(t, err)
	answers, err := judge.NewAnswers(ctx, logits, labels, temperature)
	must(t, err)
	reject, _, err := answers.Threshold(o.Answers.Reject)
	must(t, err)
	if !ok || temperature == 1 || head.Temperature != temperature || head.Threshold != reject.Threshold || f.Rejection != reject {
		t.Errorf("temperature %v and threshold %v, want %v and %+v; %+v", head.Temperature, head.Threshold, temperature, reject, f)
	}
	for _, want := range []string{
		"on out-of-fold scores of 90 training images: 3 heads of these options", "out of fold, where it was chosen: 80.00 % answered",
		"; the out-of-fold scores of the training images (3 folds) gave the temperature and the threshold of unknown; test was looked at once",
		"(standard deviation over 3 folds)", "acc. in folds",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report has no %q:\n%s", want, text)
		}
	}
	o.Answers.Calibrate, o.Answers.Reject = false, judge.Goal{}
	sum, err = o.sweep(ctx, "", Silent)
	must(t, err)
	if plain := headOf(t, sum.RunDir); plain.Temperature != 0 || plain.Threshold != 0 || !sameWeights(plain, head) {
		t.Errorf("without calibration: temperature %v, threshold %v, or other weights", plain.Temperature, plain.Threshold)
	}
}

// leftOut returns the logits of each row of o's training folder by a head that was
// trained, alone, without the row's fold.
func leftOut(t *testing.T, o folderOptions, folds int) (*headtrain.Logits, []int32) {
	t.Helper()
	src, err := features.OpenFolder(context.Background(), o.Features, "", 0)
	must(t, err)
	defer src.Close()
	rows, err := src.Rows(features.OfPart(dataset.Train))
	must(t, err)
	f, err := dataset.NewFolds(src.Dataset(), rows.Items, folds)
	must(t, err)
	logits := make([]float32, len(rows.Items)*3)
	o.Head.LR = 2e-2
	for fold := range folds {
		seen := *rows.Data
		seen.Labels = append([]int32{}, rows.Data.Labels...)
		for n, of := range f.Of {
			if of == fold {
				seen.Labels[n] = -1
			}
		}
		results, err := headtrain.New().Fit(context.Background(), headtrain.Job{Train: &seen, Heads: []headtrain.Options{o.Head}})
		must(t, err)
		for n, of := range f.Of {
			if of == fold {
				results[0].Head.Logits(logits[n*3:n*3+3], rows.Data.Row(n), 1)
			}
		}
	}
	return headtrain.GivenLogits(logits, 3), rows.Data.Labels
}

// TestAShareTooSmallForItsFoldsIsNotCalibrated takes a share of one row a class.
func TestAShareTooSmallForItsFoldsIsNotCalibrated(t *testing.T) {
	o := featureOptions(t)
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	o.Sweep.Folds = 3
	o.Sweep.Axes = []sweep.Axis{{Key: sweep.FractionKey, Values: []any{0.04}}}
	o.Answers.Reject.Coverage = 0.8
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	rep, text := reportOf(t, &sum.RunSummary)
	if sum.Temperature != 1 || sum.Threshold != 0 || rep.Answers.OutOfFold != nil || !strings.Contains(text, "calibrated  not: the chosen share") ||
		!strings.Contains(strings.Join(sum.Warnings, "\n"), "no threshold of rejection is chosen: the chosen share") {
		t.Errorf("%+v %v\n%s", rep.Answers, sum.Warnings, text)
	}
}

// TestReportsSayWhichRowsDecidedWhat reads the sentence of each way to choose.
func TestReportsSayWhichRowsDecidedWhat(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(*folderOptions)
		parts []string // folders that are there
		want  string
	}{
		{"split", func(*folderOptions) {}, []string{"val", "test"},
			"val_acc on validation (45 images) chose among 3 points; then the chosen options were trained once more, on the training images; validation gave the temperature; test was looked at once, at the end\n"},
		{"seeds and refit", func(o *folderOptions) { o.Sweep.Seeds, o.Sweep.Refit = 2, true }, []string{"val", "test"},
			"the mean of 2 seeds, chose among 3 points; then the chosen options were trained once more, on training and validation images together with seed 0, which was not chosen; validation gave"},
		{"folds beside validation", func(o *folderOptions) { o.Sweep.Folds = 3 }, []string{"val", "test"},
			"val_acc in 3 folds of the training images chose among 3 points; then the chosen options were trained once more, on the training images; validation chose no options and no weights; validation gave the temperature; test"},
		{"no test", func(o *folderOptions) { o.Sweep.Metric = headtrain.MetricValLoss }, []string{"val"},
			"; validation gave the temperature; there is no test: the best val_loss of 3 points flatters the head, which was chosen by it\n"},
		{"stopped early in folds", func(o *folderOptions) {
			o.Sweep.Folds = 3
			o.Head.EarlyStopping = headtrain.EarlyStopping{Patience: 2, Metric: headtrain.MetricValLoss}
		}, []string{"test"}, "; it was trained for 4 epochs, the median of those that early stopping kept in the sweep, because no images were left to stop by; the out-of-fold scores"},
		{"halving", func(o *folderOptions) { o.Sweep.Method = "halving" }, []string{"val", "test"},
			"chose among 3 points, dropping the worse two thirds again and again after fewer epochs; then"},
		{"one point", func(o *folderOptions) { o.Sweep.Axes, o.Sweep.Seeds = o.Sweep.Axes[:0], 2 }, []string{"val", "test"},
			"there was one point and nothing to choose; it was judged by val_acc on validation (45 images), the mean of 2 seeds; then"},
		{"nothing held out", func(*folderOptions) {}, nil,
			"the training loss, because nothing was held out, chose among 3 points; then the chosen options were trained once more, on the training images\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := featureOptions(t)
			o.Sweep.Axes = []sweep.Axis{{Key: "lr", Log: []float64{1e-3, 1e-1}, Steps: 3}}
			for _, part := range []string{"val", "test"} {
				if !strings.Contains(strings.Join(c.parts, " "), part) {
					must(t, os.RemoveAll(filepath.Join(o.Features, part)))
				}
			}
			c.set(&o)
			sum, err := o.sweep(context.Background(), "", Silent)
			must(t, err)
			_, text := reportOf(t, &sum.RunSummary)
			if !strings.Contains(text, c.want) {
				t.Errorf("the report has no %q:\n%s", c.want, text)
			}
			if uncalibrated := len(c.parts) == 0; uncalibrated != strings.Contains(text, "calibrated  not: there are no images to fit a temperature on") {
				t.Errorf("on calibration:\n%s", text)
			}
		})
	}
}
