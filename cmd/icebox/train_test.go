package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAverageOverMoreStepsThanThereWereIsNoted(t *testing.T) {
	dir := featureFolder(t)
	note := "moving average of the weights"
	r := icebox(t, dir, "train", "--features", "f", "head.tune=off", "head.ema=0.9", "head.batch_size=16")
	if want := note + " (ema 0.9) takes in some 10 steps, but training took only 40: try a smaller head.ema or head.epochs=13"; r.code != 0 || !strings.Contains(r.errOut, want) {
		t.Errorf("exit %d: no %q in %s", r.code, want, r.errOut)
	}
	for _, args := range [][]string{{"head.ema=0.9", "head.epochs=13"}, {"head.epochs=1"}} {
		if r := icebox(t, dir, append([]string{"train", "--features", "f", "head.tune=off", "head.batch_size=16"}, args...)...); r.code != 0 || strings.Contains(r.errOut, note) {
			t.Errorf("%v: exit %d: %s", args, r.code, r.errOut)
		}
	}
}

// Without an option, train chooses one. What it chose stands in a line, and in the run's
// configuration, which trains no other head.
func TestTrainWithoutOptionsTunes(t *testing.T) {
	dir := featureFolder(t)
	r := icebox(t, dir, "train", "--features", "f")
	if r.code != 0 || !strings.Contains(r.out, "\ntuned      lbfgs, weight decay ") || !strings.Contains(r.out, "in 5 folds of 60 images") {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	first := icebox(t, dir, "train", "--features", "f", "--json").lastJSON(t)
	text, err := os.ReadFile(filepath.Join(first["run_dir"].(string), "config.yaml"))
	must(t, err)
	for _, line := range []string{"  tune: \"off\"\n", "  optimizer: lbfgs\n", "  epochs: 1000\n"} {
		if !strings.Contains(strings.ReplaceAll(string(text), "tune: off", `tune: "off"`), line) {
			t.Errorf("config.yaml lacks %q: %s", line, text)
		}
	}
	again := icebox(t, dir, "train", "--features", "f", "--json", "-c", filepath.Join(first["run_dir"].(string), "config.yaml")).lastJSON(t)
	if again["train_loss"] != first["train_loss"] || again["tuned"] != nil {
		t.Errorf("again: %v, first: %v", again, first)
	}
	// So do the settings that it prints.
	var settings []string
	for _, s := range first["settings"].([]any) {
		settings = append(settings, s.(string))
	}
	if line := "\nsettings   " + strings.Join(settings, " ") + "\n"; !strings.Contains(r.out, line) || !strings.Contains(line, " head.tune=off ") || !strings.Contains(line, " head.optimizer=lbfgs ") || strings.Contains(line, "head.lr") {
		t.Errorf("settings %q in %s", line, r.out)
	}
	asked := icebox(t, dir, append([]string{"train", "--features", "f", "--json"}, settings...)...).lastJSON(t)
	if asked["settings"] != nil {
		t.Errorf("nothing was chosen, and the settings are %v", asked["settings"])
	}
	var heads []string
	for _, run := range []map[string]any{first, again, asked} {
		head, err := os.ReadFile(filepath.Join(run["run_dir"].(string), "head.safetensors"))
		must(t, err)
		heads = append(heads, string(head))
	}
	if heads[0] != heads[1] || heads[0] != heads[2] {
		t.Errorf("the head of the run's configuration is another one: %s", text)
	}
}

// The seed's recipe, Adam for 10 epochs at a rate of 1e-3, is a line away.
func TestTrainWithoutTuningIsTheSeedsRecipe(t *testing.T) {
	dir := featureFolder(t)
	off := icebox(t, dir, "train", "--features", "f", "--json", "head.tune=off").lastJSON(t)
	named := icebox(t, dir, "train", "--features", "f", "--json", "head.lr=0.001", "head.weight_decay=0", "head.epochs=10", "head.optimizer=adam", "head.schedule=constant").lastJSON(t)
	if off["epochs"] != 10.0 || off["tuned"] != nil || named["tuned"] != nil || off["train_loss"] != named["train_loss"] {
		t.Errorf("off: %v, all named: %v", off, named)
	}
}

func TestANamedOptionIsKept(t *testing.T) {
	dir := featureFolder(t)
	got := icebox(t, dir, "train", "--features", "f", "--json", "head.lr=0.02", "head.batch_size=16").lastJSON(t)
	if o := got["tuned"].(map[string]any)["options"].(map[string]any); o["lr"] != 0.02 || o["optimizer"] != "adam" || o["schedule"] != "cosine" {
		t.Errorf("tuned: %v", o)
	}
}
