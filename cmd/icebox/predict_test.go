package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// trainedIn makes photos of two classes in a new folder and trains a head on them.
func trainedIn(t *testing.T) (dir string) {
	t.Helper()
	dir = folder(t, 2, 6)
	r := icebox(t, dir, "run", "-q", "--data", "photos", "--weights", "random:1", "data.split.val=0.4", "head.tune=off")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	return dir
}

func TestAFolderIsScoredIntoAFile(t *testing.T) {
	dir := trainedIn(t)
	write(t, dir, "pool/deep/1.png", pngOf(t, 0, 40))
	write(t, dir, "pool/2.png", pngOf(t, 1, 41))
	write(t, dir, "pool/bad.jpg", []byte("no picture"))
	r := icebox(t, dir, "predict", "--run", "latest", "--data", "pool", "-o", "a.csv")
	if r.code != exitData || !strings.Contains(r.errOut, "some images have no answer: 1 of 3") || !strings.Contains(r.out, "3 rows in a.csv: 2 answered, 1 bad; 0 from the cache, 2 computed") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	rows := readCSV(t, filepath.Join(dir, "a.csv"))
	if len(rows) != 3 || rows[0]["path"] != "2.png" || rows[0]["label"] != "b" || rows[1]["path"] != "bad.jpg" || rows[1]["error"] == "" || rows[2]["path"] != "deep/1.png" || rows[2]["label"] != "a" {
		t.Errorf("%v", rows)
	}
	if r := icebox(t, dir, "predict", "--run", "photos", "--data", "pool", "-o", "a.csv"); r.code != exitUsage || !strings.Contains(r.errOut, "try: another name, or --overwrite") {
		t.Errorf("over a file: exit %d: %s", r.code, r.errOut)
	}
	must(t, os.Remove(filepath.Join(dir, "pool", "bad.jpg")))
	r = icebox(t, dir, "predict", "--run", "latest", "--data", "pool", "-o", "a.csv", "--overwrite", "--json")
	if got := r.lastJSON(t); r.code != 0 || got["rows"] != 2.0 || got["failed"] != 0.0 || got["hits"] != 2.0 || got["computed"] != 0.0 || got["predictions"] != "a.csv" {
		t.Errorf("exit %d: %v", r.code, got)
	}
	r = icebox(t, dir, "predict", "--run", "latest", "--data", "pool", "-o", "-")
	body, err := os.ReadFile(filepath.Join(dir, "a.csv"))
	must(t, err)
	if r.code != 0 || r.out != string(body) {
		t.Errorf("on stdout: exit %d:\n%s, and in the file:\n%s", r.code, r.out, body)
	}
}

func TestNamesThatBreakALineAreQuoted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: such names are not allowed here")
	}
	dir := trainedIn(t)
	odd := "two\nlines\tand a tab.png"
	write(t, dir, "pool/"+odd, pngOf(t, 0, 40))
	for _, args := range [][]string{{"pool"}, {"pool/" + odd}, {"--exact", "pool/" + odd}} {
		r := icebox(t, dir, append([]string{"predict", "--run", "latest"}, args...)...)
		if r.code != 0 || !strings.HasPrefix(r.out, `"pool/two\nlines\tand a tab.png"`+"\ta\t") || strings.Count(r.out, "\n") != 1 {
			t.Errorf("%v: exit %d: %s%s", args, r.code, r.out, r.errOut)
		}
	}
}

func TestQuickAnswersKeepNothing(t *testing.T) {
	dir := trainedIn(t)
	write(t, dir, "new.png", pngOf(t, 1, 50))
	db := filepath.Join(dir, ".icebox", "features.db")
	before, err := os.ReadFile(db)
	must(t, err)
	quick := icebox(t, dir, "predict", "--run", "latest", "new.png")
	after, err := os.ReadFile(db)
	must(t, err)
	if quick.code != 0 || string(before) != string(after) {
		t.Errorf("exit %d, the cache is as it was: %v", quick.code, string(before) == string(after))
	}
	icebox(t, dir, "predict", "--run", "latest", "--exact", "new.png")
	if again := icebox(t, dir, "predict", "--run", "latest", "--exact", "--json", "-o", "x.jsonl", "new.png").lastJSON(t); again["hits"] != 1.0 {
		t.Errorf("--exact kept nothing: %v", again)
	}
	many := []string{"predict", "--run", "latest", "--json"}
	for range mostQuick + 1 {
		many = append(many, "new.png")
	}
	if r := icebox(t, dir, many...); r.code != 0 || strings.Count(r.out, "\n") != mostQuick+1 {
		t.Errorf("many files: exit %d: %s%s", r.code, r.out, r.errOut)
	}
}

