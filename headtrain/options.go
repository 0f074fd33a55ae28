package headtrain

import (
	"math"
	"slices"

	"icebox/headtrain/internal/fault"
)

// Values of Options.Input: what is done to features before the linear layer.
const (
	InputStandardise = "standardise" // (x-mean)/σ over the training rows; folded into the saved head
	InputNone        = "none"
	InputL2          = "l2" // each row scaled to length 1; the saved head does so itself
)

// Values of Options.Optimizer. Weight decay is added to the gradient by "adam"
// and "sgd", and taken off the weights by "adamw", as in PyTorch.
//
// "lbfgs" minimises the loss over all training rows plus weight_decay/2·‖W‖²,
// on the features that Input gives, from weights of 0: with three classes or
// more the optimum of scikit-learn's LogisticRegression with
// C = 1/(weight_decay·rows). An epoch is an iteration, of which Epochs is the
// most there will be (give it a few hundred): it ends sooner, Stopped being
// "converged", once no value of the gradient is above LBFGSTolerance. The gradient
// is that on features scaled so that the objective curves alike along each,
// whatever Input is. LR, BatchSize, Shuffle, Schedule and Seed have no influence.
const (
	OptimizerAdam  = "adam"
	OptimizerAdamW = "adamw"
	OptimizerSGD   = "sgd"
	OptimizerLBFGS = "lbfgs"
)

// Values of Options.Schedule.
const (
	ScheduleConstant = "constant"
	ScheduleCosine   = "cosine"
	ScheduleStep     = "step"
	ScheduleOneCycle = "onecycle"
)

// Values of ClassWeights.Mode.
const (
	WeightsNone     = "none"
	WeightsBalanced = "balanced" // rows/(classes·rows of the class), as scikit-learn; 0 for a class without rows
	WeightsMap      = "map"
)

// Values of EarlyStopping.Metric.
const (
	MetricValLoss = "val_loss"
	MetricValAcc  = "val_acc"
)

// Options say how a head is trained. Zero values stand for the defaults given
// on each field. Threads has no influence on the result and is not recorded.
type Options struct {
	Kind    string  `json:"kind"`              // "linear"
	Hidden  int     `json:"hidden,omitempty"`  // 256; units of the hidden layer, "mlp" only
	Dropout float64 `json:"dropout,omitempty"` // 0; share of hidden units left out of each step, "mlp" only

	Input     string  `json:"input"`            // "standardise"
	Epochs    int     `json:"epochs"`           // 10
	BatchSize int     `json:"batch_size"`       // 256; the last batch of an epoch may be smaller
	Shuffle   Shuffle `json:"shuffle,omitzero"` // "rows"

	Optimizer   string  `json:"optimizer"`    // "adam"
	LR          float64 `json:"lr"`           // 1e-3
	WeightDecay float64 `json:"weight_decay"` // 0, for "adamw" too
	Momentum    float64 `json:"momentum"`     // 0; "sgd" only
	Nesterov    bool    `json:"nesterov"`     // false; "sgd" with momentum only
	Beta1       float64 `json:"beta1"`        // 0.9
	Beta2       float64 `json:"beta2"`        // 0.999
	Eps         float64 `json:"eps"`          // 1e-8

	Schedule   string  `json:"schedule"`    // "constant"
	Warmup     int     `json:"warmup"`      // 0; epochs of linear warm-up, part of Epochs
	StepEpochs int     `json:"step_epochs"` // a third of Epochs; "step" only
	StepFactor float64 `json:"step_factor"` // 0.1; "step" only

	// EMA is the decay of an exponential moving average of the weights over the
	// steps, 0 for none; 0.999 is usual for some thousands of steps. After the
	// first step the average is the weights; each step after moves it 1-EMA of the
	// way to them, as PyTorch's AveragedModel with get_ema_multi_avg_fn does. The
	// average is what is validated, kept and saved; the weights behind it go on
	// training, and the running training numbers are theirs.
	EMA float64 `json:"ema,omitempty"`

	// Mixup is the α of Beta(α, α), from which each batch draws the λ that its rows
	// and a permutation of them are mixed by, and their losses; 0 for none, 0.2 is
	// usual. Rows are mixed as Input gives them. The running training numbers are of
	// mixed rows, right being the label of the larger share.
	Mixup float64 `json:"mixup,omitempty"`

	LabelSmoothing float64       `json:"label_smoothing"` // 0
	ClassWeights   ClassWeights  `json:"class_weights"`   // none
	EarlyStopping  EarlyStopping `json:"early_stopping"`  // off

	Seed    uint64 `json:"seed"`
	Threads int    `json:"-"` // all processors
}

// ClassWeights weigh the loss of a row by its class.
type ClassWeights struct {
	Mode string             `json:"mode"`          // "none", or "map" where Map is given
	Map  map[string]float64 `json:"map,omitempty"` // by class name; classes left out weigh 1
}

// EarlyStopping ends training when the validation metric has not improved for
// a while, and keeps the weights of the best epoch.
type EarlyStopping struct {
	Patience int     `json:"patience"`  // epochs without improvement; 0 is off
	MinDelta float64 `json:"min_delta"` // 0; an improvement is larger than this
	Metric   string  `json:"metric"`    // "val_loss"
}

