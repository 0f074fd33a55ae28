package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/insight"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

// sweepOptions are options for a small sweep of 6 points with two seeds.
func sweepOptions(t *testing.T) folderOptions {
	o := featureOptions(t)
	o.Sweep.Seeds = 2
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Log: []float64{1e-3, 1e-1}, Steps: 3}, {Key: "batch_size", Values: []any{16, 32}}}
	return o
}

func TestSweepOfOneIsTrain(t *testing.T) {
	ctx := context.Background()
	o := featureOptions(t)
	o.Head.LR, o.Head.Seed = 0.02, 7
	train, err := o.train()
	must(t, err)
	o.Head.LR = 1
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{0.02}}}
	sum, err := o.sweep(ctx, "", Silent)
	must(t, err)
	a, err := os.ReadFile(filepath.Join(*train.RunDir, runs.HeadFile))
	must(t, err)
	b, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.HeadFile))
	must(t, err)
	if !bytes.Equal(a, b) {
		t.Error("the heads differ")
	}
	if sum.Heads != 1 || *sum.ValAcc != *train.ValAcc || math.Abs(*sum.ValLoss-*train.ValLoss) > 1e-6 || *sum.TestAcc != *train.TestAcc || sum.TrainLoss != train.TrainLoss {
		t.Errorf("sweep %+v, train %+v", sum, train.TrainSummary)
	}
}

func TestSweepTrainsEveryPointAndKeepsTheBest(t *testing.T) {
	o := sweepOptions(t)
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if sum.Points != 6 || sum.Heads != 12 || sum.EpochsRun != 72 || sum.Diverged != 0 || sum.InterruptedAt != "" {
		t.Errorf("%+v", sum)
	}
	lines := sweepLines(t, *sum.RunDir)
	if len(lines) != 6 || len(lines[0].Heads) != 2 {
		t.Fatalf("%+v", lines)
	}
	for i, p := range lines {
		if i > 0 && p.ValAcc.Mean > lines[i-1].ValAcc.Mean {
			t.Errorf("line %d is better than the one before", i)
		}
		if mean := (*p.Heads[0].ValAcc + *p.Heads[1].ValAcc) / 2; math.Abs(mean-p.ValAcc.Mean) > 1e-12 {
			t.Errorf("the mean of line %d is %v, not %v", i, p.ValAcc.Mean, mean)
		}
	}
	if *sum.ValAcc != lines[0].ValAcc.Mean || sum.Best["lr"] != lines[0].Values["lr"] {
		t.Errorf("best %v, first line %v", sum.Best, lines[0])
	}
	table, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.SweepTableFile))
	must(t, err)
	if !strings.HasPrefix(string(table), "rank,lr,batch_size,val_acc,") || strings.Count(string(table), "\n") != 7 {
		t.Errorf("table: %s", table)
	}
	report, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.ReportTextFile))
	must(t, err)
	for _, want := range []string{"val_acc on validation (45 images), the mean of 2 seeds, chose among 6 points", "test was looked at once", "± ", "interval    of 95 %, of the accuracy: val ", "importance lr", "val_acc by lr"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report has no %q: %s", want, report)
		}
	}
	if i := sum.TestAccRange; i == nil || !(i.Low <= *sum.TestAcc && *sum.TestAcc <= i.High && i.Low < i.High) {
		t.Errorf("test %v, interval %v", *sum.TestAcc, i)
	}
	if _, err := os.Stat(filepath.Join(*sum.RunDir, sweep.LogFile)); err == nil {
		t.Error("the log is still there")
	}
}