func TestPredictRefusesWhatContradictsItself(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"--data and images by name": {"--run", "r", "--data", "d", "a.jpg"},
		"goes alone":                {"--run", "r", "-", "a.jpg"},
		"--top (0)":                 {"--run", "r", "-k", "0", "a.jpg"},
		"needs --run":               {"a.jpg"},
		"ends in \".doc\"":          {"--run", "r", "a.jpg", "-o", "a.doc"},
	} {
		if r := icebox(t, dir, append([]string{"predict"}, args...)...); r.code != exitUsage || !strings.Contains(r.errOut, want) {
			t.Errorf("%v: exit %d: %s, want %s", args, r.code, r.errOut, want)
		}
	}
	if r := icebox(t, dir, "predict", "--run", "latest", "a.jpg"); r.code != exitData || !strings.Contains(r.errOut, "no such run") || !strings.Contains(r.errOut, "try: `icebox runs`") {
		t.Errorf("no run: exit %d: %s", r.code, r.errOut)
	}
}

func TestRunsAreListedAndCompared(t *testing.T) {
	dir := trainedIn(t)
	if r := icebox(t, dir, "train", "-q", "head.tune=off", "head.epochs=1", "head.lr=0.00001", "output.name=weak"); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	r := icebox(t, dir, "runs")
	if r.code != 0 || strings.Count(r.out, "\n") != 3 || !strings.Contains(r.out, "-weak") || !strings.Contains(r.out, "epochs=1 lr=1e-05") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	list := icebox(t, dir, "runs", "--json").lastJSON(t)["runs"].([]any)
	if len(list) != 2 || list[1].(map[string]any)["options"].(map[string]any)["lr"] != "1e-05" || list[0].(map[string]any)["val_acc"] == nil {
		t.Errorf("%v", list)
	}
	r = icebox(t, dir, "runs", "compare", "weak", "photos")
	if r.code != 0 || !strings.Contains(r.out, "4 val images that neither has learned from") || !strings.Contains(r.out, "right alone") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if got := icebox(t, dir, "runs", "compare", "weak", "photos", "--json").lastJSON(t); got["rows"] != 4.0 || got["p"] == nil {
		t.Errorf("%v", got)
	}
	empty := t.TempDir()
	if r := icebox(t, empty, "runs"); r.code != 0 || !strings.Contains(r.out, "there is no run in runs") {
		t.Errorf("no runs: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, empty, "runs", "compare", "one"); r.code != exitUsage {
		t.Errorf("one run: exit %d: %s", r.code, r.errOut)
	}
}

// A name with an escape sequence would clear the screen of whoever lists the folder.
func TestNoNameReachesTheTerminalRaw(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: such names are not allowed here")
	}
	dir := trainedIn(t)
	evil := "x\x1b[2J\nforged\tline.png"
	write(t, dir, "photos/a/"+evil, []byte("no picture"))
	write(t, dir, "photos/b/copy"+evil, pngOf(t, 0, 1)) // the same bytes as photos/a/1.png, under another label
	write(t, dir, "set\x1b[31m.csv", []byte("path,label\nnone\x1b[2J.png,a\n"))
	for _, args := range [][]string{
		{"run", "--data", "photos", "--weights", "random:1", "data.split.val=0.4", "head.tune=off"}, {"train", "head.tune=off"},
		{"insight", "--run", "latest"}, {"eval", "--run", "latest"}, {"predict", "--run", "latest", "photos"}, {"predict", "--run", "latest", "photos/a/" + evil},
		{"run", "--data", "set\x1b[31m.csv"}, {"runs"}, {"cache", "stat"},
	} {
		r := icebox(t, dir, args...)
		if all := r.out + r.errOut; strings.Contains(all, "\x1b") || strings.Contains(all, "\nforged") || all == "" {
			t.Errorf("%q: exit %d: %q", args, r.code, all)
		}
	}
}
