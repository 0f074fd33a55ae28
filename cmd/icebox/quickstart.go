package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"icebox/cmd/internal/pictures"
	"icebox/config"
	"icebox/extract"
	"icebox/pipeline"
	"icebox/pipeline/files"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// Quickstart draws mostPictures a class, or as many as the first one says can be extracted
// in the budget. It says so where these are fewer than leastPictures, and never draws less
// than fewest.
const (
	mostPictures  = 100
	leastPictures = 60
	fewest        = 10
	budget        = 40 * time.Second
)

// quickstartSeed is the pictures' seed.
const quickstartSeed = 1

func (p *process) quickstartCommand() *cobra.Command {
	var dir, weights string
	cmd := &cobra.Command{
		Use:   "quickstart [--dir DIR]",
		Short: "Draw pictures and train on them, twice: see icebox at work",
		Long: `quickstart shows icebox at work: it draws ten classes of pictures, extracts
their features, trains and evaluates a head, and then does it again from the
cache. It uses the ResNet-18 weights of this machine, downloads them where there
are none, and takes random ones without a network or with --offline.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := &quickstart{process: p, dir: p.path(dir), weights: weights}
			return q.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "icebox-quickstart", "`folder` for pictures, cache and runs")
	cmd.Flags().StringVar(&weights, "weights", "", "`file`, auto, random or random:SEED (default: auto, else random)")
	return cmd
}

type quickstart struct {
	*process
	dir     string
	weights string
}

// quickstartReport is what --json prints.
type quickstartReport struct {
	Dir  string             `json:"dir"`
	Cold *report.RunSummary `json:"cold"`
	Warm *report.RunSummary `json:"warm"`
}

func (q *quickstart) run(ctx context.Context) error {
	x, err := q.openBackbone(ctx)
	if err != nil {
		return err
	}
	err = q.draw(ctx, x)
	x.Close()
	if err != nil {
		return err
	}
	r := quickstartReport{Dir: q.dir}
	if r.Cold, err = q.train(ctx, "First run: features, then a head."); err != nil {
		return err
	}
	if r.Warm, err = q.train(ctx, "Second run: the same command, from the cache."); err != nil {
		return err
	}
	return q.printSummary(r, func(w io.Writer) { q.explain(w, &r) })
}

// openBackbone takes the weights asked for, else those of this machine, else those that
// can be downloaded, else random ones.
func (q *quickstart) openBackbone(ctx context.Context) (*extract.Extractor, error) {
	bar := q.progress()
	o := extract.Options{Weights: q.weights, Engines: q.engines(0), Env: q.getenv, Fetch: q.fetcher(bar)}
	x, missing, err := openOrRandom(ctx, &o)
	bar.finish()
	if err != nil {
		return nil, err
	}
	if missing != nil {
		q.tell("note: %v", missing)
		q.tell("note: random weights do to see icebox work, but make no good classifier; `icebox weights fetch` gets the trained ones")
	} else {
		q.tell("Weights: %s", x.Weights())
	}
	q.weights = x.Weights().String()
	return x, nil
}

// openOrRandom opens o; where "" finds no weights it takes random ones, says so in o, and
// returns why there are no others.
func openOrRandom(ctx context.Context, o *extract.Options) (x *extract.Extractor, missing, err error) {
	x, err = extract.Open(ctx, *o)
	if errors.Is(err, extract.ErrNoWeights) && o.Weights == "" {
		missing, o.Weights = err, extract.Random
		x, err = extract.Open(ctx, *o)
	}
	return x, missing, err
}

// pictureSet is kept beside the pictures, so that a second quickstart finds them.
type pictureSet struct {
	Seed   uint64          `json:"seed"`
	Counts pictures.Counts `json:"per_class"`
}

// draw makes the picture set unless it is there.
func (q *quickstart) draw(ctx context.Context, x *extract.Extractor) error {
	marker := filepath.Join(q.dir, "pictures.json")
	if data, err := os.ReadFile(marker); err == nil && isDir(q.images()) {
		var set pictureSet
		if err := json.Unmarshal(data, &set); err != nil {
			return fmt.Errorf("%s: %w; remove %s to begin anew", marker, err, q.dir)
		}
		q.tell("Pictures: %s, drawn before", q.short(q.images()))
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	counts, err := q.size(ctx, x)
	if err != nil {
		return err
	}
	total := counts.Total()
	q.tell("Drawing %s of %s in %s", words.Count(total, "picture"), words.Count(len(pictures.Classes()), "class"), q.short(q.images()))
	bar := q.progress()
	bar.Start("draw", total)
	drawn := 0
	err = pictures.Draw(ctx, q.pictures(counts), func(done, _ int) { bar.Add(done - drawn); drawn = done })
	bar.finish()
	if err != nil {
		return err
	}
	data, err := json.Marshal(pictureSet{quickstartSeed, counts})
	if err != nil {
		return err
	}
	return files.Write(marker, append(data, '\n'))
}

func (q *quickstart) images() string { return filepath.Join(q.dir, "images") }

func (q *quickstart) pictures(counts pictures.Counts) pictures.Options {
	return pictures.Options{Dir: q.images(), PerClass: counts, Seed: quickstartSeed, MTime: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// size times the extraction of a first picture and chooses how many there are.
func (q *quickstart) size(ctx context.Context, x *extract.Extractor) (pictures.Counts, error) {
	first, err := os.MkdirTemp("", "icebox-")
	if err != nil {
		return pictures.Counts{}, err
	}
	defer os.RemoveAll(first)
	o := q.pictures(pictures.Counts{Train: 1})
	o.Dir = first
	if err := pictures.Draw(ctx, o, nil); err != nil {
		return pictures.Counts{}, err
	}
	name, err := filepath.Glob(filepath.Join(first, "train", pictures.Classes()[0], "*"))
	if err != nil || len(name) == 0 {
		return pictures.Counts{}, fmt.Errorf("no picture was drawn in %s: %w", first, err)
	}
	data, err := os.ReadFile(name[0])
	if err != nil {
		return pictures.Counts{}, err
	}
	each, err := timeOne(ctx, x, data)
	if err != nil {
		return pictures.Counts{}, err
	}
	n := min(mostPictures, int(budget/each)/len(pictures.Classes()))
	if n < leastPictures {
		q.tell("This machine takes %v an image: drawing fewer pictures", each.Round(time.Millisecond))
	}
	n = max(n, fewest)
	return pictures.Counts{Train: n - n/6 - n/5, Val: n / 6, Test: n / 5}, nil
}

// timeOne returns the time of one image once the engine is warm.
func timeOne(ctx context.Context, x *extract.Extractor, data []byte) (time.Duration, error) {
	row, errs := make([]float32, extract.Dim), make([]error, 1)
	var each time.Duration
	for range 2 {
		start := time.Now()
		if err := x.Extract(ctx, [][]byte{data}, row, errs); err != nil {
			return 0, err
		}
		each = max(time.Since(start), time.Microsecond)
	}
	return each, errs[0]
}

// train runs the pipeline on the pictures and prints its summary below a title.
func (q *quickstart) train(ctx context.Context, title string) (*report.RunSummary, error) {
	var over []config.Override
	for key, value := range map[string]string{
		"data.train": q.images(), "data.name": "quickstart", "backbone.weights": q.weights,
		"cache.path": filepath.Join(q.dir, "features.db"), "output.dir": filepath.Join(q.dir, "runs"),
	} {
		over = append(over, config.Override{Key: key, Value: value, Origin: "quickstart"})
	}
	cfg, err := config.Load(config.Source{Overrides: over, Dir: q.process.dir, HeadEngines: headEngines()})
	if err != nil {
		return nil, err
	}
	bar := q.progress()
	sum, err := pipeline.Run(ctx, q.options(cfg), bar)
	bar.finish()
	if err != nil || q.json {
		return sum, interrupted(err, extractKept)
	}
	return sum, q.printSummary(nil, func(w io.Writer) {
		fmt.Fprintf(w, "\n%s\n", title)
		sum.Text(w, q.style())
	})
}

// explain says what was shown and what to do next.
func (q *quickstart) explain(w io.Writer, r *quickstartReport) {
	if r.Cold.ImagesOpened > 0 {
		fmt.Fprintf(w, "\nThe second run opened %s and took %s instead of %s.\n", words.Count(r.Warm.ImagesOpened, "image"), words.Duration(r.Warm.Seconds), words.Duration(r.Cold.Seconds))
	} else {
		fmt.Fprintln(w, "\nThe features were in the cache from an earlier quickstart: neither run opened an image.")
	}
	fmt.Fprintf(w, "Pictures, cache and runs lie in %s; %s shows how each class did.\n", q.short(q.dir), q.short(filepath.Join(*r.Warm.RunDir, runs.PageFile)))
	fmt.Fprintln(w, "Next: icebox run --data YOUR-FOLDER")
}
