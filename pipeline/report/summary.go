package report

import (
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/quality"
	"icebox/pipeline/sweep"
	"icebox/pipeline/words"
)

// Summary says what a program did, in numbers. Its JSON form is what commands print;
// fields, once published, keep their meaning.
type Summary struct {
	features.Found
	features.Work
	journal.Log

	RunDir *string `json:"run_dir"`
}

// TrainSummary is the part of a run's summary that is about the head.
type TrainSummary struct {
	Epochs       int      `json:"epochs"`  // run, not asked for
	Stopped      string   `json:"stopped"` // why no more were; see headtrain.Result
	Gradient     float64  `json:"gradient,omitempty"`
	EpochSeconds float64  `json:"epoch_seconds"` // median
	TrainLoss    float64  `json:"train_loss"`    // mean cross-entropy over the training rows with the weights that are kept; in metrics.jsonl it is running_loss
	TrainAcc     float64  `json:"train_acc"`
	ValLoss      *float64 `json:"val_loss"`
	ValAcc       *float64 `json:"val_acc"`
	TestLoss     *float64 `json:"test_loss"` // as all losses here: as trained, before calibration
	TestAcc      *float64 `json:"test_acc"`

	ValAccRange  *judge.Interval `json:"val_acc_interval"` // 95 %; rows of a group count together
	TestAccRange *judge.Interval `json:"test_acc_interval"`

	TestECE   *float64 `json:"test_ece"` // expected calibration error, at the temperature
	BestEpoch int      `json:"best_epoch"`
	TrainRows int      `json:"train_rows"`
	ValRows   int      `json:"val_rows"`
	TestRows  int      `json:"test_rows"`
	Missing   int      `json:"missing"` // labelled items without a feature, left out

	// TestLoss is before calibration and TestECE after it; these are the other way round.
	TestLossCalibrated  *float64 `json:"test_loss_calibrated"`
	TestECEUncalibrated *float64 `json:"test_ece_uncalibrated"`

	Temperature float64         `json:"temperature"` // 1 where none was fitted
	Threshold   float64         `json:"threshold"`   // answers under it are unknown; 0: none are
	Baseline    *judge.Baseline `json:"baseline"`    // the one that says the worst of the head

	Refit bool `json:"refit,omitempty"` // the head learned from validation rows, too; TrainRows counts them
	// Settings ask for a head of the options that were chosen; there are none where these
	// were given.
	Settings []string `json:"settings,omitempty"`

	// Corrections are those that were laid over the labels; nil where none were.
	Corrections *Corrections `json:"corrections,omitempty"`

	Leaks *Leaks `json:"leaks,omitempty"` // nil where nothing is held out, or too much to look at

	// Quality says which pictures are dark, blurry and the like; nil where the rows are of no
	// pictures.
	Quality *quality.Report `json:"quality,omitempty"`

	Tuned *Tuning `json:"tuned,omitempty"` // nil where tuning was not asked for
}

// Leaks are held-out images that have a near copy among the training images: the numbers of
// their part are too good.
type Leaks struct {
	Part   string `json:"part"`
	Images int    `json:"images"`
	Of     int    `json:"of"` // images of the part
}

// Rate says how many training rows a second an epoch takes, in brackets; "" if no
// epoch was timed.
func (s *TrainSummary) Rate() string {
	if s.EpochSeconds <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%s rows/s)", words.Number(math.Round(float64(s.TrainRows)/s.EpochSeconds)))
}

// Course says how long the head was trained and, of one that goes to an optimum,
// whether it came there.
func (s *TrainSummary) Course() string {
	switch {
	case s.Stopped == headtrain.StoppedConverged:
		return fmt.Sprintf("converged in %s (gradient %.1g)", words.Count(s.Epochs, "iteration"), s.Gradient)
	case s.Gradient > 0:
		return fmt.Sprintf("%s, not converged (gradient %.1g)", words.Count(s.Epochs, "iteration"), s.Gradient)
	}
	return words.Count(s.Epochs, "epoch")
}

// RunSummary is the summary of [Run] and [Train].
type RunSummary struct {
	Summary
	TrainSummary
}

