package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"icebox/extract"
	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// benchFlags are the settings of a measurement.
type benchFlags struct {
	threads, batch int
	seconds        float64
	weights, data  string
	isa            string
	device         string
	precision      string
}

// benchResult is what a measurement prints.
type benchResult struct {
	What         string  `json:"what"`
	ImagesPerSec float64 `json:"images_per_s"`      // over the whole time
	BestPerSec   float64 `json:"best_images_per_s"` // of the quickest call
	Threads      int     `json:"threads"`
	Batch        int     `json:"batch"`
	Engine       string  `json:"engine"`
	ISA          string  `json:"isa"`
	Plan         string  `json:"plan"`
	Numeric      string  `json:"numeric"`
	StartSeconds float64 `json:"start_seconds"` // until the engine was open
	Images       int     `json:"images"`
	Seconds      float64 `json:"seconds"`
	PeakRSS      int64   `json:"peak_rss_bytes,omitempty"`
}

func (p *process) benchCommand() *cobra.Command {
	return group("bench", "Measure icebox on this machine",
		p.benchSub("forward", "the backbone alone", (*bench).forward),
		p.benchSub("preprocess", "decoding, resizing and cropping of the images of --data", (*bench).preprocess),
		p.benchSub("extract", "decoding and backbone together, on the images of --data", (*bench).extract),
		p.benchHead(),
		p.benchServe(),
	)
}

func (p *process) benchSub(name, what string, run func(*bench, context.Context) error) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: name + " [--threads N] [--batch B] [--seconds S]", Short: "Measure " + what, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if chosen := cmd.Flags().Changed; name == "forward" && !p.json && !chosen("threads") && !chosen("batch") {
				return p.forwardReport(cmd.Context(), f)
			}
			result, err := p.measure(cmd.Context(), f, name, run)
			if err != nil {
				return err
			}
			return p.printBench(result)
		},
	}
	cmd.Long = fmt.Sprintf("%s measures %s.\nThe images lie in memory.", name, what)
	if name == "forward" {
		cmd.Long = `forward measures the backbone alone, on crops in memory. Without --threads and
--batch it measures batches of 1, 8 and 32 on 1 to all threads, and each layer.
A batch of 1 is done as predict does it: by the plan for single images, with
all threads on one.`
	}
	f.add(cmd.Flags())
	return cmd
}

func (f *benchFlags) add(fl *pflag.FlagSet) {
	fl.IntVar(&f.threads, "threads", runtime.NumCPU(), "`number` of threads")
	fl.IntVar(&f.batch, "batch", 16, "`number` of images in a call, which the threads share")
	fl.Float64Var(&f.seconds, "seconds", 5, "how long to measure")
	fl.StringVar(&f.weights, "weights", "", "`file`, auto or random (default: auto, else random; of no influence on speed)")
	fl.StringVar(&f.data, "data", "", "`folder` of images")
	fl.StringVar(&f.isa, "isa", extract.Auto, "auto, avx512, avx2, neon or portable")
	fl.StringVar(&f.device, "device", extract.Auto, "auto, cpu, cuda, cuda:1 or cuda:0,1: the key backbone.device")
	fl.StringVar(&f.precision, "precision", "fp32", "fp32, bf16, tf32 or fp16: the key backbone.precision")
}

func (f *benchFlags) check() error {
	if f.threads < 1 || f.batch < 1 || !(f.seconds > 0) {
		return usagef("--threads (%d), --batch (%d) and --seconds (%v) must be positive", f.threads, f.batch, f.seconds)
	}
	return nil
}

// measure does one measurement.
func (p *process) measure(ctx context.Context, f benchFlags, what string, run func(*bench, context.Context) error) (benchResult, error) {
	b := &bench{process: p, benchFlags: f, result: benchResult{What: what, Threads: f.threads, Batch: f.batch}}
	if err := b.open(ctx); err != nil {
		return b.result, err
	}
	defer b.close()
	err := run(b, ctx)
	b.result.PeakRSS = peakRSS()
	return b.result, err
}

func (p *process) printBench(r benchResult) error {
	return p.printLine(r, "%s: %.1f images/s (best call %.1f), %s, batch %d, %s (%s), %s in %.1f s",
		r.What, r.ImagesPerSec, r.BestPerSec, words.Count(r.Threads, "thread"), r.Batch, r.Engine, r.ISA, words.Count(r.Images, "image"), r.Seconds)
}

// bench is one measurement.
type bench struct {
	*process
	benchFlags
	x      *extract.Extractor
	single *extract.Single // instead, for the backbone on single images
	result benchResult
}

