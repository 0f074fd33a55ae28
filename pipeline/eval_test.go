package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/report"
)

func TestEvaluationLeavesDatasetsAlone(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 3, 8)))
	o.Data.Name = "mine"
	run, err := Run(ctx, o, Silent)
	must(t, err)
	before := exported(t, o, Choice{})

	other := Default()
	other.Cache.Path, other.Data.Name, other.Data.Train = o.Cache.Path, "mine", photos(t, 3, 4)
	e, err := Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: Choice{}}, other, Silent)
	must(t, err)
	if e.Parts["all"].N != 12 || len(e.Parts) != 1 {
		t.Errorf("%+v", e.Parts)
	}
	again, err := Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: Choice{}}, other, Silent)
	must(t, err)
	if again.Summary.ImagesOpened != 0 {
		t.Errorf("a second evaluation opened %d images", again.Summary.ImagesOpened)
	}
	sameFiles(t, "after an evaluation", before, exported(t, o, Choice{}))
	o.Data.Train, o.Data.Name = "", ""
	_, err = Train(ctx, o, Choice{}, Silent)
	must(t, err)

	// On the images of training it knows the parts.
	other.Data.Name, other.Data.Train = "", sourceOf(t, run, o)
	e, err = Eval(ctx, EvalOptions{Run: *run.RunDir, Choice: Choice{}}, other, Silent)
	must(t, err)
	if e.Parts["test"].N != run.TestRows || e.Parts["train"].N != run.TrainRows {
		t.Errorf("%+v", e.Parts)
	}
}

// sources is where the run's dataset was scanned from.
func sourceOf(t *testing.T, r *report.RunSummary, o Options) string {
	t.Helper()
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	ds, err := dataset.Load(c, dataset.ForTraining, r.Dataset)
	must(t, err)
	return ds.Sources.Train
}

func TestUnfinishedTrainingLeavesNoRunFolder(t *testing.T) {
	o := ready(t, settings(photos(t, 2, 5)))
	ctx, cancel := context.WithCancel(context.Background())
	o.Head.Epochs = 1000
	p := &cancelAfter{Progress: Silent, n: 3, cancel: cancel, stage: "train"}
	if _, err := Run(ctx, o, p); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	left, err := os.ReadDir(o.Output.Dir)
	must(t, err)
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMovedProjectKeepsItsDatasetAndOpensNothing(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 8)
	o := ready(t, settings(dir))
	first, err := Run(ctx, o, Silent)
	must(t, err)
	moved := dir + "-moved"
	must(t, os.Rename(dir, moved))
	o.Data.Train = moved
	second, err := Run(ctx, o, Silent)
	must(t, err)
	if second.Dataset != "photos-moved" && second.Dataset != first.Dataset {
		t.Errorf("dataset %s", second.Dataset)
	}
	if second.TrainLoss != first.TrainLoss {
		t.Error("moved images were split in another way")
	}
	if st, err := os.Stat(filepath.Join(moved, "class0", "000.jpg")); err == nil && dataset.StatOf(st).Inode != 0 && second.ImagesOpened != 0 {
		t.Errorf("%d images opened after a move", second.ImagesOpened)
	}
}

func TestTrainNamesImagesThatAreBadAndNotMissing(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	must(t, os.WriteFile(filepath.Join(dir, "class0", "bad.jpg"), []byte("text"), 0o644))
	o := ready(t, settings(dir))
	_, err := Run(ctx, o, Silent)
	must(t, err)
	sum, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if sum.Quarantined != 1 || sum.Computed != 0 {
		t.Errorf("%+v", sum.Summary)
	}
	for _, w := range sum.Warnings {
		if strings.Contains(w, "extracting the features") {
			t.Errorf("advice that does not help: %s", w)
		}
	}
}
