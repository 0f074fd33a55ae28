package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"icebox/headtrain"
	"icebox/pipeline/words"
)

// benchHeadFlags are the settings of a measurement of head training.
type benchHeadFlags struct {
	rows, dim, classes, batch, heads, threads, epochs int
	shuffle                                           string
}

// benchHeadResult is what it prints.
type benchHeadResult struct {
	What         string  `json:"what"`
	Rows         int     `json:"rows"`
	Dim          int     `json:"dim"`
	Classes      int     `json:"classes"`
	Batch        int     `json:"batch"`
	Heads        int     `json:"heads"`
	Threads      int     `json:"threads"`
	Epochs       int     `json:"epochs"`
	Shuffle      string  `json:"shuffle"`
	EpochSeconds float64 `json:"epoch_seconds"` // median, of all heads together
	RowsPerSec   float64 `json:"rows_per_s"`
	GFLOPS       float64 `json:"gflops"`                // multiplying rows with weights and gradients alone
	PeakGFLOPS   float64 `json:"peak_gflops"`           // measured on the same threads
	PeakRead     float64 `json:"peak_read_bytes_per_s"` // of features in random order, likewise
	TrainLoss    float64 `json:"train_loss"`            // the best head's
	TrainAcc     float64 `json:"train_acc"`             // of the same, in its last epoch
	PeakRSS      int64   `json:"peak_rss_bytes,omitempty"`
}

func (p *process) benchHead() *cobra.Command {
	var f benchHeadFlags
	cmd := &cobra.Command{
		Use:   "head [flags]",
		Short: "Measure the training of heads, on generated features", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := f.measure(cmd.Context())
			if err != nil {
				return err
			}
			return p.print(r, r.text)
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&f.rows, "rows", 50_000, "`number` of rows")
	fl.IntVar(&f.dim, "dim", 512, "`number` of features of a row")
	fl.IntVar(&f.classes, "classes", 10, "`number` of classes")
	fl.IntVar(&f.batch, "batch", 256, "`number` of rows in a batch")
	fl.IntVar(&f.heads, "heads", 1, "`number` of heads that train in one pass, each at a learning rate of its own")
	fl.IntVar(&f.threads, "threads", runtime.NumCPU(), "`number` of threads")
	fl.IntVar(&f.epochs, "epochs", 5, "`number` of epochs")
	fl.StringVar(&f.shuffle, "shuffle", string(headtrain.ShuffleRows), "`how` rows are shuffled: rows or blocks, as head.shuffle")
	return cmd
}

// mostBenchValues keeps a slip of the keyboard from asking for all memory: 16 GiB
// of features, or of weights.
const mostBenchValues = 4 << 30

func (f benchHeadFlags) check() error {
	for _, v := range []struct {
		name  string
		value int
	}{{"rows", f.rows}, {"dim", f.dim}, {"classes", f.classes}, {"batch", f.batch}, {"heads", f.heads}, {"threads", f.threads}, {"epochs", f.epochs}} {
		if v.value < 1 || v.value > math.MaxInt32 {
			return usagef("--%s must be from 1 to %d, not %d", v.name, math.MaxInt32, v.value)
		}
	}
	if float64(f.rows)*float64(f.dim) > mostBenchValues || float64(f.heads)*float64(f.classes)*float64(f.dim) > mostBenchValues {
		return usagef("%d rows of %d features and %d heads of %d classes are more than a measurement needs", f.rows, f.dim, f.heads, f.classes)
	}
	if s := headtrain.Shuffle(f.shuffle); s != headtrain.ShuffleRows && s != headtrain.ShuffleBlocks {
		return usagef("--shuffle must be %s or %s, not %q", headtrain.ShuffleRows, headtrain.ShuffleBlocks, f.shuffle)
	}
	return nil
}

