package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/predictions"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// report reads what a run wrote, as JSON and as text.
func reportOf(t *testing.T, r *report.RunSummary) (report.Report, string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(*r.RunDir, runs.ReportFile))
	must(t, err)
	var rep report.Report
	must(t, json.Unmarshal(body, &rep))
	text, err := os.ReadFile(filepath.Join(*r.RunDir, runs.ReportTextFile))
	must(t, err)
	return rep, string(text)
}

// TestAnswers trains heads that make mistakes, all on the same features.
func TestAnswers(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, which takes minutes under the race detector")
	}
	o := ready(t, settings(photos(t, 3, 30)))
	o.Head.Epochs, o.Head.LR = 1, 1e-5
	for name, test := range map[string]func(*testing.T, Options){
		"calibration is of validation alone": calibrationIsOfValidationAlone,
		"rejected answers are unknown":       rejectedAnswersAreUnknown,
		"precision out of reach is told":     precisionOutOfReachIsTold,
	} {
		t.Run(name, func(t *testing.T) { test(t, o) })
	}
}

func calibrationIsOfValidationAlone(t *testing.T, o Options) {
	ctx := context.Background()
	run, err := Run(ctx, o, Silent)
	must(t, err)
	head, _, err := runs.Head(*run.RunDir)
	must(t, err)
	rep, text := reportOf(t, run)
	if head.Temperature == 0 || head.Temperature != run.Temperature || rep.Answers.Temperature != head.Temperature || rep.Answers.ValRows != run.ValRows {
		t.Fatalf("temperature %v in the head, %v in the summary, %+v", head.Temperature, run.Temperature, rep.Answers)
	}
	val := rep.Answers.Parts["val"].Calibration
	if val.Loss > rep.Parts["val"].Loss || !strings.Contains(text, "fitted on 18 validation images; val ECE") {
		t.Errorf("validation loss %v → %v\n%s", rep.Parts["val"].Loss, val.Loss, text)
	}
	o.Answers.Calibrate = false
	plain, err := Run(ctx, o, Silent)
	must(t, err)
	bare, _, err := runs.Head(*plain.RunDir)
	must(t, err)
	if bare.Temperature != 0 || plain.Temperature != 1 || *plain.TestAcc != *run.TestAcc {
		t.Errorf("without calibration: %v, accuracy %v, with it %v", bare.Temperature, *plain.TestAcc, *run.TestAcc)
	}
	bare.Temperature = head.Temperature
	if !sameHeads(t, bare, head) {
		t.Error("calibration changed more than the temperature")
	}
}

func sameHeads(t *testing.T, a, b *headtrain.Head) bool {
	t.Helper()
	var files [2][]byte
	for i, h := range []*headtrain.Head{a, b} {
		path := filepath.Join(t.TempDir(), "h")
		must(t, h.Save(path))
		var err error
		files[i], err = os.ReadFile(path)
		must(t, err)
	}
	return bytes.Equal(files[0], files[1])
}

func rejectedAnswersAreUnknown(t *testing.T, o Options) {
	ctx := context.Background()
	o.Answers.Reject.Coverage = 0.5
	run, err := Run(ctx, o, Silent)
	must(t, err)
	rep, text := reportOf(t, run)
	if run.Threshold == 0 || rep.Answers.Parts["val"].Rejection.Coverage < 0.5 || !strings.Contains(text, "unknown     under") {
		t.Fatalf("threshold %v: %+v\n%s", run.Threshold, rep.Answers, text)
	}
	p, err := OpenPredictor(ctx, *run.RunDir, o)
	must(t, err)
	defer p.Close()
	unknown, all := 0, 0
	for a, err := range p.Predict(ctx, Files(ctx, []string{o.Data.Train}, nil)) {
		must(t, err)
		all++
		if under := a.Probability < run.Threshold; a.Unknown != under || (a.Label == predictions.Unknown) != under {
			t.Errorf("%+v with threshold %v", a, run.Threshold)
		}
		if a.Unknown {
			unknown++
		}
	}
	if unknown == 0 || unknown == all {
		t.Errorf("%d of %d unknown", unknown, all)
	}
	e, err := Eval(ctx, EvalOptions{Run: *run.RunDir}, Options{Data: dataset.Options{}, Cache: o.Cache, Backbone: o.Backbone, Extract: o.Extract, Head: o.Head, Sweep: o.Sweep, Output: o.Output}, Silent)
	must(t, err)
	if e.Answers.Threshold != run.Threshold || e.Answers.Parts["test"].Rejection != rep.Answers.Parts["test"].Rejection {
		t.Errorf("eval says %+v, the run %+v", e.Answers, rep.Answers)
	}
}

