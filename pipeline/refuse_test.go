package pipeline

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

func TestWhatTheRowsCannotDoIsToldInOneLine(t *testing.T) {
	weigh := func(class string) func(*folderOptions) {
		return func(o *folderOptions) {
			o.Head.ClassWeights = headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: map[string]float64{class: 2, "1": 1}}
		}
	}
	remove := func(name string) func(*folderOptions) {
		return func(o *folderOptions) { must(t, os.RemoveAll(filepath.Join(o.Features, name))) }
	}
	for _, c := range []struct {
		name string
		set  func(*folderOptions)
		is   error
		want []string
	}{
		{"an unknown class", weigh("dog"), headtrain.ErrOptions, []string{`"dog" has a weight, but is no class of`, `the classes are "0", "1", "2"`}},
		{"early stopping without validation", func(o *folderOptions) { o.Head.EarlyStopping.Patience = 3; remove("val")(o) }, headtrain.ErrOptions,
			[]string{"early stopping needs validation images", "a folder val", "Head.EarlyStopping.Patience = 0"}},
		{"no folder", remove(""), dataset.ErrData, []string{"there is no folder ", "features.npy and labels.npy"}},
		{"a file", func(o *folderOptions) { o.Features = filepath.Join(o.Features, "features.npy") }, dataset.ErrData, []string{"features.npy is a file"}},
		{"no features", remove("features.npy"), dataset.ErrData, []string{"there is no features.npy in "}},
		{"no labels", remove("val/" + "labels.npy"), dataset.ErrData, []string{"there is no labels.npy in ", filepath.FromSlash("/val")}},
	} {
		o := featureOptions(t)
		c.set(&o)
		_, err := o.train()
		o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{0.01}}}
		_, swept := o.sweep(context.Background(), "", Silent)
		for _, err := range []error{err, swept} {
			if !errors.Is(err, c.is) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			for _, want := range c.want {
				if !strings.Contains(told(err), want) {
					t.Errorf("%s: no %q in %s", c.name, want, told(err))
				}
			}
		}
		if c.name == "early stopping without validation" && !strings.Contains(told(swept), "try Sweep.Folds = 5") {
			t.Errorf("a sweep is told nothing of folds: %v", swept)
		}
		if left, _ := os.ReadDir(o.Output.Dir); len(left) > 0 {
			t.Errorf("%s: left %v", c.name, left)
		}
	}
}

func TestNearClass(t *testing.T) {
	classes := []string{"airplane", "automobile", "cat", "Dog"}
	for name, want := range map[string]string{"airplnae": "airplane", "Cats": "cat", "dog ": "Dog", "aardvark": "", "x": "", "": ""} {
		if got := nearClass(name, classes); got != want {
			t.Errorf("%q is taken for %q", name, got)
		}
	}
}

// TestGuessingIsTheBestOneAnswer tries answers beside the one that guessing gives.
func TestGuessingIsTheBestOneAnswer(t *testing.T) {
	d := &headtrain.Dataset{Classes: []string{"a", "b", "c"}, Labels: []int32{0, 0, 0, 0, 0, 0, 1, 1, 1, 2}}
	share := []float64{0.6, 0.3, 0.1}
	entropy := -0.6*math.Log(0.6) - 0.3*math.Log(0.3) - 0.1*math.Log(0.1)
	smooth := 0.0
	for _, s := range share {
		smooth -= s * math.Log(0.9*s+0.1/3)
	}
	for _, c := range []struct {
		options headtrain.Options
		want    float64
	}{
		{headtrain.Options{}, entropy},
		{headtrain.Options{LabelSmoothing: 0.1}, smooth},
		{headtrain.Options{ClassWeights: headtrain.ClassWeights{Mode: headtrain.WeightsBalanced}}, math.Log(3)},
		{headtrain.Options{ClassWeights: headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: map[string]float64{"a": 2, "c": 0}}}, math.Inf(1)},
	} {
		if got := guessing(c.options, d); math.Abs(got-c.want) > 1e-12 && got != c.want {
			t.Errorf("%+v: %v, want %v", c.options, got, c.want)
		}
	}
	d.Labels = d.Labels[:9]
	d.Classes = d.Classes[:2]
	o := headtrain.Options{ClassWeights: headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: map[string]float64{"a": 2}}}
	weighted := -2.0/3*math.Log(0.8) - 1.0/3*math.Log(0.2)
	if got := guessing(o, d); math.Abs(got-weighted) > 1e-12 {
		t.Errorf("weighted: %v, want %v", got, weighted)
	}
}

func TestAHeadWorseThanGuessingIsSaid(t *testing.T) {
	said := func(warnings []string) string {
		for _, w := range warnings {
			if strings.Contains(w, "WORSE THAN GUESSING") {
				return w
			}
		}
		return ""
	}
	o := featureOptions(t)
	good, err := o.train()
	must(t, err)
	if w := said(good.Warnings); w != "" {
		t.Errorf("of a good head: %s", w)
	}
	o.Head.Optimizer, o.Head.LR = headtrain.OptimizerSGD, 1e30
	absurd, err := o.train()
	must(t, err)
	if w := said(absurd.Warnings); !strings.Contains(w, "each class is, has 1.099;") || !strings.Contains(w, "the learning rate 1e+30 is too large: try Head.LR = 0.001") {
		t.Errorf("of an absurd one, of loss %v: %q", absurd.TrainLoss, w)
	}
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{1e30}}}
	swept, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if w := said(swept.Warnings); !strings.Contains(w, "learning rate 1e+30") {
		t.Errorf("of a sweep's winner: %q", w)
	}
	labels := make([]int64, 90)
	copy(labels, []int64{1, 1, 1, 2, 2, 2})
	writeFile(t, filepath.Join(o.Features, "labels.npy"), npyBytes(t, "<i8", "(90,)", labels))
	o.Head.LR = 1e-9 // and the answer stays a third each
	idle, err := o.train()
	must(t, err)
	if w := said(idle.Warnings); !strings.Contains(w, "try looking for a learning rate") || strings.Contains(w, "too large") {
		t.Errorf("of one that stood still: %q", w)
	}
}

