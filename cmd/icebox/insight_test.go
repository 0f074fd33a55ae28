package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInsightPrintsAndWrites(t *testing.T) {
	dir := folder(t, 3, 8)
	run := icebox(t, dir, "run", "--data", "photos", "--weights", "random", "--cache", "f.db", "--json", "head.epochs=20", "data.split.test=0.2",
		"head.reject={coverage: 0.9}", "head.calibrate=false").lastJSON(t)
	runDir := run["run_dir"].(string)
	must(t, os.RemoveAll(filepath.Join(dir, "photos")))
	text := icebox(t, dir, "insight", "--run", runDir)
	if text.code != 0 || !strings.Contains(text.out, "insight on photos: 24 labelled images, 3 classes") || !strings.Contains(text.out, "LEARNING CURVE") {
		t.Errorf("exit %d: %s%s", text.code, text.out, text.errOut)
	}
	got := icebox(t, dir, "insight", "--run", runDir, "--json", "--near", "0.99").lastJSON(t)
	if got["images"] != 24.0 || got["copies"].(map[string]any)["cosine"].(float64) < 0.98 {
		t.Errorf("%v", got)
	}
	for _, name := range []string{"insight.json", "insight.txt", "suspects.csv", "copies.csv"} {
		if !isFile(filepath.Join(runDir, name)) {
			t.Errorf("there is no %s", name)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"insight"}, exitUsage, "insight needs --run RUN"},
		{[]string{"insight", "--run", runDir, "--near", "0"}, exitUsage, "--near (0) must be a cosine"},
		{[]string{"insight", "--run", "nowhere"}, exitData, "nowhere"},
		{[]string{"insight", "--run", runDir, "--dataset", "other"}, exitData, `no dataset "other"`},
	} {
		if r := icebox(t, dir, c.args...); r.code != c.code || !strings.Contains(r.errOut, c.say) {
			t.Errorf("%v: exit %d, %s", c.args, r.code, r.errOut)
		}
	}
}

func TestUnknownImagesArePrinted(t *testing.T) {
	dir := folder(t, 3, 9)
	run := icebox(t, dir, "run", "--data", "photos", "--weights", "random", "--cache", "f.db", "--json", "data.split.val=0.4", "head.epochs=1",
		"head.lr=1e-5", "head.reject.coverage=0.3").lastJSON(t)
	r := icebox(t, dir, "predict", "--run", run["run_dir"].(string), "-k", "2", "photos")
	unknown := 0
	for line := range strings.Lines(r.out) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 4 {
			t.Errorf("%d fields: %q", len(fields), line)
		}
		if fields[1] == "unknown" {
			unknown++
			if !strings.Contains(fields[2], " 0.") {
				t.Errorf("an unknown image's first candidate has no name: %q", line)
			}
		}
	}
	if r.code != 0 || unknown == 0 || unknown == 27 {
		t.Errorf("exit %d, %d unknown: %s", r.code, unknown, r.out)
	}
}