func (b *bench) open(ctx context.Context) error {
	o := extract.Options{Weights: b.weights, ISA: b.isa, Device: b.device, Precision: b.precision, Engines: b.engines(0), Env: b.getenv,
		Note: func(text string) { b.tell("note: %s", text) }}
	forward := b.result.What == "forward"
	if forward {
		o.Threads = b.threads // the others call from as many goroutines
		o.Engines = b.engines(b.batch)
	}
	x, _, err := openOrRandom(ctx, &o)
	if err != nil {
		return err
	}
	engine := x.Engine
	if b.x = x; forward && b.batch == 1 {
		if b.single, err = extract.OpenSingle(ctx, o); err != nil {
			return errors.Join(err, x.Close())
		}
		engine = b.single.Engine
	}
	start := time.Now()
	info, err := engine()
	r := &b.result
	r.StartSeconds = time.Since(start).Seconds()
	r.Engine, r.ISA, r.Plan, r.Numeric = info.Name, info.ISA, fmt.Sprintf("%s-%d", info.Plan, info.Version), info.Numeric
	if err != nil {
		b.close()
		return err
	}
	if b.single == nil {
		for _, skipped := range x.Skipped() {
			b.tell("note: %v", skipped)
		}
	}
	return nil
}

func (b *bench) close() {
	if b.single != nil {
		b.single.Close()
	}
	b.x.Close()
}

// forward measures calls of the engine on crops of noise: its time does not depend
// on what they show.
func (b *bench) forward(ctx context.Context) error {
	pixels, features := crops(b.batch)
	if b.result.Engine != extract.Native {
		return b.forwardAsync(ctx, pixels)
	}
	return b.measure(ctx, func() (int, error) {
		if b.single != nil {
			return 1, b.single.Forward(ctx, features, pixels)
		}
		return b.batch, b.x.Forward(ctx, features, pixels, b.batch)
	})
}

// crops returns n crops of noise and room for their features.
func crops(n int) (pixels []uint8, features []float32) {
	pixels = make([]uint8, n*extract.PixelBytes)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range pixels {
		pixels[i] = uint8(rng.Uint32())
	}
	return pixels, make([]float32, n*extract.Dim)
}

// forwardAsync keeps a device busy as workers do: some fill the next batch while
// others wait for theirs.
func (b *bench) forwardAsync(ctx context.Context, pixels []uint8) error {
	const callers, calls = 4, 8
	return b.measure(ctx, func() (int, error) {
		var g errgroup.Group
		for range callers {
			g.Go(func() error {
				features := make([]float32, b.batch*extract.Dim)
				for range calls {
					if err := b.x.Forward(ctx, features, pixels, b.batch); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return callers * calls * b.batch, g.Wait()
	})
}

// preprocess measures passes over batches of images, shared among the threads.
func (b *bench) preprocess(ctx context.Context) error {
	images, err := b.images(ctx)
	if err != nil {
		return err
	}
	crops := make([][]uint8, b.threads)
	for i := range crops {
		crops[i] = make([]uint8, extract.PixelBytes)
	}
	next := 0
	return b.measure(ctx, func() (int, error) {
		var g errgroup.Group
		for worker := range b.threads {
			g.Go(func() error {
				for i := worker; i < b.batch; i += b.threads {
					if _, err := b.x.Preprocess(ctx, crops[worker], images[(next+i)%len(images)]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		err := g.Wait()
		next += b.batch
		return b.batch, err
	})
}

// extract measures decoding and backbone, each thread on batches of its own, as an
// extraction does it.
func (b *bench) extract(ctx context.Context) error {
	images, err := b.images(ctx)
	if err != nil {
		return err
	}
	next := 0
	return b.measure(ctx, func() (int, error) {
		var g errgroup.Group
		for range b.threads {
			mine := make([][]byte, b.batch)
			for i := range mine {
				mine[i] = images[next%len(images)]
				next++
			}
			g.Go(func() error {
				return b.x.Extract(ctx, mine, make([]float32, b.batch*extract.Dim), make([]error, b.batch))
			})
		}
		return b.batch * b.threads, g.Wait()
	})
}

// images reads the images of --data, at most 1000.
func (b *bench) images(ctx context.Context) ([][]byte, error) {
	if b.data == "" {
		return nil, usagef("bench %s needs --data DIR", b.result.What)
	}
	var images [][]byte
	for img := range pipeline.Files(ctx, []string{b.path(b.data)}, nil) {
		if img.Err != nil {
			return nil, fmt.Errorf("%w: %s: %w", dataset.ErrData, img.Name, img.Err)
		}
		images = append(images, img.Data)
		if len(images) == 1000 {
			break
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%w: no image in %s", dataset.ErrData, b.data)
	}
	return images, nil
}

// measure repeats call, which does some images, until the time is over; the first
// one warms up and does not count.
func (b *bench) measure(ctx context.Context, call func() (int, error)) error {
	r := &b.result
	if _, err := call(); err != nil {
		return err
	}
	start := time.Now()
	for time.Since(start).Seconds() < b.seconds {
		if err := ctx.Err(); err != nil {
			return err
		}
		begin := time.Now()
		n, err := call()
		if err != nil {
			return err
		}
		r.Images += n
		r.BestPerSec = max(r.BestPerSec, float64(n)/time.Since(begin).Seconds())
	}
	r.Seconds = time.Since(start).Seconds()
	r.ImagesPerSec = float64(r.Images) / r.Seconds
	return nil
}

// peakRSS is the largest memory that this process had, 0 where the system does
// not say.
func peakRSS() int64 {
	data, err := os.ReadFile(filepath.Join("/proc", "self", "status"))
	if err != nil {
		return 0
	}
	var kib int64
	for line := range strings.Lines(string(data)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}
