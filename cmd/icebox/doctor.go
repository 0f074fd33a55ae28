package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/cmd/internal/pictures"
	"icebox/extract"
	"icebox/extract/cuda"
	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// diagnosis is what doctor finds out.
type diagnosis struct {
	build
	Processors int    `json:"processors"`
	Engine     string `json:"engine"`
	Plan       string `json:"plan"`
	Weights    string `json:"weights"`
	Missing    string `json:"missing,omitempty"` // what a person should fetch or mend

	BF16 bool `json:"bf16"` // the native engine, which runs here, would multiply bfloat16 faster

	Network string `json:"network,omitempty"` // file system that a cache would lie on here, if it is one of a network

	GPU cuda.Report `json:"gpu"`

	Images       int     `json:"images"` // that the times were taken on
	ReadMS       float64 `json:"read_ms"`
	PreprocessMS float64 `json:"preprocess_ms"`
	ForwardMS    float64 `json:"forward_ms"` // on one thread
	StoreMS      float64 `json:"store_ms"`
	PackSeconds  float64 `json:"pack_seconds"` // once a process
	Scaling      float64 `json:"scaling"`      // of the backbone, all threads over one
	ImagesPerSec float64 `json:"images_per_s"` // that a run may expect
	Advice       string  `json:"advice"`
}

func (p *process) doctorCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "doctor [--data DIR]", Short: "Say what runs here, how fast it is and what would help", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := p.diagnose(cmd.Context(), data)
			if err != nil {
				return err
			}
			return p.print(d, d.text)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "`folder` whose first images are timed (default: pictures that icebox draws)")
	return cmd
}

