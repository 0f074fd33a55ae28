package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// trained is what the train stage hands to the report.
type trained struct {
	parts  map[Part]*rows
	result headtrain.Result
	dir    *runDir
	counts TrainSummary
	scores map[Part]*scored
	opts   headtrain.Options

	// unjoined are the training and validation rows as they were before a refit
	// made one part of them; nil without a refit.
	unjoined map[Part]*rows

	answering Answering
	baselines *Baselines // nil where nothing is held out
}

// rows are the features of one part's labelled items, in the dataset's order.
type rows struct {
	items []int
	data  *headtrain.Dataset
}

// HeadInfo is kept in a head file, as its preprocessing: what is needed to use the
// head on new images, and where its features came from.
type HeadInfo struct {
	Fingerprint extract.Fingerprint `json:"extraction"`
	DType       cache.DType         `json:"dtype"`
	Weights     extract.WeightsInfo `json:"weights"`
	Dataset     string              `json:"dataset"`
	Cache       string              `json:"cache"` // path at the time of training

	// Features is the folder that the features came from; nobody knows what made
	// them, and the rest but Dataset says nothing. "" is features of the cache.
	Features string `json:"features,omitempty"`

	// Refit is set where the head learned from the validation rows too.
	Refit bool `json:"refit,omitempty"`
}

// loadRows joins the items of part p with their features, by content.
func (j *job) loadRows(p Part) (*rows, error) {
	return j.rowsOf(func(it *Item) bool { return it.Part == p })
}

// rowsOf joins the labelled items that are wanted with their features.
func (j *job) rowsOf(wanted func(*Item) bool) (*rows, error) {
	if j.arrays != nil {
		return j.arrays.rows(j.ds, wanted), nil
	}
	r := &rows{data: &headtrain.Dataset{Dim: extract.Dim, Classes: j.ds.Classes}}
	var keys []cache.Key
	for i := range j.ds.Items {
		it := &j.ds.Items[i]
		if it.Label == Unlabelled || !wanted(it) {
			continue
		}
		if !it.Hashed() || !j.cache.Has(j.space.ID, it.Hash) {
			continue
		}
		r.items = append(r.items, i)
		r.data.Labels = append(r.data.Labels, it.Label)
		keys = append(keys, it.Hash)
	}
	r.data.X = headtrain.NewFeatures(len(keys) * extract.Dim)
	missing, err := j.cache.Lookup(j.space.ID, keys, r.data.X)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%w: %d rows went away while they were read: run again", ErrNotExtracted, len(missing))
	}
	return r, err
}

// gatherRows reads the rows of every part.
func gatherRows(_ context.Context, j *job) error {
	t := &trained{parts: map[Part]*rows{}, scores: map[Part]*scored{}}
	j.train = t
	for _, p := range []Part{TrainPart, ValPart, TestPart} {
		r, err := j.loadRows(p)
		if err != nil {
			return err
		}
		t.parts[p] = r
	}
	return errors.Join(j.checkRows(), j.checkAnswers(), j.ds.checkWeights("head.class_weights", j.opts.Head.ClassWeights))
}

// validation is what a head is validated on in training; nil if there is nothing.
func (t *trained) validation() *headtrain.Dataset {
	if val := t.parts[ValPart].data; len(val.Labels) > 0 {
		return val
	}
	return nil
}

// trainHead trains the head on the training rows, choosing by validation alone.
func trainHead(ctx context.Context, j *job) error {
	t := j.train
	if err := j.checkStopping(j.opts.Head, 0); err != nil {
		return err
	}
	t.opts = j.opts.Head
	if t.dir == nil {
		dir, err := newRunDir(j.opts.Output, j.ds.Name)
		if err != nil {
			return err
		}
		t.dir = dir
	}
	j.sum.RunDir = &t.dir.final
	j.progress.Start("train", j.opts.Head.Epochs)
	engine, err := j.opts.headEngine()
	if err != nil {
		return err
	}
	results, err := engine.Trainer.Fit(ctx, headtrain.Job{
		Train: t.parts[TrainPart].data, Val: t.validation(), Heads: []headtrain.Options{j.opts.Head},
		OnEpoch: func(_ int, e headtrain.Epoch) {
			t.dir.metric(e)
			j.progress.Add(1)
		},
	})
	if err != nil {
		return err
	}
	t.result = results[0]
	j.noteFewSteps()
	j.noteNotConverged()
	j.noteWorseThanGuessing()
	j.noteSlowAverage()
	if err := j.fitAnswers(ctx); err != nil {
		return err
	}
	return j.saveHead()
}

// enoughSteps is how many steps of the optimizer a small training set needs, by
// experience, before more change little.
const enoughSteps = 500

