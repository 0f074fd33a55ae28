package pipeline

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

func tuneOptions(t *testing.T) folderOptions {
	o := featureOptions(t)
	o.Tune = TuneAuto
	return o
}

func TestTuningChoosesInFoldsAndKeepsValidation(t *testing.T) {
	o := tuneOptions(t)
	sum, err := o.train()
	must(t, err)
	tuned := sum.Tuned
	if tuned == nil || tuned.Folds != 5 || tuned.Rows != 90 || len(tuned.Tried) < 3 || sum.TrainRows != 90 || sum.ValRows != 45 {
		t.Fatalf("tuned %+v, on %d rows, %d of validation", tuned, sum.TrainRows, sum.ValRows)
	}
	trained, _, err := headOf(t, sum.RunDir).Trained()
	must(t, err)
	if trained.Optimizer != headtrain.OptimizerLBFGS || trained.WeightDecay != tuned.Options.WeightDecay {
		t.Errorf("trained with %+v, tuned %+v", trained, tuned.Options)
	}
	// The head is an ordinary one: its options train it again.
	plain := o
	plain.Tune, plain.Head = TuneOff, *tuned.Options
	again, err := plain.train()
	must(t, err)
	if !sameWeights(headOf(t, sum.RunDir), headOf(t, again.RunDir)) {
		t.Error("the chosen options train another head")
	}
	rep, _ := reportOf(t, sum)
	if !strings.Contains(rep.Decided, "5 folds of the training images chose the options") {
		t.Errorf("decided: %s", rep.Decided)
	}
}

func TestTuningIsTheSameAtAnyNumberOfThreads(t *testing.T) {
	o := tuneOptions(t)
	var heads []*headtrain.Head
	for _, threads := range []int{1, 3} {
		o.Head.Threads = threads
		sum, err := o.train()
		must(t, err)
		heads = append(heads, headOf(t, sum.RunDir))
	}
	if !sameWeights(heads[0], heads[1]) || heads[0].Temperature != heads[1].Temperature {
		t.Error("the heads of 1 and 3 threads differ")
	}
}

// With other rows in test, all is chosen as before.
func TestTestTunesNothing(t *testing.T) {
	for _, pinned := range [][]string{nil, {"Epochs"}} {
		o := tuneOptions(t)
		o.Pinned = pinned
		one, err := o.train()
		must(t, err)
		writeArrays(t, filepath.Join(o.Features, "test"), 77, 31, 8, 3)
		other, err := o.train()
		must(t, err)
		if a, b := headOf(t, one.RunDir), headOf(t, other.RunDir); !sameWeights(a, b) || a.Temperature != b.Temperature {
			t.Errorf("pinned %v: test has changed the head", pinned)
		}
		if *one.TestLoss == *other.TestLoss {
			t.Error("test is as it was")
		}
	}
}

func TestEnoughValidationRowsChoose(t *testing.T) {
	o := tuneOptions(t)
	writeArrays(t, filepath.Join(o.Features, "val"), 2, enoughValidation, 8, 3)
	sum, err := o.train()
	must(t, err)
	if sum.Tuned.Folds != 0 || sum.Tuned.Rows != enoughValidation || sum.TrainRows != 90 || sum.ValRows != enoughValidation {
		t.Errorf("tuned %+v", sum.Tuned)
	}
}

// Validation that icebox has split off itself is learned from once the choice is made,
// where test is there to report on. The temperature is that of scores out of fold.
func TestTuningLearnsFromValidationThatIsSplitOff(t *testing.T) {
	o := ready(t, settings(photos(t, 3, 12)))
	o.Tune, o.Data.Split.Val, o.Data.Split.Test = TuneAuto, 0.25, 0.25
	sum, err := Run(context.Background(), o, Silent)
	must(t, err)
	if sum.TrainRows != 27 || sum.ValRows != 0 || sum.TestRows != 9 || sum.Tuned.Rows != 27 || sum.Tuned.ValRows != 9 {
		t.Errorf("tuned %+v, %d rows of train, %d of val, %d of test", sum.Tuned, sum.TrainRows, sum.ValRows, sum.TestRows)
	}
	rep, _ := reportOf(t, sum)
	if f := rep.Answers.OutOfFold; f == nil || f.Folds != sum.Tuned.Folds || f.Rows != 27 {
		t.Errorf("answers %+v", rep.Answers)
	}
	if !strings.Contains(rep.Decided, "the training images and those of validation") {
		t.Errorf("decided: %s", rep.Decided)
	}
	o.Data.Split.Test = 0
	if sum, err = Run(context.Background(), o, Silent); err != nil || sum.ValRows == 0 {
		t.Errorf("validation is the one part to report on, and is gone: %v", err)
	}
}

