package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/pipeline/dataset"
)

// Nobody fetches weights for a folder that is no use.
func TestDataIsCheckedBeforeWeightsAreAskedFor(t *testing.T) {
	o := settings(photos(t, 1, 2))
	one := o.Data.Train
	o.Backbone.Weights = filepath.Join(t.TempDir(), "none.pth")
	for _, program := range []func() error{
		func() error { _, err := Run(context.Background(), o, Silent); return err },
		func() error { _, err := Extract(context.Background(), o, Silent); return err },
		func() error { _, err := Plan(context.Background(), o, Silent); return err },
	} {
		o.Data.Train = filepath.Join(t.TempDir(), "wrong")
		if err := program(); !errors.Is(err, dataset.ErrData) {
			t.Errorf("neither folder nor weights: %v", err)
		}
		o.Data.Train = photos(t, 2, 2)
		if err := program(); err == nil || errors.Is(err, dataset.ErrData) {
			t.Errorf("no weights: %v", err)
		}
	}
	o.Data.Train = one
	if _, err := Run(context.Background(), o, Silent); !errors.Is(err, dataset.ErrData) {
		t.Errorf("one class and no weights: %v", err)
	}
}

func TestARunSaysWhatHasChangedSinceTheLast(t *testing.T) {
	o := ready(t, settings(photos(t, 2, 6)))
	first, err := Extract(context.Background(), o, Silent)
	must(t, err)
	must(t, os.Rename(filepath.Join(o.Data.Train, "class0", "000.jpg"), filepath.Join(o.Data.Train, "class1", "x.jpg")))
	must(t, os.Remove(filepath.Join(o.Data.Train, "class0", "001.png")))
	must(t, os.WriteFile(filepath.Join(o.Data.Train, "class0", "b.heic"), []byte("x"), 0o644))
	again, err := Extract(context.Background(), o, Silent)
	must(t, err)
	const want = "since the last time: 1 image moved from class0 to class1, 1 gone"
	if strings.Contains(strings.Join(first.Warnings, "\n"), "last time") || !slices.Contains(again.Warnings, want) {
		t.Errorf("no %q in %q", want, again.Warnings)
	}
	if again.Skipped[".heic"] != 1 || len(first.Skipped) > 0 {
		t.Errorf("left out: %v, then %v", first.Skipped, again.Skipped)
	}
}

// Rows of the cache are those that the scan of the time found.
func TestTrainingSaysThatTheScanWasAnother(t *testing.T) {
	o := ready(t, settings(photos(t, 2, 8)))
	_, err := Extract(context.Background(), o, Silent)
	must(t, err)
	for _, exclude := range [][]string{nil, {"000.*"}} {
		o.Data.Reading.Exclude = exclude
		sum, err := Train(context.Background(), o, Choice{}, Silent)
		must(t, err)
		if said := strings.Contains(strings.Join(sum.Warnings, "\n"), "scanned with another layout"); said != (exclude != nil) {
			t.Errorf("excluded %v: %q", exclude, sum.Warnings)
		}
	}
}

// A flat test folder beside a labelled train is extracted, and no class: nothing is
// trained or judged on it, and validation is still taken from train.
func TestAFlatTestFolderIsNoClass(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	for class, name := range []string{"cat", "dog"} {
		for i := range 8 {
			writePicture(t, filepath.Join(dir, "train", name, fmt.Sprint(i, ".png")), class, i)
		}
		writePicture(t, filepath.Join(dir, "test", fmt.Sprint(class, ".png")), class, 9)
	}
	o := ready(t, settings(dir))
	o.Data.Split = dataset.Split{Val: 0.25}
	run, err := Run(context.Background(), o, Silent)
	must(t, err)
	if run.Images != 18 || run.Computed != 18 || run.TrainRows != 12 || run.ValRows != 4 || run.TestRows != 0 {
		t.Errorf("%d images, %d computed, %d, %d and %d rows", run.Images, run.Computed, run.TrainRows, run.ValRows, run.TestRows)
	}
	if !strings.Contains(strings.Join(run.Warnings, "\n"), "2 images in test have no label") {
		t.Errorf("nobody says so: %q", run.Warnings)
	}
}

// The same command works twice where it writes into the folder of images.
func TestARunInTheFolderOfImagesWorksTwice(t *testing.T) {
	o := settings(photos(t, 2, 8))
	o.Cache.Path, o.Output.Dir = filepath.Join(o.Data.Train, "cache", "features.db"), filepath.Join(o.Data.Train, "runs")
	o = ready(t, o)
	for n := range 3 {
		run, err := Run(context.Background(), o, Silent)
		must(t, err)
		if run.Images != 16 || n > 0 && run.ImagesOpened != 0 {
			t.Errorf("run %d: %d images, %d opened", n, run.Images, run.ImagesOpened)
		}
	}
}

func TestAClassWithoutValidationIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	for class, name := range []string{"cat", "dog"} {
		for i := range 4 {
			writePicture(t, filepath.Join(dir, "train", name, fmt.Sprint(i, ".png")), class, i)
		}
	}
	writePicture(t, filepath.Join(dir, "dev", "cat", "9.png"), 0, 9)
	run, err := Run(context.Background(), ready(t, settings(dir)), Silent)
	must(t, err)
	if want := `no val image of class "dog"`; !strings.Contains(strings.Join(run.Warnings, "\n"), want) {
		t.Errorf("no %s in %q", want, run.Warnings)
	}
}