// SweepSummary is the summary of a sweep.
type SweepSummary struct {
	RunSummary // of the chosen head

	Method       string       `json:"method"`
	Metric       sweep.Metric `json:"metric"`
	Points       int          `json:"points"`
	Heads        int          `json:"heads"`      // trained, or taken from before an interruption
	EpochsRun    int          `json:"epochs_run"` // of all heads
	Diverged     int          `json:"diverged"`   // heads
	Resumed      int          `json:"resumed"`    // heads that were there already
	SweepSeconds float64      `json:"sweep_seconds"`
	// HeadEpochsPerSecond is the rate of this process.
	HeadEpochsPerSecond float64 `json:"head_epochs_per_second"`

	// Best are the options of the chosen head, train_fraction among them, and
	// BestValues those that the axes gave.
	Best       map[string]any `json:"best"`
	BestValues map[string]any `json:"best_values"`
	// ValAcc and ValLoss are what the choice was made by: the point's means over seeds and
	// folds. In JSON they stand in the place of the chosen head's own numbers, which are in
	// report.json.
	ValAcc        *float64    `json:"val_acc"`
	ValAccSpread  *float64    `json:"val_acc_spread"`
	ValLoss       *float64    `json:"val_loss"`
	Score         *sweep.Stat `json:"score"`                    // of the chosen point, in the metric
	InterruptedAt string      `json:"interrupted_at,omitempty"` // folder to resume from
	Report        *Sweep      `json:"-"`
}

// RateSummary says which learning rates were tried, and which to start from.
type RateSummary struct {
	Summary
	TrainRows int `json:"train_rows"`

	LR    float64             `json:"lr"` // the one with the lowest loss, to three digits
	Tried []headtrain.LRPoint `json:"tried"`
}

// Text writes s for a person: the loss at each rate, and a drawing of it.
func (s *RateSummary) Text(w io.Writer) {
	t := NewTable(w)
	t.AppendHeader(table.Row{"lr", "train_loss"})
	for _, tried := range s.Tried {
		loss := "diverged"
		if tried.Loss != nil {
			loss = fmt.Sprintf("%.4f", *tried.Loss)
		}
		t.AppendRow(table.Row{fmt.Sprintf("%.3g", tried.LR), loss})
	}
	t.Render()
	fmt.Fprintf(w, "\n%s\nlowest after one epoch on %s: lr %g\n", s.plot(), words.Count(s.TrainRows, "row"), s.LR)
}

// plot draws the loss by learning rate. Losses far above that of the lowest rate,
// whose head has learned next to nothing, are drawn at the upper edge.
func (s *RateSummary) plot() string {
	var lr, loss []float64
	best, edge := 0, math.Inf(1)
	for _, t := range s.Tried {
		if t.Loss == nil {
			continue
		}
		if len(lr) == 0 {
			edge = 1.25 * *t.Loss
		}
		lr, loss = append(lr, math.Log10(t.LR)), append(loss, min(*t.Loss, edge))
		if loss[len(loss)-1] < loss[best] {
			best = len(loss) - 1
		}
	}
	if len(lr) < 2 {
		return ""
	}
	return plotByLR("train_loss", lr, loss, best, func(v float64) string { return fmt.Sprintf("%10.4g", v) })
}

// SetOutcome fills in what a search came to, as far as it came.
func (s *SweepSummary) SetOutcome(search *sweep.Search, out *sweep.Outcome) {
	s.Metric, s.Points = search.Metric, len(search.Plan.Points)
	s.Heads, s.EpochsRun, s.Diverged = search.Log.Len(), search.Log.Epochs(), search.Log.Diverged()
	s.Resumed, s.SweepSeconds = out.Resumed, out.Seconds
	if out.Seconds > 0 {
		s.HeadEpochsPerSecond = float64(out.Epochs) / out.Seconds
	}
	if len(out.Results) == 0 || out.Best().Failed() {
		return
	}
	best := out.Best()
	s.Best, s.BestValues, s.Score = BestOptions(search.Plan, best), best.Values, best.Score(s.Metric)
	if v := best.ValAcc; v != nil {
		s.ValAcc, s.ValAccSpread, s.ValLoss = &v.Mean, &v.Spread, &best.ValLoss.Mean
	}
}