// Every metric ranks by its own value, which is that of the heads on validation.
func TestEveryMetricRanks(t *testing.T) {
	for _, metric := range sweep.Choices()["Metric"] {
		o := sweepOptions(t)
		o.Sweep.Metric, o.Sweep.Seeds = metric, 1
		sum, err := o.sweep(context.Background(), "", Silent)
		must(t, err)
		m := sweep.Metric(metric)
		lines := sweepLines(t, *sum.RunDir)
		for i, p := range lines {
			if i > 0 && m.Better(p.Score(m).Mean, lines[i-1].Score(m).Mean) {
				t.Errorf("%s: line %d is better than the one before", metric, i)
			}
		}
		rep, text := reportOf(t, &sum.RunSummary)
		val := rep.Parts["val"]
		is := map[string]float64{headtrain.MetricValAcc: val.Top1, headtrain.MetricValLoss: val.Loss, headtrain.MetricValMacroF1: val.MacroF1, headtrain.MetricValBalancedAcc: val.BalancedAccuracy}[metric]
		if sum.Score == nil || math.Abs(sum.Score.Mean-is) > 1e-6 || !strings.Contains(text, metric+" on validation (45 images) chose among 6 points") {
			t.Errorf("%s: score %+v, the head kept has %v: %s", metric, sum.Score, is, text)
		}
	}
}

func sweepLines(t *testing.T, dir string) []sweep.Result {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, sweep.ResultFile))
	must(t, err)
	var all []sweep.Result
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var p sweep.Result
		must(t, d.Decode(&p))
		all = append(all, p)
	}
	return all
}

// TestTestChoosesNothing holds the choice and the head to be the same whatever the
// test labels are.
func TestTestChoosesNothing(t *testing.T) {
	ctx := context.Background()
	o := sweepOptions(t)
	a, err := o.sweep(ctx, "", Silent)
	must(t, err)
	labels := make([]int64, 60)
	for i := range labels {
		labels[i] = int64((i + 1) % 3)
	}
	writeFile(t, filepath.Join(o.Features, "test", "labels.npy"), npyBytes(t, "<i8", "(60,)", labels))
	b, err := o.sweep(ctx, "", Silent)
	must(t, err)
	if !sameWeights(headOf(t, a.RunDir), headOf(t, b.RunDir)) || *a.TestAcc == *b.TestAcc {
		t.Errorf("test accuracies %v and %v", *a.TestAcc, *b.TestAcc)
	}
}

// interrupted cancels a sweep after so many head-epochs, and returns its folder.
func interruptedSweep(t *testing.T, o folderOptions, epochs int) (dir string, heads int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sum, err := o.sweep(ctx, "", &cancelAfter{Progress: Silent, n: epochs, cancel: cancel, stage: "sweep"})
	if !errors.Is(err, context.Canceled) || sum.InterruptedAt == "" {
		t.Fatalf("interrupted: %v, %+v", err, sum)
	}
	return sum.InterruptedAt, sum.Heads
}

func TestResumedSweepEqualsOneThatWasNotInterrupted(t *testing.T) {
	ctx := context.Background()
	for _, method := range []string{"grid", "halving"} {
		o := sweepOptions(t)
		o.Sweep.Method = method
		whole, err := o.sweep(ctx, "", Silent) // whose heads are trained in one batch
		must(t, err)
		o.batch = 3
		dir, heads := interruptedSweep(t, o, 30)
		if heads == 0 || heads >= whole.Heads {
			t.Fatalf("%s: %d of %d heads are kept", method, heads, whole.Heads)
		}
		// A kill may leave half a line.
		log, err := os.OpenFile(filepath.Join(dir, sweep.LogFile), os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = log.WriteString(`{"rung":0,"poi`)
		must(t, errors.Join(err, log.Close()))

		sum, err := o.sweep(ctx, dir, Silent)
		must(t, err)
		if sum.Resumed != heads || sum.Heads != whole.Heads || sum.EpochsRun != whole.EpochsRun {
			t.Errorf("%s: resumed %d heads of %d: %+v", method, sum.Resumed, heads, sum)
		}
		if *sum.RunDir+".partial" != dir {
			t.Errorf("%s: the run is in %s", method, *sum.RunDir)
		}
		for _, name := range []string{runs.HeadFile, sweep.ResultFile, runs.SweepTableFile, runs.LabelsFile} {
			a, err := os.ReadFile(filepath.Join(*whole.RunDir, name))
			must(t, err)
			b, err := os.ReadFile(filepath.Join(*sum.RunDir, name))
			must(t, err)
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %s differs", method, name)
			}
		}
		if _, err := o.sweep(ctx, *sum.RunDir, Silent); !errors.Is(err, sweep.ErrResume) || !strings.Contains(err.Error(), "complete") {
			t.Errorf("%s: resuming what is complete: %v", method, err)
		}
	}
}

