package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunThenTrainThenPredict(t *testing.T) {
	dir := folder(t, 3, 8)
	base := []string{"--json", "--weights", "random", "--cache", "f.db"}
	cold := icebox(t, dir, append([]string{"run", "--data", "photos", "head.epochs=20", "data.split.test=0.2"}, base...)...)
	if cold.code != 0 {
		t.Fatalf("exit %d: %s", cold.code, cold.errOut)
	}
	first := cold.lastJSON(t)
	for _, key := range []string{"images", "hits", "misses", "images_opened", "bytes_read", "quarantined", "seconds", "engine", "isa", "weights", "run_dir",
		"epochs", "epoch_seconds", "train_loss", "val_acc", "test_acc"} {
		if _, ok := first[key]; !ok {
			t.Errorf("run --json has no %q", key)
		}
	}
	if first["images_opened"] != 24.0 || first["misses"] != 24.0 || first["epochs"] != 20.0 || first["weights"] != "random:0" {
		t.Errorf("cold: %v", first)
	}
	if !strings.Contains(cold.errOut, "random weights") {
		t.Errorf("the output does not say that the weights are random: %s", cold.errOut)
	}
	warm := icebox(t, dir, append([]string{"run", "--data", "photos", "head.epochs=20", "data.split.test=0.2"}, base...)...).lastJSON(t)
	if warm["images_opened"] != 0.0 || warm["hits"] != 24.0 || warm["train_loss"] != first["train_loss"] {
		t.Errorf("warm: %v", warm)
	}

	must(t, os.Rename(filepath.Join(dir, "photos"), filepath.Join(dir, "gone")))
	train := icebox(t, dir, "train", "--json", "--cache", "f.db", "head.epochs=20", "data.split.test=0.2").lastJSON(t)
	if train["train_loss"] != first["train_loss"] || train["test_acc"] != first["test_acc"] {
		t.Errorf("train without the folder: %v", train)
	}

	answer := icebox(t, dir, "predict", "--run", first["run_dir"].(string), "--json", "-k", "2", "gone/b/1.png")
	got := answer.lastJSON(t)
	if answer.code != 0 || got["label"] != "b" || len(got["top"].([]any)) != 2 {
		t.Errorf("predict: %v %s", got, answer.errOut)
	}
	eval := icebox(t, dir, "eval", "--run", first["run_dir"].(string), "--json").lastJSON(t)
	if eval["parts"].(map[string]any)["test"].(map[string]any)["top1"] != first["test_acc"] {
		t.Errorf("eval: %v", eval)
	}
	config, err := os.ReadFile(filepath.Join(first["run_dir"].(string), "config.yaml"))
	must(t, err)
	if !strings.Contains(string(config), "epochs: 20") {
		t.Errorf("config.yaml: %s", config)
	}
}

// L-BFGS stops by itself at the optimum, long before the last epoch it may take, and
// says whether it came there. It has no rate to change.
func TestTrainWithLBFGSConverges(t *testing.T) {
	dir := folder(t, 3, 8)
	r := icebox(t, dir, "run", "--data", "photos", "--json", "--weights", "random", "--cache", "f.db",
		"head.optimizer=lbfgs", "head.epochs=300", "head.weight_decay=0.1", "head.lr=0.1")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	got := r.lastJSON(t)
	n := int(got["epochs"].(float64))
	if n < 2 || n >= 300 || got["stopped"] != "converged" || got["gradient"].(float64) > 1e-7 {
		t.Errorf("lbfgs took %v iterations, stopped by %v at a gradient of %v", n, got["stopped"], got["gradient"])
	}
	if loss := got["train_loss"].(float64); loss <= 0 || loss > 0.7 {
		t.Errorf("train_loss %v: three classes of plain colour are hardly learnt", loss)
	}
	report, err := os.ReadFile(filepath.Join(got["run_dir"].(string), "report.txt"))
	must(t, err)
	if !strings.Contains(string(report), fmt.Sprintf("converged in %d iterations", n)) {
		t.Errorf("report.txt does not say that lbfgs converged: %s", report)
	}
	if !strings.Contains(r.errOut, "note: head.lr: no influence on head.optimizer=lbfgs") || strings.Contains(string(report), "lr 0.1") {
		t.Errorf("a rate is taken for lbfgs': %s%s", r.errOut, report)
	}

	r = icebox(t, dir, "train", "--json", "--cache", "f.db", "head.optimizer=lbfgs", "head.epochs=2")
	if r.code != 0 || !strings.Contains(r.errOut, "not converged") || !strings.Contains(r.errOut, "try head.epochs=1000") || strings.Contains(r.errOut, "steps") || strings.Contains(r.errOut, "another head.lr") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}
