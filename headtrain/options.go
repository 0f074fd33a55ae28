package headtrain

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// Values of Options.Kind.
const (
	KindLinear = "linear"
	KindMLP    = "mlp" // one hidden layer with ReLU and dropout
)

// Values of Options.Input: what is done to features before the first layer.
const (
	InputStandardise = "standardise" // (x-mean)/σ over the training rows; folded into the saved head
	InputNone        = "none"
	InputL2          = "l2" // each row is scaled to length 1; the saved head does so itself
)

// Values of Options.Optimizer. As in PyTorch, "adam" and "sgd" add weight decay
// to the gradient, and "adamw" takes it off the weights.
//
// "lbfgs" minimises the loss over all training rows plus weight_decay/2·‖W‖² on
// the features that Input gives, from weights of 0. With three classes or more
// this is the optimum of scikit-learn's LogisticRegression with
// C = 1/(weight_decay·rows). An epoch is then an iteration, and Epochs is the most
// there will be: give it a few hundred. Training ends sooner, with Stopped
// "converged", once no value of the gradient is above LBFGSTolerance; this gradient
// is taken on features scaled so that the objective curves alike along each of
// them, whatever Input is. LR, BatchSize, Shuffle, Schedule and Seed have no
// influence.
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
	MetricValLoss        = "val_loss"
	MetricValAcc         = "val_acc"
	MetricValMacroF1     = "val_macro_f1"
	MetricValBalancedAcc = "val_balanced_acc"
)

// Options say how one head is trained. A zero value stands for the default, with
// which the comment of each field begins. Threads has no influence on the result
// and is not recorded.
type Options struct {
	Kind    string  `json:"kind"`              // "linear"
	Hidden  int     `json:"hidden,omitempty"`  // 256, at most 65536; units of the hidden layer, "mlp" only
	Dropout float64 `json:"dropout,omitempty"` // 0, less than 1; share of hidden units left out of each step, "mlp" only

	Input     string  `json:"input"`            // "standardise"
	Epochs    int     `json:"epochs"`           // 10, at most a million
	BatchSize int     `json:"batch_size"`       // 256 rows; the last batch of an epoch may be smaller
	Shuffle   Shuffle `json:"shuffle,omitzero"` // "rows"

	Optimizer   string  `json:"optimizer"`    // "adam"
	LR          float64 `json:"lr"`           // 1e-3; usual rates lie between 1e-4 and 1e-1
	WeightDecay float64 `json:"weight_decay"` // 0, for "adamw" too
	Momentum    float64 `json:"momentum"`     // 0, less than 1; "sgd" only
	Nesterov    bool    `json:"nesterov"`     // false; "sgd" with momentum only
	Beta1       float64 `json:"beta1"`        // 0.9
	Beta2       float64 `json:"beta2"`        // 0.999
	Eps         float64 `json:"eps"`          // 1e-8

	Schedule   string  `json:"schedule"`    // "constant"
	Warmup     int     `json:"warmup"`      // 0; epochs in which the rate rises evenly to LR, part of Epochs
	StepEpochs int     `json:"step_epochs"` // a third of Epochs; epochs between two cuts of the rate, "step" only
	StepFactor float64 `json:"step_factor"` // 0.1, at most 1; of each cut, "step" only

	// EMA is the decay of an exponential moving average of the weights over the
	// steps, from 0, for none, to less than 1; 0.999 is usual for some thousands of
	// steps. After the first step the average equals the weights, and each later
	// step moves it 1-EMA of the way to them, as PyTorch's AveragedModel with
	// get_ema_multi_avg_fn does. The average is validated, kept and saved; the
	// weights behind it go on training, and the running training numbers are theirs.
	EMA float64 `json:"ema,omitempty"`

	// Mixup is the α of Beta(α, α), from 0, for none, to 1000; 0.2 is usual. Each
	// batch draws a λ from it, by which its rows are mixed with a permutation of
	// them, and so are their losses. Rows are mixed as Input gives them. The running
	// training numbers are of mixed rows; the label of the larger share counts as
	// the right one.
	Mixup float64 `json:"mixup,omitempty"`

	LabelSmoothing float64       `json:"label_smoothing"` // 0, less than 1
	ClassWeights   ClassWeights  `json:"class_weights"`   // none
	EarlyStopping  EarlyStopping `json:"early_stopping"`  // off

	Seed    uint64 `json:"seed"`
	Threads int    `json:"-"` // all processors, at most 1024
}

// ClassWeights weigh the loss of a row by its class.
type ClassWeights struct {
	Mode string             `json:"mode"`          // "none", or "map" where Map is given
	Map  map[string]float64 `json:"map,omitempty"` // from 0, by class name; classes left out weigh 1
}

// EarlyStopping ends training when the validation metric has not improved for
// a while, and keeps the weights of the best epoch.
type EarlyStopping struct {
	Patience int     `json:"patience"`  // 0, which is off; epochs without improvement
	MinDelta float64 `json:"min_delta"` // 0; only a change larger than this is an improvement
	Metric   string  `json:"metric"`    // "val_loss"
}

