package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// corrected writes a file of corrections of the images of o's dataset, as the cache has them.
func corrected(t *testing.T, o Options, say func(ds *dataset.Dataset, it *dataset.Item) corrections.Change) Options {
	t.Helper()
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	ds, err := dataset.Load(c, dataset.ForTraining, dataset.Names(c, dataset.ForTraining)[0])
	must(t, err)
	o.Data.Corrections = filepath.Join(t.TempDir(), "corrections.csv")
	l, err := corrections.Open(o.Data.Corrections)
	must(t, err)
	defer l.Close()
	for i := range ds.Items {
		it := &ds.Items[i]
		if change := say(ds, it); change.Action != "" {
			change.Path, change.Hash, change.Old, change.When = ds.Display(it), it.Hash, ds.Class(it), time.Unix(0, 0)
			must(t, l.Append(change))
		}
	}
	return o
}

// Corrections change labels of training, and those of held-out images beside the given
// ones; taken away, everything is as it was.
func TestCorrectionsAreAnOverlay(t *testing.T) {
	if raceEnabled {
		t.Skip("skipped: it wants the real backbone, whose features tell classes apart, and which takes minutes under the race detector")
	}
	ctx := context.Background()
	o := ready(t, settings(photos(t, 3, 10)))
	plain, err := Run(ctx, o, Silent)
	must(t, err)
	if plain.Corrections != nil || *plain.TestAcc != 1 {
		t.Fatalf("without corrections: %+v", plain.TrainSummary)
	}
	// One test image and one training image of class 0 are told to be of class 1.
	seen := map[dataset.Part]bool{}
	with := corrected(t, o, func(ds *dataset.Dataset, it *dataset.Item) (c corrections.Change) {
		if ds.Class(it) == "class0" && it.Part != dataset.Val && !seen[it.Part] {
			seen[it.Part] = true
			c = corrections.Change{Action: corrections.Relabel, New: "class1"}
		}
		return c
	})
	for _, train := range []func() (*report.RunSummary, error){
		func() (*report.RunSummary, error) { return Run(ctx, with, Silent) },
		func() (*report.RunSummary, error) { return Train(ctx, with, Choice{}, Silent) },
	} {
		sum, err := train()
		must(t, err)
		c := sum.Corrections
		if c == nil || c.Changed != 2 || c.Excluded+c.Confirmed+c.Stale+c.Gone != 0 || len(c.Parts) != 1 || len(c.SHA256) != 64 {
			t.Fatalf("corrections: %+v", c)
		}
		if p := c.Parts["test"]; p.Changed != 1 || p.Images != sum.TestRows || p.Accuracy >= *sum.TestAcc || p.Interval == nil {
			t.Errorf("by the corrected labels: %+v, by the given ones %v", p, *sum.TestAcc)
		}
		if *sum.TestAcc != 1 || sum.TestRows != plain.TestRows || sum.TrainLoss == plain.TrainLoss {
			t.Errorf("with corrections: %+v", sum.TrainSummary)
		}
		copied, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.CorrectionsFile))
		must(t, err)
		if was, _ := os.ReadFile(with.Data.Corrections); !bytes.Equal(was, copied) {
			t.Error("the run has no copy of the corrections")
		}
		text, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.ReportTextFile))
		must(t, err)
		var terminal strings.Builder
		sum.Text(&terminal, report.Style{})
		for _, s := range []string{string(text), terminal.String()} {
			if !strings.Contains(s, "by the corrected labels: test 83.33 % (6 images, 1 corrected)") {
				t.Errorf("nothing is said of corrected labels:\n%s", s)
			}
		}
	}
	e, err := Eval(ctx, EvalOptions{Run: *plain.RunDir}, with, Silent)
	must(t, err)
	if e.Corrections == nil || e.Parts["test"].Top1 != 1 || e.Corrections.Parts["test"].Accuracy >= 1 {
		t.Errorf("eval: %+v", e.Corrections)
	}
	again, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if again.TrainLoss != plain.TrainLoss || again.Corrections != nil {
		t.Errorf("the corrections stay: %+v", again.TrainSummary)
	}
}

// An excluded image is in no part, and one that is confirmed is no suspect.
func TestExcludedAndConfirmedImages(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 12)
	must(t, os.Rename(filepath.Join(dir, "class0", "003.png"), filepath.Join(dir, "class1", "wrong.png")))
	o := ready(t, settings(dir))
	plain, err := Run(ctx, o, Silent)
	must(t, err)
	suspects := func(o Options) (paths []string) {
		t.Helper()
		i, err := Inspect(ctx, *plain.RunDir, o, Choice{}, 0.7, Silent)
		must(t, err)
		for _, s := range i.Suspects {
			paths = append(paths, s.Path)
		}
		return paths
	}
	if got := suspects(o); !slices.Contains(got, "class1/wrong.png") {
		t.Fatalf("suspects are %v", got)
	}
	confirmed := corrected(t, o, func(ds *dataset.Dataset, it *dataset.Item) (c corrections.Change) {
		if ds.Display(it) == "class1/wrong.png" {
			c.Action = corrections.Confirm
		}
		return c
	})
	if got := suspects(confirmed); slices.Contains(got, "class1/wrong.png") {
		t.Errorf("a confirmed label is suspect: %v", got)
	}
	excluded := corrected(t, o, func(ds *dataset.Dataset, it *dataset.Item) (c corrections.Change) {
		if it.Part != dataset.Val {
			c.Action = corrections.Exclude
		}
		if it.Part == dataset.Train && seenBefore(ds, it) {
			c.Action = ""
		}
		return c
	})
	sum, err := Train(ctx, excluded, Choice{}, Silent)
	must(t, err)
	if sum.TrainRows != plain.TrainRows-2 || sum.TestRows != plain.TestRows || *sum.TestAcc != *plain.TestAcc {
		t.Errorf("excluded: %+v, without: %+v", sum.TrainSummary, plain.TrainSummary)
	}
	if _, ok := sum.Corrections.Parts["test"]; ok {
		t.Error("no test image is left, and they are judged")
	}
}