func TestTheLastEpochsHeadIsKeptToo(t *testing.T) {
	o := featureOptions(t)
	o.Head.LR, o.Head.Epochs = 0.3, 40
	o.Head.EarlyStopping = headtrain.EarlyStopping{Patience: 2, Metric: headtrain.MetricValLoss}
	sum, err := o.train()
	must(t, err)
	if sum.BestEpoch == sum.Epochs {
		t.Fatalf("the best epoch is the last, %d", sum.Epochs)
	}
	path := filepath.Join(*sum.RunDir, runs.LastFile)
	last, _, err := runs.Head(path)
	must(t, err)
	// Trained for just so many epochs, a head is that of the last one.
	o.Head.EarlyStopping.Patience, o.Head.Epochs = 0, sum.Epochs
	again, err := o.train()
	must(t, err)
	if !sameWeights(last, headOf(t, again.RunDir)) || sameWeights(last, headOf(t, sum.RunDir)) {
		t.Error("last.safetensors is not the head of the last epoch")
	}
	e, err := Eval(context.Background(), EvalOptions{Run: path, Choice: Choice{}}, Default(), Silent)
	must(t, err)
	if e.Parts["test"].Loss != *again.TestLoss {
		t.Errorf("eval of the last head: %v, want %v", e.Parts["test"].Loss, *again.TestLoss)
	}
	if _, err := os.Stat(filepath.Join(*again.RunDir, runs.LastFile)); err == nil {
		t.Error("without early stopping there are two heads")
	}
	o.Head.EarlyStopping.Patience, o.Head.Epochs = 2, 40
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{0.3}}}
	swept, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if _, err := os.Stat(filepath.Join(*swept.RunDir, runs.LastFile)); err == nil || !sameWeights(headOf(t, swept.RunDir), headOf(t, sum.RunDir)) {
		t.Error("a sweep keeps the last epoch's head, or another best one")
	}
}

func TestSummaryHasBothNumbersOfBothHeads(t *testing.T) {
	o := featureOptions(t)
	sum, err := o.train()
	must(t, err)
	rep, text := reportOf(t, sum)
	plain, calibrated := rep.Parts["test"], rep.Answers.Parts["test"].Calibration
	if sum.Temperature == 1 || *sum.TestLoss != plain.Loss || *sum.TestECEUncalibrated != plain.ECE || *sum.TestLossCalibrated != calibrated.Loss || *sum.TestECE != calibrated.ECE {
		t.Errorf("%+v; report %v and %v, calibrated %v and %v", sum.TrainSummary, plain.Loss, plain.ECE, calibrated.Loss, calibrated.ECE)
	}
	if plain.Loss == calibrated.Loss || plain.ECE == calibrated.ECE {
		t.Error("calibration changed nothing")
	}
	if !strings.Contains(text, "; test ECE "+strconv.FormatFloat(plain.ECE, 'f', 3, 64)+" → "+strconv.FormatFloat(calibrated.ECE, 'f', 3, 64)) {
		t.Errorf("report: %s", text)
	}
}

func TestPredictionsOfEveryImage(t *testing.T) {
	o := featureOptions(t)
	sum, err := o.train()
	must(t, err)
	own := EvalOptions{Run: *sum.RunDir, Predictions: filepath.Join(t.TempDir(), "p.csv")}
	e, err := Eval(context.Background(), own, Default(), Silent)
	must(t, err)
	f, err := os.Open(own.Predictions)
	must(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	must(t, err)
	if strings.Join(lines[0], ",") != "path,part,truth,label,probability,unknown,p:0,p:1,p:2,error" || e.Predictions != own.Predictions {
		t.Errorf("header %v; %q", lines[0], e.Predictions)
	}
	rows, right, loss := map[string]int{}, map[string]int{}, map[string]float64{}
	for _, line := range lines[1:] {
		sum, top := 0.0, 0.0
		var p [3]float64
		for c := range p {
			p[c], err = strconv.ParseFloat(line[6+c], 64)
			must(t, err)
			sum, top = sum+p[c], max(top, p[c])
		}
		k, err := strconv.Atoi(line[3])
		must(t, err)
		y, err := strconv.Atoi(line[2])
		must(t, err)
		if math.Abs(sum-1) > 1e-6 || p[k] != top || line[4] != line[6+k] {
			t.Fatalf("line %v", line)
		}
		rows[line[1]]++
		loss[line[1]] -= math.Log(p[y])
		if k == y {
			right[line[1]]++
		}
	}
	for name, part := range e.Parts {
		calibrated := e.Answers.Parts[name].Calibration.Loss
		if rows[name] != part.N || float64(right[name])/float64(part.N) != part.Top1 || math.Abs(loss[name]/float64(part.N)-calibrated) > 1e-6 {
			t.Errorf("%s: %d rows, %d right, loss %v; want %d, %v, %v", name, rows[name], right[name], loss[name]/float64(part.N), part.N, part.Top1, calibrated)
		}
	}
	if lines[1][0] != "row 0" || rows["test"] != 60 {
		t.Errorf("first line %v, rows %v", lines[1], rows)
	}
	own.Predictions = filepath.Join(t.TempDir(), "no", "p.csv")
	if _, err := Eval(context.Background(), own, Default(), Silent); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into a folder that is not there: %v", err)
	}
}
