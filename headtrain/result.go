package headtrain

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Values of Result.Stopped.
const (
	StoppedEpochs = "epochs"         // all epochs were run
	StoppedEarly  = "early_stopping" // no improvement for as long as patience lasts

	StoppedConverged = "converged" // lbfgs found the optimum
	StoppedStalled   = "stalled"   // lbfgs found nothing better, at the precision of float32, and that is not the optimum
)

// Result is one trained head and how it came about.
type Result struct {
	Head      *Head   `json:"-"` // Fingerprint and Preprocessing are the caller's to fill
	Last      *Head   `json:"-"` // that of the last epoch, where early stopping kept another
	History   []Epoch `json:"history"`
	BestEpoch int     `json:"best_epoch"` // whose weights Head has: the last one without early stopping
	Stopped   string  `json:"stopped"`
	Gradient  float64 `json:"gradient,omitempty"` // its largest value at the end; "lbfgs" only

	// TrainLoss is the mean cross-entropy over the labelled training rows under
	// the weights of Head, without class weights or smoothing.
	TrainLoss    float64 `json:"train_loss"`
	EpochSeconds float64 `json:"epoch_seconds"` // median of History
}

// Epoch is what one pass over the training rows came to. Its training numbers
// are running ones, taken batch by batch as the weights changed; the loss is
// the objective, class weights and smoothing included. Its validation numbers
// are plain cross-entropy and accuracy under the weights at its end.
type Epoch struct {
	Epoch     int      `json:"epoch"` // from 1
	TrainLoss float64  `json:"train_loss"`
	TrainAcc  float64  `json:"train_acc"`
	ValLoss   *float64 `json:"val_loss"` // nil without a validation set
	ValAcc    *float64 `json:"val_acc"`
	LR        float64  `json:"lr"`      // of its last step
	Seconds   float64  `json:"seconds"` // of the pass, whose heads it shares; validation included
}

// engineName is recorded in the recipe of each head; it changes with the order of
// summation.
const engineName = "linear/2"

// recipe is what a head's file says of its training. It holds nothing that
// differs from machine to machine, so that equal heads are equal files.
type recipe struct {
	Engine    string  `json:"engine"`
	Options   Options `json:"options"`
	Rows      int     `json:"rows"` // labelled training rows
	Epochs    int     `json:"epochs_run"`
	BestEpoch int     `json:"best_epoch"`
}

// Trained returns the options that a head was trained with and the number of
// epochs that its weights have seen, for another head of its kind.
func (h *Head) Trained() (Options, int, error) {
	r := recipe{Options: Options{}.WithDefaults()}
	if h.Recipe != nil {
		if err := json.Unmarshal(h.Recipe, &r); err != nil {
			return r.Options, 0, fmt.Errorf("%w: recipe: %w", ErrFormat, err)
		}
	}
	if r.BestEpoch < 1 {
		r.BestEpoch = r.Options.Epochs
	}
	return r.Options, r.BestEpoch, nil
}

func medianSeconds(history []Epoch) float64 {
	s := make([]float64, len(history))
	for i, e := range history {
		s[i] = e.Seconds
	}
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