// noteFewSteps says so if training ended while it was still getting somewhere.
func (j *job) noteFewSteps() {
	h := j.train.result.History
	if len(h) < 2 || j.train.result.Stopped != headtrain.StoppedEpochs || j.opts.Head.Optimizer == headtrain.OptimizerLBFGS {
		return
	}
	perEpoch := j.stepsPerEpoch()
	steps := perEpoch * len(h)
	falling := h[len(h)-1].TrainLoss < 0.99*h[len(h)-2].TrainLoss
	if falling && steps < enoughSteps {
		j.warn("training took only %d steps and the loss was still falling: try head.epochs=%d", steps, (enoughSteps+perEpoch-1)/perEpoch)
	}
}

// enoughIterations is how many lbfgs needs, by experience, but for heads with hardly
// any weight decay.
const enoughIterations = 1000

// noteNotConverged says so if lbfgs did not come to the optimum.
func (j *job) noteNotConverged() {
	r := j.train.result
	if j.opts.Head.Optimizer != headtrain.OptimizerLBFGS {
		return
	}
	switch n := len(r.History); r.Stopped {
	case headtrain.StoppedEpochs:
		j.warn("lbfgs has not converged in %d iterations (its gradient has values up to %.1g; %g is converged): try head.epochs=%d",
			n, r.Gradient, headtrain.LBFGSTolerance, max(enoughIterations, 4*n))
	case headtrain.StoppedStalled:
		j.warn("lbfgs has not converged: after %d iterations nothing better is left within the precision of float32 (its gradient has values up to %.1g; %g is converged); some more head.weight_decay, or head.input=%s, is easier",
			n, r.Gradient, headtrain.LBFGSTolerance, headtrain.InputStandardise)
	}
}

func (j *job) stepsPerEpoch() int {
	return (j.train.counts.TrainRows + j.opts.Head.BatchSize - 1) / j.opts.Head.BatchSize
}

// noteSlowAverage says so if the weights that training began with still count in
// their average, by 1/e⁵ or more.
func (j *job) noteSlowAverage() {
	steps := j.stepsPerEpoch() * len(j.train.result.History)
	if window := 1 / (1 - j.opts.Head.EMA); j.opts.Head.EMA > 0 && float64(steps) < 5*window {
		j.warn("head.ema=%v averages over some %.0f steps, but training took only %d: take a smaller one, or head.epochs=%.0f",
			j.opts.Head.EMA, window, steps, math.Ceil(5*window/float64(j.stepsPerEpoch())))
	}
}

// checkRows refuses to train on too little, and counts what is there.
func (j *job) checkRows() error {
	t := j.train
	labelled := 0
	for i := range j.ds.Items {
		if j.ds.Items[i].Label != Unlabelled {
			labelled++
		}
	}
	c := &t.counts
	c.TrainRows, c.ValRows, c.TestRows = len(t.parts[TrainPart].items), len(t.parts[ValPart].items), len(t.parts[TestPart].items)
	c.Missing = labelled - c.TrainRows - c.ValRows - c.TestRows
	seen := make([]int, len(j.ds.Classes))
	for _, l := range t.parts[TrainPart].data.Labels {
		seen[l]++
	}
	var without []string
	for k, n := range seen {
		if n == 0 {
			without = append(without, j.ds.Classes[k])
		}
	}
	if len(without) > 0 {
		return fmt.Errorf("%w: no training row of class %s in the cache: %d of %d labelled images have no feature, %d of them for they are bad; `icebox extract` computes the others",
			ErrNotExtracted, quoteList(without), c.Missing, labelled, len(j.tried))
	}
	if unlabelled := len(j.ds.Items) - labelled; unlabelled > 0 {
		j.warn("%d images have no label and are left out", unlabelled)
	}
	if c.Missing > len(j.tried) {
		j.warn("%d of %d labelled images have no feature in the cache and are left out: `icebox extract` computes them", c.Missing, labelled)
	}
	if c.ValRows == 0 && j.ds.Split.Val > 0 {
		j.warn("data.split.val is %v, but no image could be spared for validation", j.ds.Split.Val)
	}
	for _, p := range []Part{ValPart, TestPart} {
		j.warnAbsent(p)
	}
	j.warnDuplicates()
	return nil
}

// warnAbsent names the classes that part p cannot say anything about.
func (j *job) warnAbsent(p Part) {
	labels := j.train.parts[p].data.Labels
	if len(labels) == 0 {
		return
	}
	seen := make([]bool, len(j.ds.Classes))
	for _, l := range labels {
		seen[l] = true
	}
	var absent []string
	for k, ok := range seen {
		if !ok {
			absent = append(absent, j.ds.Classes[k])
		}
	}
	if len(absent) > 0 {
		j.warn("no %s image of class %s: its %s numbers say nothing of it", p, quoteList(absent), p)
	}
}