// lbfgsSweep are options for two paths of four weight decays, in four folds.
func lbfgsSweep(t *testing.T) folderOptions {
	o := featureOptions(t)
	o.Head.Optimizer, o.Head.Epochs = headtrain.OptimizerLBFGS, 100
	o.Sweep.Folds = 4
	o.Sweep.Axes = []sweep.Axis{{Key: "input", Values: []any{"none", "standardise"}}, {Key: "weight_decay", Values: []any{0.0, 0.01, 1.0, 0.1}}}
	return o
}

// A path is trained again whole where the log lacks some of it.
func TestResumedPathsAreThoseThatWereNotInterrupted(t *testing.T) {
	ctx := context.Background()
	o := lbfgsSweep(t)
	whole, err := o.sweep(ctx, "", Silent)
	must(t, err)
	want, err := os.ReadFile(filepath.Join(*whole.RunDir, sweep.ResultFile))
	must(t, err)
	if whole.Heads != 32 {
		t.Errorf("%d heads", whole.Heads)
	}
	o.batch = 1
	dir, heads := interruptedSweep(t, o, whole.EpochsRun/2)
	if heads == 0 || heads >= whole.Heads || heads%4 != 0 {
		t.Fatalf("%d of %d heads are kept", heads, whole.Heads)
	}
	log := filepath.Join(dir, sweep.LogFile)
	text, err := os.ReadFile(log)
	must(t, err)
	cut := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	must(t, os.WriteFile(log, text[:cut], 0o644)) // the disk was full: the last path lacks a head
	o.batch = 0
	sum, err := o.sweep(ctx, dir, Silent)
	must(t, err)
	got, err := os.ReadFile(filepath.Join(*sum.RunDir, sweep.ResultFile))
	must(t, err)
	if !bytes.Equal(got, want) || sum.Resumed != heads-1 {
		t.Errorf("%d heads were kept, %d resumed; the same points: %v", heads, sum.Resumed, bytes.Equal(got, want))
	}
}

// An axis that L-BFGS takes no notice of does not take points off their path.
func TestPathsPassOverWhatLBFGSDoesNotHeed(t *testing.T) {
	o := lbfgsSweep(t)
	o.Sweep.Folds, o.Sweep.Method, o.Sweep.Trials = 0, sweep.Random, 4
	o.Sweep.Axes = []sweep.Axis{{Key: "weight_decay", Log: []float64{1e-4, 1}}, {Key: "lr", Log: []float64{1e-4, 1}}}
	random, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	drawn := map[float64]float64{} // training loss by weight decay
	var decays []any
	for _, p := range sweepLines(t, *random.RunDir) {
		d := p.Values["weight_decay"].(float64)
		drawn[d], decays = p.TrainLoss.Mean, append(decays, d)
	}
	o.Sweep.Method, o.Sweep.Axes = sweep.Grid, []sweep.Axis{{Key: "weight_decay", Values: decays}}
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	for _, p := range sweepLines(t, *sum.RunDir) {
		if d := p.Values["weight_decay"].(float64); drawn[d] != p.TrainLoss.Mean || len(drawn) != 4 {
			t.Errorf("decay %v: training loss %v among %d learning rates, %v without", d, drawn[d], len(drawn), p.TrainLoss.Mean)
		}
	}
}

