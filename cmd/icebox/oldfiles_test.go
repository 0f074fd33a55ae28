package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/headtrain"
)

// oldFiles copies what an earlier build wrote (testdata/v0/README.md) to a new folder.
func oldFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "v0"))))
	return dir
}

// sameHead fails if the head in run does not have the bits of that in was.
func sameHead(t *testing.T, run, was string) {
	t.Helper()
	is, err := headtrain.LoadHead(filepath.Join(run, "head.safetensors"))
	must(t, err)
	old, err := headtrain.LoadHead(filepath.Join(was, "head.safetensors"))
	must(t, err)
	if !slices.Equal(is.W, old.W) || !slices.Equal(is.B, old.B) || !slices.Equal(is.Classes, old.Classes) {
		t.Errorf("the head in %s is not that in %s", run, was)
	}
}

var oldOptions = []string{"--json", "--cache", "features.db", "--weights", "random:7", "data.name=images", "data.split.val=0.25", "data.split.test=0.25", "head.tune=off", "head.epochs=12", "head.batch_size=4"}

func TestOldCachesTrainTheHeadsThatTheyDid(t *testing.T) {
	dir := oldFiles(t)
	for run, more := range map[string][]string{
		"plain": {"run", "--data", "images"},
		"stop":  {"train", "head.early_stopping.patience=2", "head.reject.precision=0.6"},
		"mlp":   {"train", "head.engine=gorgonia", "head.kind=mlp", "head.hidden=8"},
		"sweep": {"sweep", "sweep.seeds=2", "sweep.axes.lr=[0.001,0.01,0.1]"},
	} {
		r := icebox(t, dir, append(more, oldOptions...)...)
		if r.code != 0 {
			t.Fatalf("%s: exit %d: %s", run, r.code, r.errOut)
		}
		got := r.lastJSON(t)
		if got["hits"] != 24.0 || got["computed"] != 0.0 || got["known_bad"] != 1.0 {
			t.Errorf("%s: %v hits, %v computed, %v known to be bad", run, got["hits"], got["computed"], got["known_bad"])
		}
		if q, _ := got["quality"].(map[string]any); q["judged"] != 0.0 || q["not_judged"] != 24.0 {
			t.Errorf("%s: an old cache has no numbers of pictures: %v", run, q)
		}
		if run == "mlp" {
			continue // gorgonia's sums are those of the machine
		}
		sameHead(t, got["run_dir"].(string), filepath.Join(dir, "runs", run))
	}
	r := icebox(t, dir, "train", "--json", "--features", "exported", "head.tune=off", "head.epochs=12", "head.batch_size=4")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	sameHead(t, r.lastJSON(t)["run_dir"].(string), filepath.Join(dir, "runs", "arrays"))
}

func TestOldRunsAreJudgedAsTheyWere(t *testing.T) {
	dir := oldFiles(t)
	r := icebox(t, dir, "eval", "--cache", "features.db", "--run", "runs/plain", "--predictions", "now.csv")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	was, now := readCSV(t, filepath.Join(dir, "plain.csv")), readCSV(t, filepath.Join(dir, "now.csv"))
	answered := 0
	for n, row := range now {
		if row["error"] != "" {
			continue // the old file leaves out what has no answer
		}
		old := was[answered]
		answered++
		same := row["path"] == old["path"] && row["part"] == old["part"] && row["truth"] == old["label"] && row["label"] == old["predicted"] && row["unknown"] == "false"
		for _, column := range []string{"probability", "p:dots", "p:lines", "p:rings"} {
			same = same && row[column] == old[column]
		}
		if !same {
			t.Errorf("row %d was\n%v\nand is\n%v", n, old, row)
		}
	}
	if answered != len(was) || len(was) != 24 || len(now) != 25 {
		t.Errorf("%d rows with an answer of %d, and %d before", answered, len(now), len(was))
	}
	for _, run := range []string{"stop", "sweep", "mlp", "arrays"} {
		if r := icebox(t, dir, "eval", "--run", "runs/"+run, "--features", "exported"); r.code != 0 {
			t.Errorf("%s: exit %d: %s", run, r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "insight", "--cache", "features.db", "--run", "runs/plain"); r.code != 0 {
		t.Errorf("insight: exit %d: %s", r.code, r.errOut)
	}
}

// readCSV reads a file with a header, a map a row.
func readCSV(t *testing.T, path string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	must(t, err)
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// A quicker plan, or another instruction set, may change the last digits of a
// prediction: labels are compared.
func TestOldHeadsPredict(t *testing.T) {
	dir := oldFiles(t)
	was, err := os.ReadFile(filepath.Join(dir, "predict.tsv"))
	must(t, err)
	r := icebox(t, dir, "predict", "--run", "runs/plain", "images/lines")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	labels := func(text string) (all []string) {
		for line := range strings.Lines(text) {
			all = append(all, strings.Join(strings.Split(line, "\t")[:2], " "))
		}
		return all
	}
	if got, want := strings.Join(labels(r.out), "\n"), strings.Join(labels(string(was)), "\n"); got != want {
		t.Errorf("predictions were\n%s\nand are\n%s", want, got)
	}
}

func TestAnOldInterruptedSweepGoesOn(t *testing.T) {
	dir := oldFiles(t)
	r := icebox(t, dir, append([]string{"sweep", "--resume", "runs/killed.partial", "sweep.folds=2", "sweep.axes.lr={log: [1e-4, 1e-2], steps: 6}"}, append(oldOptions, "head.epochs=40")...)...)
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	got := r.lastJSON(t)
	if got["resumed"] != 5.0 || got["heads"] != 12.0 {
		t.Errorf("%v of %v heads were there already, want 5 of 12", got["resumed"], got["heads"])
	}
	was, err := os.ReadFile(filepath.Join("testdata", "v0", "runs", "killed.partial", "expected.csv"))
	must(t, err)
	now, err := os.ReadFile(filepath.Join(got["run_dir"].(string), "sweep.csv"))
	must(t, err)
	if !bytes.Equal(was, now) {
		t.Errorf("the table was\n%s\nand is\n%s", was, now)
	}
}