// warnDuplicates reports contents that stand in more than one part, which makes
// held-out numbers better than they are, and contents with two labels.
func (j *job) warnDuplicates() {
	firstOf := map[cache.Key]int{}
	across, twoLabels := 0, 0
	var example, labelExample string
	for i := range j.ds.Items {
		it := &j.ds.Items[i]
		if !it.Hashed() || it.Part == Unassigned {
			continue
		}
		k, ok := firstOf[it.Hash]
		if !ok {
			firstOf[it.Hash] = i
			continue
		}
		other := &j.ds.Items[k]
		pair := fmt.Sprintf("%s and %s", j.ds.Display(other), j.ds.Display(it))
		if other.Part != it.Part {
			across++
			example = pair
		}
		if other.Label != it.Label {
			twoLabels++
			labelExample = pair
		}
	}
	if across > 0 {
		j.warn("%d images stand in two parts of the data set, byte for byte (such as %s): held-out numbers are too good", across, example)
	}
	if twoLabels > 0 {
		j.warn("%d images stand under two labels, byte for byte (such as %s)", twoLabels, labelExample)
	}
}

func (j *job) saveHead() error {
	head := j.train.result.Head
	about := HeadInfo{Dataset: j.ds.Name, Refit: j.train.unjoined != nil}
	if j.arrays != nil {
		about.Features = j.arrays.dir
	} else {
		head.Fingerprint = j.space.ID
		about.Fingerprint, about.DType, about.Weights, about.Cache = j.space.Fingerprint, j.space.DType, j.space.Weights, absolute(j.opts.Cache.Path)
	}
	info, err := json.Marshal(about)
	if err != nil {
		return err
	}
	head.Preprocessing = info
	last := j.train.result.Last
	if last != nil && j.sweep == nil {
		last.Fingerprint, last.Preprocessing = head.Fingerprint, info
		if err := last.Save(j.train.dir.file(lastFile)); err != nil {
			return err
		}
	}
	return j.train.dir.saveHead(head)
}

// scored is a part's rows under the head.
type scored struct {
	report judge.Report
	logits []float32 // rows × classes
}

// evaluateHead judges the head on what it was not trained on. The test part is
// looked at here and nowhere else.
func evaluateHead(ctx context.Context, j *job) error {
	t := j.train
	t.answering.Parts = map[string]PartAnswers{}
	for _, p := range []Part{TrainPart, ValPart, TestPart} {
		r := t.parts[p]
		if len(r.items) == 0 {
			continue
		}
		s, err := score(t.result.Head, r.data)
		if err != nil {
			return err
		}
		t.scores[p] = s
		if t.answering.Parts[p.String()], err = judgeAnswers(t.result.Head, s, r.data.Labels); err != nil {
			return err
		}
	}
	c := &t.counts
	c.Temperature, c.Threshold = t.answering.Temperature, t.answering.Threshold
	c.Epochs, c.EpochSeconds, c.BestEpoch = len(t.result.History), t.result.EpochSeconds, t.result.BestEpoch
	c.Stopped, c.Gradient = t.result.Stopped, t.result.Gradient
	c.TrainLoss, c.TrainAcc = t.scores[TrainPart].report.Loss, t.scores[TrainPart].report.Top1
	c.ValLoss, c.ValAcc = t.scores[ValPart].lossAcc()
	c.TestLoss, c.TestAcc = t.scores[TestPart].lossAcc()
	if a, ok := t.answering.Parts[TestPart.String()]; ok {
		c.TestECE, c.TestECEUncalibrated = &a.Calibration.ECE, &t.scores[TestPart].report.ECE
		c.TestLossCalibrated = &a.Calibration.Loss
	}
	return j.judgeBaselines(ctx)
}

func score(h *headtrain.Head, d *headtrain.Dataset) (*scored, error) {
	logits := make([]float32, len(d.Labels)*len(h.Classes))
	h.Logits(logits, d.X, len(d.Labels))
	report, err := judge.Evaluate(logits, d.Labels, h.Classes)
	if err != nil {
		return nil, err
	}
	return &scored{report: report, logits: logits}, nil
}

func (s *scored) lossAcc() (loss, acc *float64) {
	if s == nil || math.IsNaN(s.report.Loss) {
		return nil, nil
	}
	return &s.report.Loss, &s.report.Top1
}

func (j *job) runSummary() *RunSummary {
	r := &RunSummary{Summary: j.sum}
	if j.train != nil {
		r.TrainSummary = j.train.counts
	}
	return r
}