// A sweep of a version that trained heads of L-BFGS one by one is not mixed with others.
func TestPathsDoNotGoOnWithWhatWasNone(t *testing.T) {
	o := lbfgsSweep(t)
	o.batch = 1
	dir, _ := interruptedSweep(t, o, 60)
	log := filepath.Join(dir, sweep.LogFile)
	text, err := os.ReadFile(log)
	must(t, err)
	old := bytes.Replace(text, []byte(`"sweep.path":"\"path 1\"",`), nil, 1)
	if len(old) == len(text) {
		t.Fatal("the log does not say that heads are on paths")
	}
	must(t, os.WriteFile(log, old, 0o644))
	_, err = o.sweep(context.Background(), dir, Silent)
	if !errors.Is(err, sweep.ErrResume) || !strings.Contains(err.Error(), "trained heads of lbfgs in another way") {
		t.Error(err)
	}
	must(t, os.WriteFile(log, text, 0o644))
	_, err = o.sweep(context.Background(), dir, Silent)
	must(t, err)
}

func TestResumeRefusesOtherSettingsAndSaysWhich(t *testing.T) {
	ctx := context.Background()
	o := sweepOptions(t)
	o.batch = 3
	dir, _ := interruptedSweep(t, o, 30)
	refused := func(o folderOptions, want ...string) {
		t.Helper()
		_, err := o.sweep(ctx, dir, Silent)
		if !errors.Is(err, sweep.ErrResume) {
			t.Fatalf("got %v", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("the message has no %q: %v", w, err)
			}
		}
	}
	other := o
	other.Head.WeightDecay, other.Sweep.Seeds = 0.1, 3
	refused(other, "head.weight_decay was 0 and is 0.1", "sweep.seeds was 2 and is 3")
	other = o
	other.Sweep.Axes = o.Sweep.Axes[:1]
	refused(other, "sweep.axes.batch_size was", "is not there")

	writeArrays(t, o.Features, 9, 90, 8, 3)
	refused(o, "the images, their labels or their split are others")
	if _, err := o.sweep(ctx, t.TempDir(), Silent); !errors.Is(err, sweep.ErrResume) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, sweep.LogFile)); err != nil {
		t.Errorf("a refusal took the log away: %v", err)
	}
}

func TestSweepWithoutAFinishedHeadLeavesNothing(t *testing.T) {
	o := sweepOptions(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sum, err := o.sweep(ctx, "", &cancelAfter{Progress: Silent, n: 1, cancel: cancel, stage: "sweep"})
	if !errors.Is(err, context.Canceled) || sum.InterruptedAt != "" {
		t.Fatalf("%v, %+v", err, sum)
	}
	if left, _ := os.ReadDir(o.Output.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestDivergedHeadsAreListedAndStopNothing(t *testing.T) {
	o := sweepOptions(t)
	o.Head.Input = headtrain.InputNone
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{1e-2, 3e38, 1e-3}}}
	o.Head.Optimizer = headtrain.OptimizerSGD
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if sum.Diverged != 2 || sum.Heads != 6 || sum.Best["lr"] == 3e38 {
		t.Errorf("%+v", sum)
	}
	lines := sweepLines(t, *sum.RunDir)
	if last := lines[2]; last.Diverged != 2 || last.ValAcc != nil || last.Values["lr"] != 3e38 {
		t.Errorf("the last line is %+v", last)
	}
	report, err := os.ReadFile(filepath.Join(*sum.RunDir, runs.ReportTextFile))
	must(t, err)
	if !strings.Contains(string(report), "diverged: 1 of 3 points, such as lr 3e+38") {
		t.Errorf("report: %s", report)
	}
	o.Sweep.Axes[0].Values = []any{3e38}
	must(t, os.RemoveAll(o.Output.Dir))
	none, err := o.sweep(context.Background(), "", Silent)
	if !errors.Is(err, headtrain.ErrDiverged) || none.InterruptedAt != "" {
		t.Errorf("all diverged: %v, to be resumed from %q", err, none.InterruptedAt)
	}
	for _, want := range []string{"all 2 heads of the sweep diverged", "at lr 3e+38", "a new sweep needs lower rates", "try Sweep.Axes.lr = {log: [1e-4, 1e-1], steps: 7} or Head.Input = standardise"} {
		if !strings.Contains(told(err), want) {
			t.Errorf("all diverged: no %q in %v", want, err)
		}
	}
	if left, _ := os.ReadDir(o.Output.Dir); len(left) > 0 {
		t.Errorf("all diverged: left %v", left)
	}
}

func TestFoldsChooseAndValidationDoesNot(t *testing.T) {
	ctx := context.Background()
	o := sweepOptions(t)
	o.Sweep.Folds, o.Sweep.Seeds = 3, 1
	a, err := o.sweep(ctx, "", Silent)
	must(t, err)
	if a.Heads != 18 || a.ValRows != 45 {
		t.Errorf("%+v", a)
	}
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	b, err := o.sweep(ctx, "", Silent)
	must(t, err)
	if *a.ValAcc != *b.ValAcc || !sameWeights(headOf(t, a.RunDir), headOf(t, b.RunDir)) {
		t.Errorf("%v with val/, %v without", *a.ValAcc, *b.ValAcc)
	}
	report, err := os.ReadFile(filepath.Join(*b.RunDir, runs.ReportTextFile))
	must(t, err)
	if !strings.Contains(string(report), "val_acc in 3 folds of the training images chose") || !strings.Contains(string(report), "over 3 folds") {
		t.Errorf("report: %s", report)
	}
	o.Sweep.Folds = 31
	if _, err := o.sweep(ctx, "", Silent); !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), `class "0" has only 30 training rows`) {
		t.Errorf("more folds than rows of a class: %v", err)
	}
}

