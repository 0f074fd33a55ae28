//go:build !nograph

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The gorgonia engine trains the fused engine's head, and an mlp that every other
// command takes.
func TestGorgoniaEngineTrainsHeads(t *testing.T) {
	dir := folder(t, 3, 6)
	train := func(command string, args ...string) map[string]any {
		t.Helper()
		r := icebox(t, dir, append([]string{command, "--data", "photos", "--json", "--weights", "random", "--cache", "f.db", "head.tune=off", "head.epochs=20"}, args...)...)
		if r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.errOut)
		}
		return r.lastJSON(t)
	}
	fused := train("run")
	graph := train("train", "head.engine=gorgonia")
	if a, b := fused["train_loss"].(float64), graph["train_loss"].(float64); a-b > 1e-5*a || b-a > 1e-5*a {
		t.Errorf("train loss %v, fused %v", b, a)
	}
	run := train("train", "head.engine=gorgonia", "head.kind=mlp", "head.hidden=16", "head.dropout=0.1")["run_dir"].(string)
	if text, err := os.ReadFile(filepath.Join(run, "report.txt")); err != nil || !strings.Contains(string(text), "mlp of 16 hidden units, dropout 0.1, on standardised features") {
		t.Errorf("report: %v\n%s", err, text)
	}
	if r := icebox(t, dir, "predict", "--run", run, "photos/b/1.png"); r.code != 0 || !strings.Contains(r.out, "\tb\t") {
		t.Errorf("predict: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "eval", "--run", run); r.code != 0 {
		t.Errorf("eval: exit %d: %s", r.code, r.errOut)
	}
}

// What an engine does not know is said before anything is extracted.
func TestEnginesRefuseWhatTheyDoNotKnow(t *testing.T) {
	dir := folder(t, 2, 1)
	for says, args := range map[string][]string{
		"argument head.kind=mlp: head.kind (mlp) cannot be trained by the engine fused\n  try: head.engine=gorgonia": {"head.kind=mlp"},
		"argument head.nesterov=true: head.nesterov cannot be used by the engine gorgonia\n  try: head.engine=fused": {"head.engine=gorgonia", "head.optimizer=sgd", "head.momentum=0.9", "head.nesterov=true"},
		"head.engine": {"head.engine=torch"},
	} {
		r := icebox(t, dir, append([]string{"run", "--data", "photos", "--weights", "random"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.errOut, says) {
			t.Errorf("%v: exit %d: %s", args, r.code, r.errOut)
		}
		if _, err := os.Stat(filepath.Join(dir, ".icebox")); err == nil {
			t.Fatal("a cache was made")
		}
	}
}
