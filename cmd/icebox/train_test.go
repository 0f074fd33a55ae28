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

// What is named of how features were made is not passed over, where the cache has others.
func TestTrainTakesNoOtherFeaturesThanNamed(t *testing.T) {
	dir := folder(t, 2, 6)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random"); r.code != exitOK {
		t.Fatal(r.errOut)
	}
	for _, command := range []string{"train", "sweep"} {
		for option, want := range map[string]string{
			"--weights=random:4": "(weights random:4)", "extract.exif=false": "(photos as the sensor recorded them)", "cache.dtype=float16": "(stored as float16)",
			"backbone.precision=tf32": "(tf32)", "--weights=none.pth": "none.pth: no such file",
			"extract.fit=squash": "(fit squash)", "extract.background=#fff0e0": "(background #fff0e0)", "extract.truncated=accept": "(truncated images: accept)",
		} {
			r := icebox(t, dir, command, "head.epochs=2", option)
			if r.code != exitData && r.code != exitWeights || !strings.Contains(r.errOut, want) {
				t.Errorf("%s %s: exit %d: %s", command, option, r.code, r.errOut)
			}
		}
	}
	for _, options := range [][]string{{"--weights=random"}, {"--weights=auto"}, {"extract.exif=true", "cache.dtype=float32", "backbone.precision=fp32"}, {"extract.fit=crop", "extract.background=", "extract.truncated=refuse"}, {"backbone.device=cpu"}} {
		if r := icebox(t, dir, append([]string{"train", "head.epochs=2"}, options...)...); r.code != exitOK {
			t.Errorf("%v: exit %d: %s", options, r.code, r.errOut)
		}
	}
}

// A head takes the features that it was trained on: what the command line says otherwise is
// refused.
func TestHeadsTakeNoOtherFeaturesThanTheirs(t *testing.T) {
	dir := folder(t, 2, 6)
	weightsFile(t, dir, "w.pth") // random:5
	run := icebox(t, dir, "run", "--data", "photos", "--weights", "random:5", "--json").lastJSON(t)["run_dir"].(string)
	for option, want := range map[string]string{
		"--weights=random:4": "(weights random:4)", "extract.exif=false": "(photos as the sensor recorded them)", "cache.dtype=float16": "(stored as float16)",
		"backbone.precision=fp16": "(fp16)", "--weights=none.pth": "none.pth: no such file", "extract.fit=pad": "(fit pad)",
	} {
		commands := [][]string{{"eval", "--run", run}, {"insight", "--run", run}}
		if strings.HasPrefix(option, "-") {
			commands = append(commands, []string{"predict", "--run", run, "photos/a/1.png"})
		}
		for _, command := range commands {
			if r := icebox(t, dir, append(command, option)...); r.code != exitData && r.code != exitWeights || !strings.Contains(r.errOut, want) {
				t.Errorf("%v %s: exit %d: %s", command, option, r.code, r.errOut)
			}
		}
	}
	for _, option := range []string{"--weights=w.pth", "--weights=auto"} {
		for _, command := range [][]string{{"eval", "--run", run}, {"predict", "--run", run, "photos/a/1.png"}} {
			if r := icebox(t, dir, append(command, option)...); r.code != exitOK {
				t.Errorf("%v %s: exit %d: %s", command, option, r.code, r.errOut)
			}
		}
	}
}