func TestRefitTrainsOnValidationToo(t *testing.T) {
	o := sweepOptions(t)
	o.Sweep.Refit = true
	o.Head.EarlyStopping = headtrain.EarlyStopping{Patience: 2, Metric: headtrain.MetricValLoss}
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if sum.TrainRows != 135 || sum.ValRows != 0 || sum.ValAcc == nil || sum.RunSummary.ValAcc != nil {
		t.Errorf("%+v", sum)
	}
	if best := sweepLines(t, *sum.RunDir)[0].BestEpoch; sum.Epochs != best {
		t.Errorf("trained %d epochs, the sweep's heads kept epoch %d", sum.Epochs, best)
	}
}

// TestRefitIsCalibratedOnRowsItsHeadHasNotSeen holds the temperature of a refit to
// that of a head that was trained on the training rows alone.
func TestRefitIsCalibratedOnRowsItsHeadHasNotSeen(t *testing.T) {
	ctx := context.Background()
	o := featureOptions(t)
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{o.Head.LR}}}
	o.Answers.Reject.Coverage = 0.8
	alone, err := o.train()
	must(t, err)
	o.Sweep.Refit = true
	sum, err := o.sweep(ctx, "", Silent)
	must(t, err)
	rep, text := reportOf(t, &sum.RunSummary)
	if alone.Temperature == 1 || sum.Temperature != alone.Temperature || sum.Threshold != alone.Threshold || rep.Answers.ValRows != 45 || !rep.Answers.Refit {
		t.Errorf("temperature %v and threshold %v, of a head of training alone %v and %v; %+v", sum.Temperature, sum.Threshold, alone.Temperature, alone.Threshold, rep.Answers)
	}
	if sameWeights(headOf(t, alone.RunDir), headOf(t, sum.RunDir)) || !strings.Contains(text, "45 validation images by a second head of the same options") {
		t.Errorf("the refit changed nothing, or does not say so:\n%s", text)
	}
	e, err := Eval(ctx, EvalOptions{Run: *sum.RunDir, Choice: Choice{}}, Default(), Silent)
	must(t, err)
	if _, ok := e.Parts["val"]; ok || e.Parts["train"].N != 135 || e.Parts["test"].Loss != *sum.TestLoss {
		t.Errorf("eval holds validation out, which the head has seen: %+v", e.Parts)
	}
	must(t, os.RemoveAll(filepath.Join(o.Features, "test")))
	i, err := Inspect(ctx, *sum.RunDir, Default(), Choice{}, insight.NearCosine, Silent)
	must(t, err)
	if i.WorstOf != "" || i.Images != 135 {
		t.Errorf("errors on %s of %d images", i.WorstOf, i.Images)
	}
}