// Of many rows no more are judged than it takes to choose by.
func TestAsManyFoldsAreJudgedAsAreNeeded(t *testing.T) {
	for _, c := range []struct{ rows, folds, judged int }{{1500, 5, 1500}, {4500, 3, 2700}, {15000, 1, 3000}} {
		o := tuneOptions(t)
		writeArrays(t, o.Features, 1, c.rows, 8, 3)
		sum, err := o.train()
		must(t, err)
		if sum.Tuned.Folds != c.folds || sum.Tuned.Rows != c.judged {
			t.Errorf("%d rows: %+v", c.rows, sum.Tuned)
		}
	}
}

func TestWhatIsNotTunedIsTold(t *testing.T) {
	o := tuneOptions(t)
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	writeArrays(t, o.Features, 1, 3, 8, 3) // one row of each class
	sum, err := o.train()
	must(t, err)
	if sum.Tuned == nil || !strings.Contains(sum.Tuned.String(), "too few of a class for folds") || sum.Epochs != o.Head.Epochs {
		t.Errorf("tuned %+v", sum.Tuned)
	}
}

func TestTheRunFolderHasTheOptionsThatWereUsed(t *testing.T) {
	o := tuneOptions(t)
	o.Record = func(used Options) []byte { return []byte(used.Tune + " " + used.Head.Optimizer) }
	sum, err := o.train()
	must(t, err)
	got, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.ConfigFile))
	must(t, err)
	if string(got) != "off lbfgs" {
		t.Errorf("config: %s", got)
	}
}

// Whatever chose the options and whichever rows the head learned from, the options of the
// run folder give the same file, byte for byte.
func TestTheRecordedOptionsGiveTheSameHead(t *testing.T) {
	split := ready(t, settings(photos(t, 3, 12)))
	split.Data.Split.Val, split.Data.Split.Test = 0.25, 0.25
	arrays, alone, many := featureOptions(t), featureOptions(t), featureOptions(t)
	must(t, os.RemoveAll(filepath.Join(alone.Features, "val")))
	writeArrays(t, filepath.Join(many.Features, "val"), 2, enoughValidation, 8, 3)
	run := func(o Options) (*report.RunSummary, error) { return Run(context.Background(), o, Silent) }
	train := func(f folderOptions) func(Options) (*report.RunSummary, error) {
		return func(o Options) (*report.RunSummary, error) { f.Options = o; return f.train() }
	}
	raw, pinned := split, arrays.Options
	raw.Head.Input, raw.Pinned = headtrain.InputNone, []string{"WeightDecay"}
	asked := arrays.Options
	pinned.Pinned, asked.Refit = []string{"Epochs"}, true
	for name, c := range map[string]struct {
		o     Options
		train func(Options) (*report.RunSummary, error)
		refit bool
	}{
		"validation joins":      {split, run, true},
		"raw features":          {raw, run, true},
		"validation is kept":    {arrays.Options, train(arrays), false},
		"a grid":                {pinned, train(arrays), false},
		"no validation":         {alone.Options, train(alone), true},
		"a refit is asked for":  {asked, train(arrays), true},
		"validation has enough": {many.Options, train(many), false},
	} {
		var used Options
		c.o.Tune, c.o.Record = TuneAuto, func(o Options) []byte { used = o; return nil }
		first, err := c.train(c.o)
		must(t, err)
		again, err := c.train(used)
		must(t, err)
		a, err := os.ReadFile(filepath.Join(*first.RunDir, runs.HeadFile))
		must(t, err)
		b, err := os.ReadFile(filepath.Join(*again.RunDir, runs.HeadFile))
		must(t, err)
		if used.Refit != c.refit || used.Tune != TuneOff || again.TrainRows != first.TrainRows || !bytes.Equal(a, b) {
			t.Errorf("%s: refit %v, on %d rows; again on %d; temperatures %v and %v", name, used.Refit, first.TrainRows, again.TrainRows, first.Temperature, again.Temperature)
		}
	}
}

// A refit that is asked for takes validation whosever it is, whether tuning chooses or not.
func TestARefitIsAskedFor(t *testing.T) {
	for _, tune := range []string{TuneAuto, TuneOff} {
		o := tuneOptions(t)
		o.Tune, o.Refit = tune, true
		sum, err := o.train()
		must(t, err)
		if !sum.Refit || sum.TrainRows != 135 || sum.ValRows != 0 || sum.Temperature == 1 {
			t.Errorf("%s: %d rows of train, %d of val, refit %v, temperature %v", tune, sum.TrainRows, sum.ValRows, sum.Refit, sum.Temperature)
		}
		rep, _ := reportOf(t, sum)
		if !strings.Contains(rep.Decided, "the training images and those of validation") {
			t.Errorf("%s: decided: %s", tune, rep.Decided)
		}
		o.Head.EarlyStopping.Patience = 2
		if _, err := o.train(); err == nil || !strings.Contains(err.Error(), "early stopping") {
			t.Errorf("%s: early stopping without validation: %v", tune, err)
		}
	}
}