// WithDefaults returns o with every zero value replaced by its default.
func (o Options) WithDefaults() Options {
	setDefault(&o.Kind, KindLinear)
	if o.Kind == KindMLP {
		setDefault(&o.Hidden, defaultHidden)
	}
	setDefault(&o.Input, InputStandardise)
	setDefault(&o.Epochs, 10)
	setDefault(&o.BatchSize, 256)
	setDefault(&o.Shuffle, ShuffleRows)
	setDefault(&o.Optimizer, OptimizerAdam)
	setDefault(&o.LR, 1e-3)
	setDefault(&o.Beta1, 0.9)
	setDefault(&o.Beta2, 0.999)
	setDefault(&o.Eps, 1e-8)
	setDefault(&o.Schedule, ScheduleConstant)
	setDefault(&o.StepEpochs, max(1, o.Epochs/3))
	setDefault(&o.StepFactor, 0.1)
	if len(o.ClassWeights.Map) > 0 {
		setDefault(&o.ClassWeights.Mode, WeightsMap)
	}
	setDefault(&o.ClassWeights.Mode, WeightsNone)
	setDefault(&o.EarlyStopping.Metric, MetricValLoss)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Limits that keep a slip of the keyboard from asking for all memory.
const (
	maxEpochs  = 1_000_000
	maxThreads = 1024
	maxMixup   = 1000
)

// Validate reports every fault at once, as one error that wraps ErrOptions.
func (o Options) Validate() error {
	o = o.WithDefaults()
	var f fault.List
	oneOf(&f, "input", o.Input, InputStandardise, InputNone, InputL2)
	f.Check(o.Epochs > 0 && o.Epochs <= maxEpochs, "epochs must be from 1 to %d, not %d", maxEpochs, o.Epochs)
	f.Check(o.BatchSize > 0, "batch_size must be positive, not %d", o.BatchSize)
	oneOf(&f, "shuffle", string(o.Shuffle), string(ShuffleRows), string(ShuffleBlocks))
	f.Check(o.Threads >= 0 && o.Threads <= maxThreads, "threads must be from 0 (all processors) to %d, not %d", maxThreads, o.Threads)
	o.checkKind(&f)
	o.checkOptimizer(&f)
	o.checkSchedule(&f)
	o.checkLoss(&f)
	return f.Err(ErrOptions)
}

func (o Options) checkOptimizer(f *fault.List) {
	oneOf(f, "optimizer", o.Optimizer, OptimizerAdam, OptimizerAdamW, OptimizerSGD, OptimizerLBFGS)
	f.Check(positive(o.LR), "lr must be a positive number, not %v; usual values lie between 1e-4 and 1e-1", o.LR)
	f.Check(o.WeightDecay == 0 || positive(o.WeightDecay), "weight_decay must be a finite number from 0 up, not %v", o.WeightDecay)
	f.Check(o.Momentum >= 0 && o.Momentum < 1, "momentum must be from 0 to less than 1, not %v", o.Momentum)
	f.Check(!o.Nesterov || o.Momentum > 0, "nesterov needs a momentum above 0")
	f.Check(o.Optimizer == OptimizerSGD || o.Momentum == 0, "momentum is for the optimizer sgd, not %s", o.Optimizer)
	f.Check(o.Beta1 > 0 && o.Beta1 < 1, "beta1 must lie between 0 and 1, not %v", o.Beta1)
	f.Check(o.Beta2 > 0 && o.Beta2 < 1, "beta2 must lie between 0 and 1, not %v", o.Beta2)
	f.Check(o.EMA >= 0 && o.EMA < 1, "ema must be from 0 (off) to less than 1, not %v", o.EMA)
	f.Check(o.EMA == 0 || o.Optimizer != OptimizerLBFGS, "ema is for optimizers that take steps, not %s", o.Optimizer)
	f.Check(positive(o.Eps), "eps must be a positive number, not %v", o.Eps)
}

func (o Options) checkSchedule(f *fault.List) {
	oneOf(f, "schedule", o.Schedule, ScheduleConstant, ScheduleCosine, ScheduleStep, ScheduleOneCycle)
	f.Check(o.Warmup >= 0 && (o.Warmup == 0 || o.Warmup < o.Epochs), "warmup must be from 0 to less than epochs (%d), not %d", o.Epochs, o.Warmup)
	f.Check(o.StepEpochs > 0, "step_epochs must be positive, not %d", o.StepEpochs)
	f.Check(positive(o.StepFactor) && o.StepFactor <= 1, "step_factor must be above 0 and at most 1, not %v", o.StepFactor)
}

func (o Options) checkLoss(f *fault.List) {
	f.Check(o.Mixup == 0 || positive(o.Mixup) && o.Mixup <= maxMixup, "mixup must be from 0 (off) to %d, not %v", maxMixup, o.Mixup)
	f.Check(o.Mixup == 0 || o.Optimizer != OptimizerLBFGS, "mixup is for optimizers that take steps, not %s", o.Optimizer)
	f.Check(o.LabelSmoothing >= 0 && o.LabelSmoothing < 1, "label_smoothing must be from 0 to less than 1, not %v", o.LabelSmoothing)
	w := o.ClassWeights
	oneOf(f, "class_weights", w.Mode, WeightsNone, WeightsBalanced, WeightsMap)
	f.Check(w.Mode == WeightsMap || len(w.Map) == 0, "class_weights: weights by class are given, so the mode must be map, not %s", w.Mode)
	f.Check(w.Mode != WeightsMap || len(w.Map) > 0, "class_weights: the mode is map, but no weights are given")
	for _, name := range sortedKeys(w.Map) {
		v := w.Map[name]
		f.Check(v == 0 || positive(v), "class_weights: the weight of %q must be a finite number from 0 up, not %v", name, v)
	}
	e := o.EarlyStopping
	f.Check(e.Patience >= 0, "early_stopping: patience must be 0 (off) or more, not %d", e.Patience)
	f.Check(e.MinDelta == 0 || positive(e.MinDelta), "early_stopping: min_delta must be a finite number from 0 up, not %v", e.MinDelta)
	oneOf(f, "early_stopping: metric", e.Metric, MetricValLoss, MetricValAcc)
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

func sortedKeys(m map[string]float64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
