package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/cmd/internal/exitcode"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/sweep"
)

// Every class of error has a hint, or says all that there is to say.
func TestEveryClassOfErrorHasAHint(t *testing.T) {
	saysAll := []error{
		context.Canceled,        // the message says what is kept
		errUsage, errSomeFailed, // the message says what to change
		dataset.ErrData, headtrain.ErrDataset, // the message names the folder, class or row
		pipeline.ErrClasses, headtrain.ErrFormat, // the message says what differs
		headtrain.ErrOptions,                                                       // the message names the key
		features.ErrChoose,                                                         // each kind of it has a hint
		features.ErrFailureBudget, headtrain.ErrFingerprint, sweep.ErrTooManyHeads, // these carry steps
		extract.ErrWeightsFormat, extract.ErrUnsafePickle, extract.ErrWeightsMismatch, extract.ErrWeightsOpen, // the message names the file
		extract.ErrEngine, // the message says what failed
	}
	p := &process{}
	for _, class := range exitcode.Classes {
		for _, e := range class.Errors {
			i := slices.IndexFunc(hints, func(h hintOf) bool { return h.of == e })
			if (i < 0) != slices.Contains(saysAll, e) {
				t.Errorf("%v: has a hint: %v, says all: %v", e, i >= 0, i < 0)
			}
		}
	}
	for _, h := range hints {
		if h.text == "" && h.say == nil && h.by == nil || h.text != "" && p.hint(fmt.Errorf("about this: %w", h.of)) == "" {
			t.Errorf("%v has no hint", h.of)
		}
	}
	if got := p.hint(cache.ErrCorrupt); !strings.Contains(got, "icebox cache compact --salvage") {
		t.Errorf("damage: %s", got)
	}
}

func TestStepsAreCommandsAndKeys(t *testing.T) {
	p := &process{dir: "/home/a"}
	for want, s := range map[string]journal.Step{
		"head.epochs=125": journal.SetTo("Head.Epochs", 125), "'sweep.axes.lr={log: [1e-4, 1e-1]}'": journal.SetTo("Sweep.Axes.lr", "{log: [1e-4, 1e-1]}"),
		"head.calibrate=false": journal.SetTo("Answers.Calibrate", false),
		"more head.epochs":     {Do: journal.Raise, Field: "Head.Epochs"}, "a larger head.weight_decay": {Do: journal.Raise, Field: "Head.WeightDecay"},
		"a smaller head.ema": {Do: journal.Lower, Field: "Head.EMA"}, "fewer values or steps in sweep.axes": {Do: journal.Lower, Field: "Sweep.Axes"},
		"another head.lr": {Do: journal.Change, Field: "Head.LR"}, "`icebox weights fetch`": {Do: journal.FetchWeights}, "`icebox extract`": {Do: journal.Extract},
		"`icebox insight`": {Do: journal.Inspect}, "`icebox train --find-lr`": {Do: journal.FindRate}, "`icebox sweep --resume runs/x.partial`": {Do: journal.Resume, Dir: "/home/a/runs/x.partial"},
		"`icebox eval --run 'runs/my run' --features DIR`": {Do: journal.JudgeRows, Dir: "/home/a/runs/my run"}, "`icebox train --features f`": {Do: journal.TrainRows, Dir: "/home/a/f"},
		"data.train, data.val and data.test, one each": {Do: journal.NamePart},
	} {
		if got := p.words(s); got != want {
			t.Errorf("%v: %q, want %q", s, got, want)
		}
	}
	for do := journal.Set; do <= journal.NamePart; do++ {
		if s := (journal.Step{Do: do, Field: "Head.LR"}); p.words(s) == "" || p.words(s) == s.String() {
			t.Errorf("action %d has no words of its own: %q", do, p.words(s))
		}
	}
}