func precisionOutOfReachIsTold(t *testing.T, o Options) {
	o.Answers.Reject.Precision = 1
	run, err := Run(context.Background(), o, Silent)
	must(t, err)
	rep, _ := reportOf(t, run)
	reached := rep.Answers.Parts["val"].Rejection.Precision == 1
	told := strings.Contains(strings.Join(run.Warnings, "\n"), "no threshold makes")
	if reached == told || run.Threshold == 0 {
		t.Errorf("reached %v, told %v: %v", reached, told, run.Warnings)
	}
}

func TestRejectWithoutValidationIsRefused(t *testing.T) {
	o := ready(t, settings(photos(t, 2, 4)))
	o.Data.Split, o.Answers.Reject.Precision = dataset.Split{}, 0.9
	if _, err := Run(context.Background(), o, Silent); !errors.Is(err, dataset.ErrData) || !strings.Contains(told(err), "try Data.Split.Val = 0.1") {
		t.Errorf("got %v", err)
	}
	o.Answers.Reject.Coverage = 0.5
	if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "Answers.Reject.Coverage (0.5) cannot be given together with a precision") {
		t.Errorf("both goals: %v", err)
	}
}

// TestAHeadThatBeatsNothingIsTold holds the verdict to be as loud as the gap is
// clear.
func TestAHeadThatBeatsNothingIsTold(t *testing.T) {
	const loud = "DOES NOT BEAT"
	told := func(o folderOptions) (*report.RunSummary, report.Report, string, string) {
		t.Helper()
		sum, err := o.train()
		must(t, err)
		rep, text := reportOf(t, sum)
		if rep.Base.Part != "test" || len(rep.Base.Found) != 5 || sum.Baseline == nil || sum.Baseline.Head != *sum.TestAcc {
			t.Errorf("%+v", rep.Base)
		}
		return sum, rep, strings.Join(sum.Warnings, "\n"), text
	}

	o := featureOptions(t)
	o.Head.LR = 1e-9
	writeArrays(t, filepath.Join(o.Features, "test"), 3, 600, 8, 3)
	sum, rep, notes, text := told(o)
	if sum.Baseline.ByChance() || !strings.Contains(notes, "THE TRAINED HEAD "+loud) || !strings.Contains(text, "*** THE TRAINED HEAD "+loud) {
		t.Errorf("a clear gap: %+v\n%s\n%s", sum.Baseline, notes, text)
	}
	if math.Abs(rep.Base.Found[0].Accuracy-1.0/3) > 1e-9 {
		t.Errorf("majority: %+v", rep.Base.Found[0])
	}

	o = featureOptions(t)
	o.Head.Epochs = 20
	writeArrays(t, filepath.Join(o.Features, "test"), 3, 30, 8, 3)
	sum, _, notes, text = told(o)
	const calm = "no larger than chance would give (30 test images)"
	if sum.Baseline.Beaten() || strings.Contains(notes+text, loud) || !strings.Contains(notes, calm) || strings.Count(text, calm) != 2 {
		t.Errorf("a gap by chance: %+v\n%s\n%s", sum.Baseline, notes, text)
	}
}
