package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"icebox/cmd/internal/exitcode"
	"icebox/config"
	"icebox/pipeline"
	"icebox/pipeline/runs"
)

// npy is a NumPy file of format 1.
func npy(t testing.TB, descr, shape string, values any) []byte {
	t.Helper()
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	out := bytes.NewBufferString("\x93NUMPY\x01\x00")
	out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(head))))
	out.WriteString(head)
	must(t, binary.Write(out, binary.LittleEndian, values))
	return out.Bytes()
}

// featureFolder makes a folder f of features of three classes, with val and test.
func featureFolder(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, sub := range []string{"f", "f/val", "f/test"} {
		const n, dim = 60, 8
		rng := rand.New(rand.NewPCG(uint64(i), 5))
		x, y := make([]float32, n*dim), make([]int64, n)
		for r := range n {
			y[r] = int64(r % 3)
			for j := range dim {
				x[r*dim+j] = float32(rng.NormFloat64())
				if j%3 == r%3 {
					x[r*dim+j]++
				}
			}
		}
		write(t, dir, sub+"/features.npy", npy(t, "<f4", fmt.Sprintf("(%d, %d)", n, dim), x))
		write(t, dir, sub+"/labels.npy", npy(t, "<i8", fmt.Sprintf("(%d,)", n), y))
	}
	return dir
}

// sweepArgs are a sweep of six points with two seeds.
var sweepArgs = []string{"sweep", "--features", "f", "--json", "head.epochs=6", "head.batch_size=16",
	"sweep.axes.lr={log: [1e-3, 1e-1], steps: 3}", "sweep.axes.weight_decay=[0, 0.01]", "sweep.seeds=2"}

func TestSweepThenEval(t *testing.T) {
	dir := featureFolder(t)
	r := icebox(t, dir, sweepArgs...)
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	got := r.lastJSON(t)
	for key, want := range map[string]any{"heads": 12.0, "epochs_run": 72.0, "points": 6.0, "diverged": 0.0, "metric": "val_acc", "train_rows": 60.0, "epochs": 6.0} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	for _, key := range []string{"seconds", "best", "val_acc", "test_acc", "test_acc_interval", "run_dir", "epoch_seconds", "train_loss", "features"} {
		if got[key] == nil {
			t.Errorf("sweep --json has no %s", key)
		}
	}
	said := icebox(t, dir, slices.DeleteFunc(slices.Clone(sweepArgs), func(arg string) bool { return arg == "--json" })...)
	for _, want := range []string{"chosen     lr ", "importance lr", "180 rows of 8 from f", "head-epochs/s"} {
		if !strings.Contains(said.out, want) {
			t.Errorf("the result has no %q: %s", want, said.out)
		}
	}
	for _, want := range []string{"6 points × 2 seeds: 12 heads, 72 epochs in all", "icebox sweep --resume"} {
		if !strings.Contains(r.errOut, want) || !strings.Contains(said.errOut, want) {
			t.Errorf("the notes have no %q: %s", want, said.errOut)
		}
	}
	run := got["run_dir"].(string)
	args := []string{"train", "--features", "f", "--json"}
	for _, s := range got["settings"].([]any) {
		args = append(args, s.(string))
	}
	asked := icebox(t, dir, args...).lastJSON(t)
	if asked["train_loss"] != got["train_loss"] || asked["test_loss"] != got["test_loss"] || !strings.Contains(said.out, "\nsettings   head.tune=off ") {
		t.Errorf("%q trains another head than the sweep: %v, %v", args, asked, said.out)
	}
	eval := icebox(t, dir, "eval", "--run", run, "--json").lastJSON(t)
	if eval["parts"].(map[string]any)["test"].(map[string]any)["top1"] != got["test_acc"] {
		t.Errorf("eval: %v, sweep: %v", eval["parts"], got["test_acc"])
	}
	other := icebox(t, dir, "eval", "--run", run, "--features", "f/test", "--json").lastJSON(t)
	if other["parts"].(map[string]any)["all"].(map[string]any)["top1"] != got["test_acc"] {
		t.Errorf("eval --features: %v, sweep: %v", other["parts"], got["test_acc"])
	}
	r = icebox(t, dir, "eval", "--run", run, "--predictions", "p.csv")
	list, err := os.ReadFile(filepath.Join(dir, "p.csv"))
	must(t, err)
	if n := strings.Count(string(list), "\n"); n != 181 || !strings.Contains(string(list), "\ntest/row 0,test,0,") || !strings.Contains(r.errOut, "predictions are in p.csv") {
		t.Errorf("%d lines of predictions: %s", n, r.errOut)
	}
	write(t, dir, "a.png", pngOf(t, 0, 0))
	if r := icebox(t, dir, "predict", "--run", run, "a.png"); r.code != exitData || !strings.Contains(r.errOut, "what made those of an image is not known here") {
		t.Errorf("predict: exit %d, %s", r.code, r.errOut)
	}
	best := got["best"].(map[string]any)
	train := icebox(t, dir, "train", "--features", "f", "--json", "head.tune=off", "head.epochs=6", "head.batch_size=16", fmt.Sprint("head.lr=", best["lr"]), fmt.Sprint("head.weight_decay=", best["weight_decay"])).lastJSON(t)
	if train["train_loss"] != got["train_loss"] || train["test_acc"] != got["test_acc"] {
		t.Errorf("train with the best options: %v, sweep: %v", train, got)
	}
}