// WithDefaults returns o with every zero value replaced by its default.
func (o Options) WithDefaults() Options {
	setDefault(&o.Kind, KindLinear)
	if o.Kind == KindMLP {
		setDefault(&o.Hidden, 256) // half of a ResNet-18's features
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

// Limits, so that a slip of the keyboard does not ask for all memory.
const (
	maxEpochs  = 1_000_000
	maxHidden  = 65_536
	maxThreads = 1024
	maxMixup   = 1000
)

// Validate returns every Fault of o, joined. The values are judged with the
// defaults in place of zeros.
func (o Options) Validate() error {
	o = o.WithDefaults()
	var f faults
	f.word("Input", o.Input)
	f.number("Epochs", float64(o.Epochs))
	f.number("BatchSize", float64(o.BatchSize))
	f.word("Shuffle", string(o.Shuffle))
	f.number("Threads", float64(o.Threads))
	o.checkKind(&f)
	o.checkOptimizer(&f)
	o.checkSchedule(&f)
	o.checkLoss(&f)
	return f.err()
}

func (o Options) checkKind(f *faults) {
	f.word("Kind", o.Kind)
	f.number("Hidden", float64(o.Hidden))
	f.number("Dropout", o.Dropout)
	f.check(o.Kind == KindMLP || o.Hidden == 0, "Hidden", "(%d) is for heads of the kind %s, not %s", o.Hidden, KindMLP, o.Kind)
	f.check(o.Kind == KindMLP || o.Dropout == 0, "Dropout", "(%v) is for heads of the kind %s, not %s", o.Dropout, KindMLP, o.Kind)
}

func (o Options) checkOptimizer(f *faults) {
	f.word("Optimizer", o.Optimizer)
	f.number("LR", o.LR)
	f.number("WeightDecay", o.WeightDecay)
	f.number("Momentum", o.Momentum)
	f.check(!o.Nesterov || o.Momentum > 0, "Nesterov", "needs a momentum of more than 0")
	f.check(o.Optimizer == OptimizerSGD || o.Momentum == 0, "Momentum", "(%v) is for the optimizer %s, not %s", o.Momentum, OptimizerSGD, o.Optimizer)
	f.number("Beta1", o.Beta1)
	f.number("Beta2", o.Beta2)
	f.number("EMA", o.EMA)
	f.check(o.EMA == 0 || o.Optimizer != OptimizerLBFGS, "EMA", "(%v) cannot be used with the optimizer %s", o.EMA, o.Optimizer)
	f.number("Eps", o.Eps)
}

func (o Options) checkSchedule(f *faults) {
	f.word("Schedule", o.Schedule)
	f.number("Warmup", float64(o.Warmup))
	f.check(o.Warmup <= 0 || o.Warmup < o.Epochs, "Warmup", "(%d) must be less than the number of epochs (%d)", o.Warmup, o.Epochs)
	f.number("StepEpochs", float64(o.StepEpochs))
	f.number("StepFactor", o.StepFactor)
}

func (o Options) checkLoss(f *faults) {
	f.number("Mixup", o.Mixup)
	f.check(o.Mixup == 0 || o.Optimizer != OptimizerLBFGS, "Mixup", "(%v) cannot be used with the optimizer %s", o.Mixup, o.Optimizer)
	f.number("LabelSmoothing", o.LabelSmoothing)
	w := o.ClassWeights
	f.word("ClassWeights.Mode", w.Mode)
	f.check(w.Mode == WeightsMap || len(w.Map) == 0, "ClassWeights.Mode", "(%s) must be %s where weights are given", w.Mode, WeightsMap)
	f.check(w.Mode != WeightsMap || len(w.Map) > 0, "ClassWeights.Map", "must hold weights where the mode is %s", WeightsMap)
	for _, name := range slices.Sorted(maps.Keys(w.Map)) {
		weight, v := Ranges()["ClassWeights.Map"], w.Map[name]
		f.check(weight.Holds(v), "ClassWeights.Map", "must give %q a finite weight that is %v, not %v", name, weight, v)
	}
	e := o.EarlyStopping
	f.number("EarlyStopping.Patience", float64(e.Patience))
	f.number("EarlyStopping.MinDelta", e.MinDelta)
	f.word("EarlyStopping.Metric", e.Metric)
}

// number checks that a value is in the range of its field.
func (f *faults) number(field string, v float64) {
	r, text := Ranges()[field], strconv.FormatFloat(v, 'f', -1, 64)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		f.check(false, field, "(%s) must be finite and %v", text, r)
		return
	}
	f.check(r.Holds(v), field, "(%s) must be %v", text, r)
}

// word checks that a text is one of the choices of its field.
func (f *faults) word(field, v string) { f.oneOf(field, v, Choices()[field]...) }