func (f benchHeadFlags) measure(ctx context.Context) (benchHeadResult, error) {
	if err := f.check(); err != nil {
		return benchHeadResult{}, err
	}
	job := headtrain.Job{Train: f.features()}
	for h := range f.heads {
		o := headtrain.Options{BatchSize: f.batch, Epochs: f.epochs, Threads: f.threads, Input: headtrain.InputNone, LR: 1e-3, Shuffle: headtrain.Shuffle(f.shuffle)}
		if f.heads > 1 {
			o.LR = math.Pow(10, -4+2*float64(h)/float64(f.heads-1))
		}
		job.Heads = append(job.Heads, o)
	}
	// A head's seconds are those of the pass that it shares: each pass counts once.
	last, passes := 0.0, make([]float64, f.epochs)
	job.OnEpoch = func(_ int, e headtrain.Epoch) {
		if e.Seconds != last {
			last = e.Seconds
			passes[e.Epoch-1] += last
		}
	}
	peak := headtrain.PeakFLOPS(f.threads)
	results, err := headtrain.New().Fit(ctx, job)
	if err != nil {
		return benchHeadResult{}, err
	}
	peak = max(peak, headtrain.PeakFLOPS(f.threads))
	read := headtrain.PeakRead(job.Train, f.threads)
	r := benchHeadResult{
		What: "head", Rows: f.rows, Dim: f.dim, Classes: f.classes, Batch: f.batch, Heads: f.heads, Threads: f.threads, Epochs: f.epochs, Shuffle: f.shuffle,
		EpochSeconds: median(passes), PeakGFLOPS: peak / 1e9, PeakRead: read, TrainLoss: math.Inf(1), PeakRSS: peakRSS(),
	}
	for _, h := range results {
		if h.TrainLoss < r.TrainLoss {
			r.TrainLoss, r.TrainAcc = h.TrainLoss, h.History[len(h.History)-1].TrainAcc
		}
	}
	r.RowsPerSec = float64(f.rows) / r.EpochSeconds
	r.GFLOPS = 4 * float64(f.rows) * float64(f.dim) * float64(f.classes) * float64(f.heads) / r.EpochSeconds / 1e9
	return r, nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// features draws rows of overlapping Gaussian classes behind a ReLU.
func (f benchHeadFlags) features() *headtrain.Dataset {
	r := rand.New(rand.NewPCG(1, 2))
	d := &headtrain.Dataset{
		X: headtrain.NewFeatures(f.rows * f.dim), Dim: f.dim, Labels: make([]int32, f.rows), Classes: make([]string, f.classes),
	}
	for c := range d.Classes {
		d.Classes[c] = strconv.Itoa(c)
	}
	centres := make([]float32, f.classes*f.dim)
	for i := range centres {
		centres[i] = float32(0.12 * r.NormFloat64())
	}
	for i := range d.Labels {
		y := r.IntN(f.classes)
		d.Labels[i] = int32(y)
		row, centre := d.Row(i), centres[y*f.dim:]
		for j := range row {
			row[j] = max(0, centre[j]+float32(r.NormFloat64()))
		}
	}
	return d
}

func (r benchHeadResult) text(w io.Writer) {
	bytes := 4 * r.RowsPerSec * float64(r.Dim)
	for _, line := range [][2]string{
		{"data", fmt.Sprintf("%s of %s, %s", words.Count(r.Rows, "row"), words.Count(r.Dim, "feature"), words.Count(r.Classes, "class"))},
		{"heads", fmt.Sprintf("%s, batch %s, %s", words.Number(r.Heads), words.Number(r.Batch), words.Count(r.Threads, "thread"))},
		{"epoch", fmt.Sprintf("%s (median of %d)", words.Duration(r.EpochSeconds), r.Epochs)},
		{"rows", fmt.Sprintf("%.2f million/s", r.RowsPerSec/1e6)},
		{"reading", fmt.Sprintf("%.1f GB/s of features, %.0f %% of the %.1f that the threads can read", bytes/1e9, 100*bytes/r.PeakRead, r.PeakRead/1e9)},
		{"multiplying", fmt.Sprintf("%.0f GFLOP/s, %.0f %% of the %.0f that the threads can do", r.GFLOPS, 100*r.GFLOPS/r.PeakGFLOPS, r.PeakGFLOPS)},
		{"best head", fmt.Sprintf("training loss %.4f, accuracy %s", r.TrainLoss, words.Percent(r.TrainAcc))},
	} {
		fmt.Fprintf(w, "%-12s %s\n", line[0], line[1])
	}
}
