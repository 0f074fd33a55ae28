package headtrain

import "slices"

// Values of Result.Stopped.
const (
	StoppedEpochs = "epochs"         // all epochs were run
	StoppedEarly  = "early_stopping" // no improvement for as long as patience lasts

	StoppedConverged = "converged" // "lbfgs" found the optimum
	StoppedStalled   = "stalled"   // "lbfgs" found no better point in float32, but is not at the optimum
)

// Result is one trained head and how it was trained.
type Result struct {
	Head      *Head   `json:"-"` // Fingerprint and Preprocessing are the caller's to fill
	Last      *Head   `json:"-"` // of the last epoch, if early stopping kept another; else nil
	History   []Epoch `json:"history"`
	BestEpoch int     `json:"best_epoch"` // whose weights Head has; without early stopping the last one
	Stopped   string  `json:"stopped"`
	Gradient  float64 `json:"gradient,omitempty"` // the largest value of the gradient at the end; "lbfgs" only

	// TrainLoss is the mean cross-entropy over the labelled training rows under
	// the weights of Head, without class weights or smoothing.
	TrainLoss    float64 `json:"train_loss"`
	EpochSeconds float64 `json:"epoch_seconds"` // median of History
}

// Epoch is the numbers of one pass over the training rows. Those of training are
// running ones, taken from each batch before its step; the loss is the objective,
// class weights and smoothing included. Those of validation are plain cross-entropy,
// accuracy, macro F1 and balanced accuracy under the weights at the end of the epoch.
type Epoch struct {
	Epoch     int      `json:"epoch"` // from 1
	TrainLoss float64  `json:"train_loss"`
	TrainAcc  float64  `json:"train_acc"`
	ValLoss   *float64 `json:"val_loss"` // nil without a validation set
	ValAcc    *float64 `json:"val_acc"`
	// As scikit-learn defines them, with zero_division=0.
	ValMacroF1     *float64 `json:"val_macro_f1,omitempty"`
	ValBalancedAcc *float64 `json:"val_balanced_acc,omitempty"`

	LR      float64 `json:"lr"`      // of the last step
	Seconds float64 `json:"seconds"` // of the pass, for all heads that share it, validation included
}

// Metric returns the value of a metric, which Choices lists for EarlyStopping.Metric, and
// whether more of it is better. Without a validation set there is none.
func (e Epoch) Metric(name string) (value *float64, more bool) {
	switch name {
	case MetricValLoss:
		return e.ValLoss, false
	case MetricValAcc:
		return e.ValAcc, true
	case MetricValMacroF1:
		return e.ValMacroF1, true
	case MetricValBalancedAcc:
		return e.ValBalancedAcc, true
	}
	return nil, false
}

// measures are the numbers of a validation.
type measures struct{ loss, accuracy, macroF1, balancedAccuracy float64 }

// into points an epoch to m.
func (m *measures) into(e *Epoch) {
	e.ValLoss, e.ValAcc, e.ValMacroF1, e.ValBalancedAcc = &m.loss, &m.accuracy, &m.macroF1, &m.balancedAccuracy
}

func medianSeconds(history []Epoch) float64 {
	s := make([]float64, len(history))
	for i, e := range history {
		s[i] = e.Seconds
	}
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
