package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// commandCases are a success and a failure of every command, in a folder with photos, a
// folder f of features, weights w.pth and the run that the first line makes.
func commandCases(run string) []struct{ good, bad []string } {
	data := []string{"--data", "photos", "--weights", "random", "--cache", "f.db"}
	with := func(command string, more ...string) []string { return slices.Concat([]string{command}, data, more) }
	words := strings.Fields
	return []struct{ good, bad []string }{
		{with("run", "head.epochs=3", "data.split.test=0.2"), words("run --data nowhere --weights random")},
		{with("run", "--dry-run"), words("run --dry-run")},
		{with("extract"), words("extract --weights none.pth --data photos")},
		{words("train --cache f.db head.epochs=2"), words("train --cache none.db")},
		{words("train --features f --find-lr"), words("train --features f --find-lr head.optimizer=lbfgs")},
		{words("sweep --features f head.epochs=2 sweep.axes.lr=[0.001,0.01]"), words("sweep --features f sweep.axes.lr=[]")},
		{words("eval --run " + run), words("eval --run photos/a")},
		{words("insight --run " + run), words("insight --run " + run + " --near 2")},
		{words("predict --run " + run + " photos/a/0.png"), words("predict --run " + run + " photos/none.png")},
		{words("export --run " + run + " --format sklearn --out lr.npz"), words("export --run " + run + " --format sklearn")},
		{nil, words("studio --cache none.db")},
		{words("corrections show c.csv"), words("corrections show none.csv")},
		{words("corrections moves c.csv"), words("corrections moves photos/a/0.png")},
		{words("cache stat --cache f.db"), words("cache stat --cache none.db")},
		{words("cache verify --cache f.db"), words("cache verify --cache w.pth")},
		{words("cache export --cache f.db --out exported"), words("cache export --cache f.db")},
		{words("cache compact --cache f.db"), words("cache compact --cache w.pth")},
		{nil, words("cache drop --cache f.db --space zz")},
		{words("config init new.yaml"), words("config init w.pth")},
		{words("config show head.lr=1"), words("config show head.lr=fast")},
		{words("config check"), words("config check head.lrr=1")},
		{words("config keys"), words("config keys more")},
		{words("config schema"), words("config schema more")},
		{words("weights where"), words("weights where more")},
		{words("weights inspect w.pth"), words("weights inspect none.pth")},
		{words("weights convert w.pth w.safetensors"), words("weights convert w.pth w.pth")},
		{nil, words("weights fetch --url http://127.0.0.1:1/resnet18-00000000.pth")},
		{words("bench head --rows 60 --dim 8 --classes 2 --epochs 1 --threads 1"), words("bench head --rows 0")},
		{words("bench forward --weights random --threads 1 --batch 1 --seconds 0.01"), words("bench forward --batch 0")},
		{words("bench preprocess --weights random --threads 1 --batch 1 --seconds 0.01 --data photos"), words("bench preprocess --weights random --data nowhere")},
		{words("doctor --data photos"), words("doctor --data nowhere")},
		{words("version"), words("version more")},
		{nil, words("quickstart --weights none.pth")},
		{nil, words("nonsense")},
		{nil, words("run --nonsense")},
	}
}

// With --json, stdout of a success and of a failure is JSON alone, its last line one
// object; that of a failure says what is wrong, with which code, and what would help.
func TestEveryCommandPrintsOneObject(t *testing.T) {
	dir := folder(t, 2, 6)
	must(t, copyFeatures(t, dir))
	weightsFile(t, dir, "w.pth")
	run := icebox(t, dir, append(commandCases("")[0].good, "--json")...).lastJSON(t)["run_dir"].(string)
	for _, c := range commandCases(run) {
		if c.good != nil {
			r := icebox(t, dir, append(c.good, "--json")...)
			if r.code != 0 {
				t.Errorf("%v: exit %d: %s", c.good, r.code, r.errOut)
			}
			if got := r.lastJSON(t); got["error"] != nil {
				t.Errorf("%v: %v", c.good, got)
			}
			onlyJSON(t, c.good, r.out)
		}
		r := icebox(t, dir, append(c.bad, "--json")...)
		got := r.lastJSON(t)
		hint, _ := got["hint"].(string)
		said, _ := got["error"].(string)
		if r.code == 0 || got["code"] != float64(r.code) || said == "" || len(got) != 3 {
			t.Errorf("%v: exit %d: %s", c.bad, r.code, r.out)
		}
		want := "icebox: " + strings.ReplaceAll(said, "\n", "\n  ") + "\n"
		if hint != "" {
			want += "  try: " + hint + "\n"
		}
		if !strings.HasSuffix(r.errOut, want) {
			t.Errorf("%v: stderr does not end in %q: %s", c.bad, want, r.errOut)
		}
		onlyJSON(t, c.bad, r.out)
	}
}

func onlyJSON(t *testing.T, args []string, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%v: a line of stdout is no JSON: %s", args, line)
		}
	}
}

// copyFeatures makes a folder f of features in dir, and a file of corrections.
func copyFeatures(t *testing.T, dir string) error {
	t.Helper()
	write(t, dir, "c.csv", []byte("action,path,sha256,old,new,when\nrelabel,a/0.png,"+strings.Repeat("0", 64)+",a,b,2026-11-27T12:00:00Z\n"))
	return copyDir(filepath.Join(dir, "f"), filepath.Join(featureFolder(t), "f"))
}