func TestSweepWithoutHeldOutRowsSaysSo(t *testing.T) {
	o := sweepOptions(t)
	must(t, os.RemoveAll(filepath.Join(o.Features, "val")))
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if sum.Metric != sweep.TrainLoss || sum.ValAcc != nil || !strings.Contains(strings.Join(sum.Warnings, " "), "says nothing of new images") {
		t.Errorf("%+v", sum)
	}
	lines := sweepLines(t, *sum.RunDir)
	if lines[0].TrainLoss.Mean > lines[5].TrainLoss.Mean {
		t.Error("the worst is first")
	}
}

func TestTrainFractionLearnsFromLess(t *testing.T) {
	o := sweepOptions(t)
	o.Sweep.Axes = []sweep.Axis{{Key: sweep.FractionKey, Values: []any{0.1}}}
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if sum.TrainRows != 9 || sum.Best[sweep.FractionKey] != 0.1 {
		t.Errorf("%+v", sum)
	}
}

func TestSweepsThatMakeNoSenseAreRefused(t *testing.T) {
	steps := func(n int) []sweep.Axis {
		return []sweep.Axis{{Key: "lr", Log: []float64{1e-4, 1}, Steps: n}, {Key: "weight_decay", Log: []float64{1e-6, 1}, Steps: n}, {Key: "label_smoothing", Lin: []float64{0, 0.5}, Steps: n}}
	}
	for _, c := range []struct {
		name string
		set  func(*Options)
		is   error
		want string
	}{
		{"nothing to try", func(o *Options) { o.Sweep.Axes, o.Sweep.Seeds = nil, 1 }, sweep.ErrNothing, "nothing to sweep"},
		{"a billion", func(o *Options) { o.Sweep.Axes = steps(1000) }, sweep.ErrManyHeads, "2,000,000,000 heads (1000 lr × 1000 weight_decay × 1000 label_smoothing × 2 seeds)"},
		{"a billion, to be fewer", func(o *Options) { o.Sweep.Axes = steps(1000) }, sweep.ErrManyHeads, "1,000,000 is the most that there may be: try a smaller Sweep.Axes, Sweep.Method = random or Sweep.Trials = 200"},
		{"a billion seeds", func(o *Options) { o.Sweep.Seeds = 1e9 }, sweep.ErrManyHeads, "may be: try Sweep.Seeds = 5"},
		{"a billion folds", func(o *Options) { o.Sweep.Folds = 1e9 }, sweep.ErrManyHeads, "may be: try Sweep.Folds = 5"},
		{"a billion trials", func(o *Options) { o.Sweep.Method, o.Sweep.Trials = "random", 1e9 }, sweep.ErrManyHeads, "may be: try Sweep.Trials = 200"},
		{"too much of everything", func(o *Options) { o.Sweep.Axes, o.Sweep.Seeds = steps(1000), 1e6 }, sweep.ErrManyHeads, "Sweep.Trials = 200 or Sweep.Seeds = 5"},
		{"many", func(o *Options) { o.Sweep.Axes = steps(20) }, sweep.ErrManyHeads, "more than 10,000: try a smaller Sweep.Axes"},
		{"a warm-up past the epochs", func(o *Options) {
			o.Head.Warmup = 3
			o.Sweep.Axes = []sweep.Axis{{Key: "epochs", Values: []any{2, 5}}}
		}, headtrain.ErrOptions, "epochs 2"},
		{"epochs in a halving", func(o *Options) {
			o.Sweep.Method, o.Sweep.Axes = "halving", []sweep.Axis{{Key: "epochs", Values: []any{2, 5}}}
		}, headtrain.ErrOptions, "a halving sets the epochs itself"},
		{"a share of more than all", func(o *Options) { o.Sweep.Axes = []sweep.Axis{{Key: sweep.FractionKey, Values: []any{1.5}}} }, headtrain.ErrOptions, "the share of the training rows (1.5)"},
		{"a word as a rate", func(o *Options) { o.Sweep.Axes = []sweep.Axis{{Key: "lr", Values: []any{"fast"}}} }, headtrain.ErrOptions, "the axis lr takes no value fast"},
		{"a class that is not there", func(o *Options) {
			o.Head.ClassWeights = headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: map[string]float64{"dog": 2}}
		}, headtrain.ErrOptions, "dog"},
	} {
		o := sweepOptions(t)
		c.set(&o.Options)
		_, err := o.sweep(context.Background(), "", Silent)
		if !errors.Is(err, c.is) || !strings.Contains(told(err), c.want) {
			t.Errorf("%s: %s", c.name, told(err))
		}
		if left, _ := os.ReadDir(o.Output.Dir); len(left) > 0 {
			t.Errorf("%s: left %v", c.name, left)
		}
	}
}