// stopAfter cancels after so many head-epochs.
type stopAfter struct {
	pipeline.Progress
	stage  string
	left   int
	cancel func()
}

func (s *stopAfter) Start(stage string, _ int) { s.stage = stage }

func (s *stopAfter) Add(n int) {
	if s.left -= n; s.stage == "sweep" && s.left < 0 {
		s.cancel()
	}
}

func TestInterruptedSweepGoesOnWithItsOwnSettings(t *testing.T) {
	dir := featureFolder(t)
	args := append(sweepArgs[:len(sweepArgs):len(sweepArgs)], "sweep.method=halving", "data.name=blobs")
	whole := icebox(t, dir, args...).lastJSON(t)

	// The first rung, 12 heads of 2 epochs, is done when the sweep is stopped.
	var over []config.Override
	for _, arg := range args[4:] {
		o, err := config.ParseOverride(arg)
		must(t, err)
		over = append(over, o)
	}
	cfg, err := config.Load(config.Source{Overrides: over, Dir: dir})
	must(t, err)
	o := cfg.Options
	run := pipeline.SweepRun{Choice: pipeline.Choice{Features: filepath.Join(dir, "f")}}
	o.Data.Name = "blobs"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sum, err := pipeline.RunSweep(ctx, o, run, &stopAfter{Progress: pipeline.Silent, left: 25, cancel: cancel})
	if !errors.Is(err, context.Canceled) || sum.Heads != 12 {
		t.Fatalf("%v: %d heads", err, sum.Heads)
	}
	p := &process{dir: dir}
	told := sweepStopped(sum, err)
	if exitcode.Of(told) != exitInterrupted || message(told, exitInterrupted) != "interrupted: 12 heads trained and kept" || !strings.HasPrefix(p.hint(told), "`icebox sweep --resume runs/") {
		t.Errorf("told: %v; try %s", told, p.hint(told))
	}

	if r := icebox(t, dir, "sweep", "--resume", sum.InterruptedAt, "head.weight_decay=0.5"); r.code != exitUsage || !strings.Contains(r.errOut, "head.weight_decay was 0 and is 0.5") {
		t.Errorf("other settings: exit %d, %s", r.code, r.errOut)
	}
	if runtime.GOOS != "windows" {
		other, err := runs.Reopen(sum.InterruptedAt, "")
		must(t, err)
		if r := icebox(t, dir, "sweep", "--resume", sum.InterruptedAt); r.code != exitLocked || !strings.Contains(r.errOut, "goes on") {
			t.Errorf("while another process goes on with it: exit %d, %s", r.code, r.errOut)
		}
		other.Close()
	}
	r := icebox(t, dir, "sweep", "--resume", sum.InterruptedAt, "--json", "output.name=found")
	if r.code != 0 || !strings.HasSuffix(r.lastJSON(t)["run_dir"].(string), "-found") {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	got := r.lastJSON(t)
	if got["resumed"] != 12.0 || got["heads"] != whole["heads"] || got["epochs_run"] != whole["epochs_run"] {
		t.Errorf("resumed: %v, whole: %v", got, whole)
	}
	for _, name := range []string{"head.safetensors", "sweep.jsonl", "sweep.csv"} {
		a, err := os.ReadFile(filepath.Join(whole["run_dir"].(string), name))
		must(t, err)
		b, err := os.ReadFile(filepath.Join(got["run_dir"].(string), name))
		must(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestSweepIsToldWhatIsWrongInOneLine(t *testing.T) {
	dir := featureFolder(t)
	lr := "sweep.axes.lr={log: [1e-4, 1], steps: 1000}"
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"sweep", "--features", "f", lr, "sweep.seeds=11"}, exitUsage, "11,000 heads, more than 10,000\n  try: fewer values or steps in sweep.axes, sweep.method=random, sweep.trials=200 or --yes, which trains them all"},
		{[]string{"sweep", "--features", "f", "--yes", lr, "sweep.axes.weight_decay={log: [1e-6, 1], steps: 1000}", "sweep.axes.label_smoothing={lin: [0, 0.5], steps: 1000}"}, exitUsage, "1,000,000,000 heads"},
		{[]string{"sweep", "--features", "f", "sweep.axes.lr=[]"}, exitUsage, "the list is empty: give it values, such as {log: [1e-4, 1e-1], steps: 7}, or leave the axis out"},
		{[]string{"sweep", "--features", "f", "sweep.folds=21"}, exitData, `class "0" has only 20 training rows`},
		{[]string{"sweep", "--features", "f", "sweep.folds=1", "sweep.axes.lr=[1]"}, exitUsage, "sweep.folds (1)"},
		{[]string{"sweep", "--features", "nowhere", "sweep.axes.lr=[1]"}, exitData, "nowhere\n  try: --features with a folder of features.npy and labels.npy, as `icebox cache export --out DIR` writes it"},
		{[]string{"train", "--quiet", "--features", "f", "head.lr=1e38", "head.optimizer=sgd", "head.input=none"}, exitData, "try: head.lr=0.001, `icebox train --find-lr` or head.input=standardise"},
		{[]string{"train", "--quiet", "--features", "f", "head.class_weights={dog: 2}"}, exitUsage, `"dog" has a weight, but is no class of f; the classes are "0", "1", "2"` + "\n  try: another head.class_weights"},
		{[]string{"train", "--quiet", "--features", "f/val", "head.early_stopping.patience=2"}, exitUsage, "early stopping needs validation images, and there are none"},
		{[]string{"eval", "--features", "f/none", "--run", "f"}, exitData, "holds no head.safetensors"},
		{[]string{"sweep", "--resume", "nowhere"}, exitUsage, "holds no interrupted sweep"},
		{[]string{"sweep", "sweep.axes.lr=[1]"}, exitData, "there is no cache"},
		{[]string{"train", "--features", "f", "--dataset", "x"}, exitUsage, "--features and --dataset"},
		{[]string{"train", "--features", "f", "--data", "x"}, exitUsage, "--features and --data"},
		{[]string{"train", "--features", "f", "--weights", "x"}, exitUsage, "--features and --weights"},
		{[]string{"sweep", "--features", "f", "cache.dtype=float16"}, exitUsage, "--features and cache.dtype"},
		{[]string{"eval", "--run", "f", "--features", "f", "--cache", "x"}, exitUsage, "--features and --cache"},
	} {
		r := icebox(t, dir, c.args...)
		if r.code != c.code || !strings.Contains(r.errOut, c.want) || len(strings.SplitAfter(strings.TrimSpace(r.errOut), "\n")) > 1+strings.Count(r.errOut, "\n  try: ") {
			t.Errorf("%v: exit %d, %s", c.args, r.code, r.errOut)
		}
	}
}

func TestSweepThatDivergedIsNotToBeResumed(t *testing.T) {
	dir := featureFolder(t)
	r := icebox(t, dir, "sweep", "--features", "f", "sweep.axes.lr=[1e38, 2e38]", "head.optimizer=sgd", "head.input=none")
	if r.code != exitData || !strings.Contains(r.errOut, "at lr 1e+38 to 2e+38: a new sweep needs lower rates") || !strings.Contains(r.errOut, "nothing was kept") || strings.Contains(r.errOut, "are kept") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
	advised := icebox(t, dir, "sweep", "--features", "f", "sweep.axes.lr={log: [1e-4, 1e-1], steps: 7}", "head.optimizer=sgd", "head.input=standardise")
	if advised.code != 0 {
		t.Errorf("the advice ends with %d: %s", advised.code, advised.errOut)
	}
}

func TestWeightsByClassAreSwept(t *testing.T) {
	dir := featureFolder(t)
	r := icebox(t, dir, "sweep", "--features", "f", "--json", "sweep.axes.class_weights=[none, {'0': 3, '2': 0.5}]")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	dir = r.lastJSON(t)["run_dir"].(string)
	report, err := os.ReadFile(filepath.Join(dir, "report.txt"))
	must(t, err)
	if !strings.Contains(string(report), `{"0":3,"2":0.5}`) {
		t.Errorf("report.txt: %s", report)
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	must(t, err)
	if !strings.Contains(string(config), `class_weights: [none, {"0": 3, "2": 0.5}]`) {
		t.Errorf("config.yaml: %s", config)
	}
}

func TestTrainOnFeatures(t *testing.T) {
	dir := featureFolder(t)
	got := icebox(t, dir, "train", "--features", "f", "--json", "--quiet").lastJSON(t)
	for _, key := range []string{"epoch_seconds", "train_loss", "val_acc", "test_acc"} {
		if got[key] == nil {
			t.Errorf("train --json has no %s", key)
		}
	}
	must(t, os.RemoveAll(filepath.Join(dir, "f", "val")))
	must(t, os.RemoveAll(filepath.Join(dir, "f", "test")))
	r := icebox(t, dir, "train", "--features", "f", "--json")
	got = r.lastJSON(t)
	if got["train_rows"] != 60.0 || got["val_acc"] != nil || got["test_acc"] != nil {
		t.Errorf("all rows train: %s", r.out)
	}
	sweep := icebox(t, dir, "sweep", "--features", "f", "--json", "sweep.axes.lr=[0.001, 0.01]")
	got = sweep.lastJSON(t)
	if sweep.code != 0 || got["metric"] != "train_loss" || !strings.Contains(sweep.errOut, "says nothing of new images") {
		t.Errorf("a sweep with nothing held out: %s %s", sweep.out, sweep.errOut)
	}
	report, err := os.ReadFile(filepath.Join(got["run_dir"].(string), "report.json"))
	must(t, err)
	if !json.Valid(report) || !strings.Contains(string(report), "nothing was held out") {
		t.Errorf("report: %s", report)
	}
}

func TestSweepWithoutAxesTriesTheDefaultGrid(t *testing.T) {
	dir := featureFolder(t)
	for points, more := range map[float64][]string{18: nil, 8: {"head.optimizer=lbfgs", "head.epochs=200"}} {
		r := icebox(t, dir, append([]string{"sweep", "--features", "f", "--json"}, more...)...)
		if r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.errOut)
		}
		got := r.lastJSON(t)
		if got["points"] != points {
			t.Errorf("%v: %v points", more, got["points"])
		}
		text, err := os.ReadFile(filepath.Join(got["run_dir"].(string), "config.yaml"))
		must(t, err)
		if !strings.Contains(string(text), "axes:\n") {
			t.Errorf("config.yaml: %s", text)
		}
	}
}
