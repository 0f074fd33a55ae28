package pipeline

import (
	"fmt"
	"math"
	"time"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// Summary says what a run did, in numbers. Its JSON form is what commands print
// with --json; fields, once published, keep their meaning.
type Summary struct {
	Dataset string `json:"dataset"`
	Space   string `json:"space"`

	Features string `json:"features,omitempty"` // folder that they came from, where it was no cache
	Dim      int    `json:"dim,omitempty"`      // of these features

	Images       int   `json:"images"`        // items of the dataset
	Hits         int   `json:"hits"`          // features found in the cache
	Misses       int   `json:"misses"`        // features that had to be computed, or could not be
	Computed     int   `json:"computed"`      // features that this run computed
	ImagesOpened int   `json:"images_opened"` // image files opened by this run
	BytesRead    int64 `json:"bytes_read"`    // of image files, by this run
	Quarantined  int   `json:"quarantined"`   // bad images, remembered ones included
	KnownBad     int   `json:"known_bad"`     // of these, remembered and not tried again

	Engine        string `json:"engine"`
	ISA           string `json:"isa"`
	Weights       string `json:"weights"` // path, or random:SEED
	WeightsHash   string `json:"weights_hash"`
	RandomWeights bool   `json:"random_weights"` // untrained: good for nothing but a smoke test

	Seconds float64     `json:"seconds"`
	Stages  []StageTime `json:"stages"`
	Work    Work        `json:"work"`
	RunDir  *string     `json:"run_dir"`

	Quarantine []Bad    `json:"quarantine,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
}

// StageTime is the wall clock of one stage.
type StageTime struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Work is where extraction spent its time: processor seconds, summed over workers.
type Work struct {
	Workers int     `json:"workers"`
	Seconds float64 `json:"seconds"` // wall clock of the workers, engine ready
	Read    float64 `json:"read"`    // open and read image files
	Hash    float64 `json:"hash"`    // SHA-256
	Decode  float64 `json:"decode"`  // decode, resize, crop
	Forward float64 `json:"forward"` // backbone
	Write   float64 `json:"write"`   // hand rows to the cache, and wait for it
}

// TrainSummary is the part of a run's summary that is about the head.
type TrainSummary struct {
	Epochs       int      `json:"epochs"`  // run, not asked for
	Stopped      string   `json:"stopped"` // why no more were; see headtrain.Result
	Gradient     float64  `json:"gradient,omitempty"`
	EpochSeconds float64  `json:"epoch_seconds"` // median
	TrainLoss    float64  `json:"train_loss"`    // mean cross-entropy over the training rows with the final weights
	TrainAcc     float64  `json:"train_acc"`
	ValLoss      *float64 `json:"val_loss"`
	ValAcc       *float64 `json:"val_acc"`
	TestLoss     *float64 `json:"test_loss"` // as all losses here: as trained, before calibration
	TestAcc      *float64 `json:"test_acc"`
	TestECE      *float64 `json:"test_ece"` // expected calibration error, at the temperature
	BestEpoch    int      `json:"best_epoch"`
	TrainRows    int      `json:"train_rows"`
	ValRows      int      `json:"val_rows"`
	TestRows     int      `json:"test_rows"`
	Missing      int      `json:"missing"` // labelled items without a feature, left out

	// What TestLoss is at the temperature, and what TestECE was before calibration: with
	// these both numbers are there for both heads.
	TestLossCalibrated  *float64 `json:"test_loss_calibrated"`
	TestECEUncalibrated *float64 `json:"test_ece_uncalibrated"`

	Temperature float64         `json:"temperature"` // 1 where none was fitted
	Threshold   float64         `json:"threshold"`   // answers under it are unknown; 0: none are
	Baseline    *judge.Baseline `json:"baseline"`    // the one that says the worst of the head
}

// Rate says how many training rows a second an epoch takes, in brackets; "" if no
// epoch was timed.
func (s *TrainSummary) Rate() string {
	if s.EpochSeconds <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%s rows/s)", commas(math.Round(float64(s.TrainRows)/s.EpochSeconds)))
}

// Course says how long the head was trained and, of one that goes to an optimum,
// whether it came there.
func (s *TrainSummary) Course() string {
	switch {
	case s.Stopped == headtrain.StoppedConverged:
		return fmt.Sprintf("converged in %d iterations (gradient %.1g)", s.Epochs, s.Gradient)
	case s.Gradient > 0:
		return fmt.Sprintf("%d iterations, not converged (gradient %.1g)", s.Epochs, s.Gradient)
	}
	return fmt.Sprintf("%d epochs", s.Epochs)
}

// RunSummary is the summary of [Run] and [Train].
type RunSummary struct {
	Summary
	TrainSummary
}

// things are what a run counts, for a person.
func (s *Summary) things() string {
	if s.Features != "" {
		return "rows"
	}
	return "images"
}

func (s *Summary) setWeights(w extract.WeightsInfo) {
	s.Weights, s.WeightsHash, s.RandomWeights = w.String(), w.Hash, w.Random()
}

// seconds rounds d for people.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Second)
}