// seenBefore reports whether an item is not the first of its class in training.
func seenBefore(ds *dataset.Dataset, it *dataset.Item) bool {
	for i := range ds.Items {
		if other := &ds.Items[i]; other.Label == it.Label && other.Part == dataset.Train {
			return other != it
		}
	}
	return false
}

// A folder without labels can be taught by corrections alone.
func TestCorrectionsTeachFromNothing(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 6)
	flat := filepath.Join(t.TempDir(), "flat")
	must(t, os.MkdirAll(flat, 0o755))
	for _, class := range []string{"class0", "class1"} {
		entries, err := os.ReadDir(filepath.Join(dir, class))
		must(t, err)
		for _, e := range entries {
			must(t, os.Rename(filepath.Join(dir, class, e.Name()), filepath.Join(flat, class+"-"+e.Name())))
		}
	}
	time.Sleep(settle)
	o := settings(flat)
	o.Data.Split = dataset.Split{}
	o = ready(t, o)
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	if _, err := Run(ctx, o, Silent); !errors.Is(err, dataset.ErrData) {
		t.Fatalf("without labels: %v", err)
	}
	taught := corrected(t, o, func(ds *dataset.Dataset, it *dataset.Item) corrections.Change {
		class, _, _ := strings.Cut(it.Path, "-")
		return corrections.Change{Action: corrections.Relabel, New: class}
	})
	sum, err := Run(ctx, taught, Silent)
	must(t, err)
	if sum.TrainRows != 12 || sum.Corrections.Changed != 12 {
		t.Errorf("taught: %+v", sum.TrainSummary)
	}
}

func TestCorrectionsThatCannotBeUsed(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 6)))
	o.Data.Corrections = filepath.Join(t.TempDir(), "none.csv")
	if _, err := Run(ctx, o, Silent); !errors.Is(err, corrections.ErrMissing) || !strings.Contains(err.Error(), o.Data.Corrections) {
		t.Errorf("run: %v", err)
	}
	if _, err := os.Stat(o.Output.Dir); err == nil {
		t.Error("something was done before the error")
	}
	good := o
	good.Data.Corrections = ""
	_, err := Extract(ctx, good, Silent)
	must(t, err)
	if _, err := RunSweep(ctx, o, SweepRun{}, Silent); !errors.Is(err, corrections.ErrMissing) {
		t.Errorf("sweep: %v", err)
	}
	other := corrected(t, o, func(ds *dataset.Dataset, it *dataset.Item) corrections.Change {
		return corrections.Change{Action: corrections.Confirm}
	})
	must(t, os.Rename(filepath.Join(o.Data.Train, "class0", "000.jpg"), filepath.Join(o.Data.Train, "class1", "renamed.jpg")))
	writePicture(t, filepath.Join(o.Data.Train, "class1", "001.png"), 1, 100)
	must(t, os.Remove(filepath.Join(o.Data.Train, "class1", "003.png")))
	f, err := os.OpenFile(other.Data.Corrections, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString("relabel,half a li")
	must(t, errors.Join(err, f.Close()))
	time.Sleep(settle)
	sum, err := Run(ctx, other, Silent)
	must(t, err)
	c := sum.Corrections
	// The renamed image is of another class now, which nobody has confirmed.
	if c.Confirmed != 9 || c.Stale != 1 || c.Gone != 1 {
		t.Errorf("corrections: %+v", c)
	}
	said := strings.Join(sum.Warnings, "\n")
	if !strings.Contains(said, "without effect") || !strings.Contains(said, "line 14, is not whole") {
		t.Errorf("said: %s", said)
	}
}

// A source of a folder of features takes corrections, too.
func TestCorrectionsOfAFolderOfFeatures(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 3, 6)))
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	dir := filepath.Join(t.TempDir(), "rows")
	_, err = features.Export(o.Cache.Path, features.ExportOptions{Dir: dir})
	must(t, err)
	with := corrected(t, o, func(ds *dataset.Dataset, it *dataset.Item) (c corrections.Change) {
		if ds.Class(it) == "class2" {
			c = corrections.Change{Action: corrections.Relabel, New: "class1"}
		}
		return c
	})
	src, err := openSource(ctx, with, Choice{Features: dir}, journal.New(Silent, nil))
	must(t, err)
	defer src.Close()
	if got := src.Dataset().Classes; !slices.Equal(got, []string{"class0", "class1"}) {
		t.Errorf("classes %v", got)
	}
}
