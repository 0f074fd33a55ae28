package headtrain

import (
	"context"
	"encoding/json"
	"slices"

	"icebox/headtrain/internal/kernel"
)

// Values of Result.Stopped.
const (
	StoppedEpochs = "epochs"         // all epochs were run
	StoppedEarly  = "early_stopping" // no improvement for as long as patience lasts
)

// Result is one trained head and how it came about.
type Result struct {
	Head      *Head   `json:"-"` // Fingerprint and Preprocessing are the caller's to fill
	History   []Epoch `json:"history"`
	BestEpoch int     `json:"best_epoch"` // whose weights Head has: the last one without early stopping
	Stopped   string  `json:"stopped"`

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
	Seconds   float64  `json:"seconds"` // validation included
}

func (f *fit) result(ctx context.Context, best int, stopped string) (Result, error) {
	loss, _, err := f.evaluate(ctx, f.train)
	if err != nil {
		return Result{History: f.history}, err
	}
	if !finite(loss) {
		return Result{History: f.history}, f.diverged(len(f.history), "the final loss")
	}
	head, err := f.head(best)
	return Result{
		Head: head, History: f.history, BestEpoch: best, Stopped: stopped,
		TrainLoss: loss, EpochSeconds: medianSeconds(f.history),
	}, err
}

// engineName is recorded in the recipe of each head.
const engineName = "linear"

// recipe is what a head's file says of its training. It holds nothing that
// differs from machine to machine, so that equal heads are equal files.
type recipe struct {
	Engine    string  `json:"engine"`
	Options   Options `json:"options"`
	Rows      int     `json:"rows"` // labelled training rows
	Epochs    int     `json:"epochs_run"`
	BestEpoch int     `json:"best_epoch"`
}

// head folds the input map into the weights.
func (f *fit) head(best int) (*Head, error) {
	d, k := f.train.Dim, len(f.train.Classes)
	h := &Head{Classes: slices.Clone(f.train.Classes), Dim: d, W: make([]float32, k*d), B: make([]float32, k)}
	if f.options.Input == InputL2 {
		h.Input = InputL2
	}
	for c := range k {
		w := h.W[c*d : (c+1)*d]
		for j := range w {
			w[j] = f.params[kernel.ParamIndex(d, j, c)]
		}
		h.B[c] = f.input.fold(w, f.params[kernel.ParamIndex(d, d, c)])
	}
	if !allFinite(h.W) || !allFinite(h.B) {
		return nil, f.diverged(best, "a weight for raw features")
	}
	var err error
	h.Recipe, err = json.Marshal(recipe{engineName, f.options, len(f.train.rows), len(f.history), best})
	return h, err
}

func medianSeconds(history []Epoch) float64 {
	s := make([]float64, len(history))
	for i, e := range history {
		s[i] = e.Seconds
	}
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