func TestValidationWithoutAClassIsNoted(t *testing.T) {
	o := sweepOptions(t)
	writeArrays(t, filepath.Join(o.Features, "val"), 2, 30, 8, 2)
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	if !strings.Contains(strings.Join(sum.Warnings, " "), `no val image of class "2"`) {
		t.Errorf("%v", sum.Warnings)
	}
}

func TestSweepFromTheCache(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 3, 12)))
	_, err := Run(ctx, o, Silent)
	must(t, err)
	o.Data.Train = ""
	o.Sweep.Folds = 2
	o.Sweep.Axes = []sweep.Axis{{Key: "input", Values: []any{"standardise", "l2"}}, {Key: "optimizer", Values: []any{"adam", "sgd"}}}
	o.Head.Momentum, o.Head.Optimizer = 0.9, "sgd"
	sum, err := RunSweep(ctx, o, SweepRun{}, Silent)
	must(t, err)
	if sum.Heads != 8 || sum.ImagesOpened != 0 {
		t.Errorf("%+v", sum)
	}
	e, err := Eval(ctx, EvalOptions{Run: *sum.RunDir, Choice: Choice{}}, Default(), Silent)
	if err == nil {
		t.Errorf("evaluated without the cache: %+v", e)
	}
	own := Default()
	own.Cache.Path = o.Cache.Path
	e, err = Eval(ctx, EvalOptions{Run: *sum.RunDir, Choice: Choice{}}, own, Silent)
	must(t, err)
	if e.Parts["test"].Top1 != *sum.TestAcc {
		t.Errorf("eval %v, sweep %v", e.Parts["test"].Top1, *sum.TestAcc)
	}
}

// What a report says of a halving is about the longest training that points can be
// compared in, and its plot has every point as it ended, the chosen one as the best.
func TestAHalvingIsReportedAsItEnded(t *testing.T) {
	o := featureOptions(t)
	o.Sweep.Method, o.Sweep.Trials, o.Head.Epochs = sweep.Halving, 54, 18
	o.Sweep.Axes = []sweep.Axis{{Key: "lr", Log: []float64{1e-4, 1e-1}}, {Key: "weight_decay", Values: []any{0.0, 1e-3}}}
	sum, err := o.sweep(context.Background(), "", Silent)
	must(t, err)
	rep, text := reportOf(t, &sum.RunSummary)
	if !strings.Contains(text, "between the 6 points that were trained for 18 epochs") || len(rep.Sweep.Importance) != 2 {
		t.Errorf("importance %+v: %s", rep.Sweep.Importance, text)
	}
	if n := strings.Count(strings.SplitN(text, "* the best\n", 2)[1], "*"); n != 1 {
		t.Errorf("%d best points in %s", n, text)
	}
	o.Sweep.Method, o.Sweep.Trials = sweep.Random, 3
	sum, err = o.sweep(context.Background(), "", Silent)
	must(t, err)
	if _, text = reportOf(t, &sum.RunSummary); !strings.Contains(text, "importance unknown: 3 points are too few to tell the effects of 2 axes apart") {
		t.Errorf("three points: %s", text)
	}
}
