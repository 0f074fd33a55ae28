package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/dataset"
)

// A class is added to pictures that no longer exist: their features and labels are in the
// cache.
func TestAClassIsAddedToAStoredDataset(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 10)
	o := ready(t, settings(dir))
	first, err := Run(ctx, o, Silent)
	must(t, err)
	parts := partsOf(t, o, "photos")
	must(t, os.RemoveAll(dir))

	more := filepath.Join(t.TempDir(), "more")
	for i := range 10 {
		writePicture(t, filepath.Join(more, "class2", string(rune('a'+i))+".png"), 2, i)
	}
	time.Sleep(settle)
	o.Data.Train, o.Data.Also = dataset.Stored+"photos", []string{more}
	run, err := Run(ctx, o, Silent)
	must(t, err)
	if run.Images != 30 || run.Hits != 20 || run.Computed != 10 || run.Dataset != "photos+more" || run.ValRows != first.ValRows+2 || run.TestRows != first.TestRows+2 {
		t.Errorf("%+v", run)
	}
	rep, _ := reportOf(t, run)
	learned := !raceEnabled // its stand-in for the backbone tells no three classes apart
	if len(rep.Classes) != 3 || learned && rep.Parts["test"].Top1 < 0.8 {
		t.Errorf("classes %v, accuracy %v", rep.Classes, rep.Parts["test"].Top1)
	}
	for path, part := range partsOf(t, o, "photos+more") {
		if was, ok := parts[strings.TrimPrefix(path, "photos/")]; ok && was != part {
			t.Errorf("%s was in %s and is in %s now", path, was, part)
		}
	}
	again, err := Run(ctx, o, Silent)
	must(t, err)
	if again.Hits != 30 || again.ImagesOpened != 0 || *again.TestAcc != *run.TestAcc {
		t.Errorf("the second time: %+v", again)
	}
	trained, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if trained.Dataset != "photos+more" || len(trained.Warnings) != len(again.Warnings) {
		t.Errorf("trained on %s: %v, and the run said %v", trained.Dataset, trained.Warnings, again.Warnings)
	}
	rows, sum := scored(t, *run.RunDir, o, dataset.Place{Path: dataset.Stored + "photos"})
	if len(rows) != 20 || sum.Hits != 20 || rows[0].Err != "" || learned && rows[0].Label != "class0" {
		t.Errorf("%d rows of pictures that are gone, the first %+v", len(rows), rows[0])
	}
}

// partsOf are the parts of a dataset's items, by path.
func partsOf(t *testing.T, o Options, name string) map[string]string {
	t.Helper()
	list := map[string]string{}
	for line := range strings.Lines(string(exported(t, o, Choice{Dataset: name})["index.csv"])) {
		fields := strings.Split(line, ",")
		list[fields[1]] = fields[3]
	}
	return list
}