func (p *process) diagnose(ctx context.Context, data string) (*diagnosis, error) {
	d := &diagnosis{build: thisBuild(), Processors: runtime.GOMAXPROCS(0), Network: cache.Network(filepath.Join(p.dir, ".icebox", "features.db"))}
	d.GPU = cuda.Probe(cuda.Options{Env: p.getenv})
	o := extract.Options{Engines: p.engines(0), Env: p.getenv}
	x, missing, err := openOrRandom(ctx, &o)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	d.Weights = x.Weights().String()
	if missing != nil {
		place, err := p.weightsPlace()
		if err != nil {
			return nil, err
		}
		d.Missing = place.missing()
	}
	start := time.Now()
	info, err := x.Engine()
	if err != nil {
		return nil, err
	}
	d.PackSeconds = time.Since(start).Seconds()
	d.Engine, d.ISA, d.Plan = info.Name, info.ISA, fmt.Sprintf("%s-%d", info.Plan, info.Version)
	d.BF16 = info.Name == extract.Native && extract.PeakBF16(info.ISA) > extract.Peak(info.ISA)

	dir, err := os.MkdirTemp("", "icebox-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	files, err := p.sampleImages(ctx, data, dir)
	if err != nil {
		return nil, err
	}
	if err := d.timeImages(ctx, x, files); err != nil {
		return nil, err
	}
	if err := d.timeBackbone(ctx, x); err != nil {
		return nil, err
	}
	return d, d.timeStore(dir)
}

// sampleSize is how many images doctor looks at.
const sampleSize = 64

// sampleImages lists the first images of data, or draws some in dir.
func (p *process) sampleImages(ctx context.Context, data, dir string) ([]string, error) {
	if data == "" {
		o := pictures.Options{Dir: filepath.Join(dir, "images"), PerClass: pictures.Counts{Train: sampleSize / 10}, Seed: quickstartSeed}
		if err := pictures.Draw(ctx, o, nil); err != nil {
			return nil, err
		}
		data = o.Dir
	}
	var files []string
	for img := range pipeline.Files(ctx, []string{p.path(data)}, nil) {
		if img.Err == nil {
			files = append(files, img.Name)
		}
		if len(files) == sampleSize {
			break
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no image in %s", dataset.ErrData, data)
	}
	return files, nil
}

// timeImages reads and preprocesses the files on one thread. The system may have a file in
// memory already, so that reading is timed at its best.
func (d *diagnosis) timeImages(ctx context.Context, x *extract.Extractor, files []string) error {
	crop := make([]uint8, extract.PixelBytes)
	var read, decode time.Duration
	for _, f := range files {
		start := time.Now()
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		read += time.Since(start)
		start = time.Now()
		if _, err := x.Preprocess(ctx, crop, data); err != nil {
			continue // a run would say so
		}
		decode += time.Since(start)
		d.Images++
	}
	if d.Images == 0 {
		return fmt.Errorf("%w: none of %d images can be decoded, such as %s", dataset.ErrData, len(files), files[0])
	}
	d.ReadMS, d.PreprocessMS = perImage(read, d.Images), perImage(decode, d.Images)
	return nil
}

func perImage(t time.Duration, n int) float64 { return t.Seconds() * 1e3 / float64(n) }

// timeBackbone measures the engine from one goroutine, and from one a processor, as
// a run calls it.
func (d *diagnosis) timeBackbone(ctx context.Context, x *extract.Extractor) error {
	const batch = 16
	n := batch * d.Processors
	pixels, features := make([]uint8, n*extract.PixelBytes), make([]float32, n*extract.Dim)
	share := func(i int) error {
		return x.Forward(ctx, features[i*batch*extract.Dim:][:batch*extract.Dim], pixels[i*batch*extract.PixelBytes:][:batch*extract.PixelBytes], batch)
	}
	single, err := best(func() error { return share(0) })
	if err != nil {
		return err
	}
	all, err := best(func() error {
		var g errgroup.Group
		for i := range d.Processors {
			g.Go(func() error { return share(i) })
		}
		return g.Wait()
	})
	if err != nil {
		return err
	}
	d.ForwardMS = perImage(single, batch)
	d.Scaling = d.ForwardMS / perImage(all, n)
	return nil
}

// best is the shortest time of a few calls, after one to warm up.
func best(call func() error) (time.Duration, error) {
	shortest := time.Duration(1<<63 - 1)
	for range 4 {
		start := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		shortest = min(shortest, time.Since(start))
	}
	return shortest, nil
}

// timeStore commits a few blocks of rows to a cache in dir.
func (d *diagnosis) timeStore(dir string) error {
	const rows = 1024
	c, err := cache.OpenOrCreate(filepath.Join(dir, "features.db"), cache.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	w, err := c.Writer()
	if err != nil {
		return err
	}
	start := time.Now()
	err = w.Space(cache.Space{ID: "doctor", DType: cache.Float32, Dim: extract.Dim}, cache.Producer{Engine: d.Engine})
	row := make([]float32, extract.Dim)
	for i := 0; i < rows && err == nil; i++ {
		err = w.Put("doctor", sha256.Sum256(fmt.Append(nil, i)), row)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	d.StoreMS = perImage(time.Since(start), rows)
	d.conclude()
	return nil
}

// conclude predicts a run's rate and names the part that bounds it.
func (d *diagnosis) conclude() {
	perWorker := d.ReadMS + d.PreprocessMS + d.ForwardMS*float64(d.Processors)/d.Scaling + d.StoreMS
	d.ImagesPerSec = 1e3 * float64(d.Processors) / perWorker
	switch {
	case d.Missing != "":
		d.Advice = d.Missing
	case d.ISA == extract.Portable:
		d.Advice = "the backbone runs in plain Go: an amd64 machine with AVX2 or AVX-512 would be some 20 times as fast"
	case d.StoreMS > perWorker/3:
		d.Advice = "the disk takes most of the time: put cache.path on a faster one"
	case d.PreprocessMS > perWorker/2:
		d.Advice = "decoding takes most of the time: store smaller images (256 px on the shorter side are enough), or add processors"
	case d.BF16:
		d.Advice = "the backbone takes most of the time: this processor has AVX512-BF16, so that backbone.precision=bf16 would be some 1.6 times as fast (its features are kept apart, and have a cosine of 0.9998 or more to those of fp32)"
	default:
		d.Advice = "the backbone takes most of the time: more processors help in proportion"
	}
}

// printGPU lists the devices, what they stand on, and what is missing.
func (d *diagnosis) printGPU(out func(name, format string, args ...any)) {
	for _, g := range d.GPU.GPUs {
		out("gpu", "%s: %s, compute capability %s, %s", g.Device, g.Name, g.Capability, humanize.IBytes(g.Memory))
	}
	for _, lib := range []struct{ name, what string }{{"driver", d.GPU.Driver}, {"cuDNN", d.GPU.CuDNN}} {
		if lib.what != "" {
			out(lib.name, "%s", lib.what)
		}
	}
	if d.GPU.Missing != "" {
		out("gpu", "not used: %s", d.GPU.Missing)
	}
}

func (d *diagnosis) text(w io.Writer) {
	out := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s"+format+"\n", append([]any{name}, args...)...)
	}
	out("icebox", "%s, %s, %s", d.Version, d.Go, d.Platform)
	on := d.ISA
	if d.Engine == extract.Native {
		on += " (the widest instruction set of this processor and build)"
	}
	out("engine", "%s, %s, plan %s; %s", d.Engine, on, d.Plan, words.Count(d.Processors, "processor"))
	d.printGPU(out)
	out("weights", "%s", d.Weights)
	out("per image", "read %.2f ms, decode and resize %.2f ms, backbone %.2f ms, store %.2f ms (one thread, %s)", d.ReadMS, d.PreprocessMS, d.ForwardMS, d.StoreMS, words.Count(d.Images, "image"))
	out("start", "%.2f s to pack the weights, once a process", d.PackSeconds)
	out("threads", "the backbone on %s is %.2f times as fast as on one", words.Count(d.Processors, "thread"), d.Scaling)
	if d.Network != "" {
		out("disk", "a cache here would be on %s, where locks may hang: cache.path on a local disk is better", d.Network)
	}
	out("expect", "%.0f images/s in a run", d.ImagesPerSec)
	out("advice", "%s", d.Advice)
}
