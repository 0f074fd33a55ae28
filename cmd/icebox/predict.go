package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/bucket"
	"icebox/pipeline/dataset"
	"icebox/pipeline/predictions"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// predictFlags are the flags of predict.
type predictFlags struct {
	judgedRun
	top              int
	out, explain     string
	exact, overwrite bool
}

func (f *predictFlags) addFlags(cmd *cobra.Command) {
	f.settings.addFlags(cmd)
	f.addRun(cmd)
	cmd.Flags().Lookup("data").Usage = "`folder`, table or archive (.tar, .parquet) of images to answer for, or cache:NAME, a dataset of the cache"
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "`file` to write: "+words.Or(predictions.Endings())+"; - is CSV on stdout")
	cmd.Flags().StringVar(&f.explain, "explain", "", "`folder` for pictures that show where in each image its answer comes from")
	cmd.Flags().BoolVar(&f.overwrite, "overwrite", false, "replace the file of --out, and files in the folder of --explain")
	cmd.Flags().BoolVar(&f.exact, "exact", false, "answer for a few named files too as eval does, from the cache")
	cmd.Flags().IntVarP(&f.top, "top", "k", 3, "`number` of classes in an answer on stdout")
}

// check refuses what contradicts itself.
func (f *predictFlags) check(args []string) error {
	stdin := slices.Contains(args, "-")
	switch {
	case f.top < 1:
		return usagef("--top (%d) must be at least 1", f.top)
	case f.run == "" || len(args) == 0 && len(f.data) == 0:
		return usagef("predict needs --run RUN and images: icebox predict --run latest a.jpg")
	case len(args) > 0 && len(f.data) > 0:
		return usagef("--data and images by name: choose one")
	case len(f.data) > 1:
		return usagef("predict takes one --data; name the folders without it: icebox predict --run latest one/ two/")
	case stdin && (len(args) > 1 || f.exact):
		return usagef("- (an image on stdin) goes alone, and without --exact")
	}
	return nil
}

// checkFiles refuses to write over files that are there.
func (f *predictFlags) checkFiles(p *process) error {
	if f.out != "" && f.out != "-" {
		if err := predictions.Check(p.path(f.out), f.overwrite); err != nil {
			return err
		}
	}
	if f.explain == "" {
		return nil
	}
	return pipeline.CheckExplained(p.path(f.explain), f.overwrite)
}

// mostQuick is how many named files are answered one by one: with more, or with a folder,
// it is quicker to get the backbone ready that computes in batches.
const mostQuick = 8

// isQuick reports whether the images are answered one by one, without the cache.
func (f *predictFlags) isQuick(p *process, args []string) bool {
	return len(f.data) == 0 && f.cache == "" && !f.exact && len(args) <= mostQuick &&
		!slices.ContainsFunc(args, func(arg string) bool {
			return arg != "-" && (isDir(p.path(arg)) || dataset.IsArchive(arg) || bucket.Is(arg))
		})
}

func (p *process) predictCommand() *cobra.Command {
	var f predictFlags
	cmd := &cobra.Command{
		Use:   "predict --run RUN [-o FILE] {IMAGE … | --data POOL}",
		Short: "Label images with a run's head",
		Long: `predict labels image files, all images of folders, tars and parquet files, the
images of a table (--data), or one image on stdin (-). It prints a line an
image: path, label, probability and the next candidates, separated by tabs; with
--json, a JSON object a line. Where head.reject gave the head a threshold, an
image that it is less sure of is "unknown", followed by all candidates. An image
without an answer has the reason in its line, and makes the exit code 3. A name
with a tab, a line break or bytes that are not UTF-8 is quoted.

-o FILE writes the answers to a file, one row an image, the bad ones too. The
ending chooses the form: .csv, .jsonl or .parquet. The columns are path, label,
probability, unknown, p:CLASS for every class, and error. A file that is there
is not replaced without --overwrite.

Folders, --data and more than ` + fmt.Sprint(mostQuick) + ` files go through the cache: features that it has
are used, missing ones are computed in batches and kept. The answers are those
of eval, bit by bit. A few named files are answered by a quicker plan of the
backbone, which keeps nothing; its probabilities differ from those of eval by
less than 0.01. --exact answers for them through the cache, too.

--explain DIR writes a picture for each answer: the part of the image that the
backbone sees, and beside it a map of the evidence. Orange speaks for the
likeliest class, blue for the second. The pictures have the names of the images,
below DIR. Answers in JSON and in files name them.

With --data the images are named as they are below the folder, or in the table.

  icebox predict --run latest a.jpg
  icebox predict --run latest --data pool/ -o answers.csv
  icebox predict --run latest --explain why/ a.jpg b.jpg`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(args); err != nil {
				return err
			}
			if err := f.checkFiles(p); err != nil {
				return err
			}
			dir, _, o, err := f.read(p, cmd, nil)
			if err != nil {
				return err
			}
			if f.isQuick(p, args) {
				return p.predictQuickly(cmd.Context(), &f, dir, o, args)
			}
			return p.predictAll(cmd.Context(), &f, dir, o, args)
		},
	}
	f.addFlags(cmd)
	return cmd
}

// predictQuickly answers for a few files one by one.
func (p *process) predictQuickly(ctx context.Context, f *predictFlags, dir string, o pipeline.Options, args []string) error {
	bar := p.progress()
	o.Fetch = p.fetcher(bar)
	pr, err := pipeline.OpenPredictor(ctx, dir, o)
	bar.finish()
	if err != nil {
		return err
	}
	defer pr.Close()
	if pr.Weights().Random() {
		p.tell("note: this head stands on random weights")
	}
	if f.explain != "" {
		if err := pr.ExplainInto(p.path(f.explain)); err != nil {
			return err
		}
	}
	return p.giveAnswers(f, nil, pr.Classes(), pr.Predict(ctx, p.images(ctx, args)))
}

// predictAll answers for many images, through the cache.
func (p *process) predictAll(ctx context.Context, f *predictFlags, dir string, o pipeline.Options, args []string) error {
	var places []dataset.Place
	for _, arg := range args {
		places = append(places, dataset.Place{Path: p.path(arg), Name: arg})
	}
	if len(f.data) > 0 {
		places = []dataset.Place{{Path: f.data[0]}}
		if !strings.HasPrefix(f.data[0], dataset.Stored) {
			places[0].Path = p.path(f.data[0])
		}
	}
	bar := p.progress()
	o.Fetch = p.fetcher(bar)
	s, sum, err := pipeline.OpenScorer(ctx, dir, places, o, bar)
	bar.finish()
	if err != nil {
		return interrupted(err, extractKept)
	}
	defer s.Close()
	if f.explain != "" {
		if err := s.ExplainInto(ctx, p.path(f.explain)); err != nil {
			return err
		}
	}
	return p.giveAnswers(f, sum, s.Classes(), s.Rows(ctx))
}

// images reads what args name, under the names that were given; - is standard
// input.
func (p *process) images(ctx context.Context, args []string) iter.Seq[pipeline.Image] {
	if slices.Contains(args, "-") {
		return pipeline.Stdin(p.stdin)
	}
	return func(yield func(pipeline.Image) bool) {
		for _, arg := range args {
			for img := range pipeline.Files(ctx, []string{p.path(arg)}, nil) {
				img.Name = arg
				if !yield(img) {
					return
				}
			}
		}
	}
}

// answered counts answers. It is what --json prints where the answers go to a file.
type answered struct {
	*report.Summary
	Predictions string `json:"predictions"`
	Rows        int    `json:"rows"`
	Failed      int    `json:"failed"`         // rows without an answer
	Unknown     int    `json:"unknown"`        // rows with the answer "unknown"
	Maps        int    `json:"maps,omitempty"` // of evidence
}

// giveAnswers prints answers or writes them to a file. Sum says where the features came
// from; nil if nothing was kept.
func (p *process) giveAnswers(f *predictFlags, sum *report.Summary, classes []string, rows iter.Seq2[*predictions.Row, error]) error {
	to, err := p.answersTo(f, classes)
	if err != nil {
		return err
	}
	defer to.abandon()
	n := answered{Summary: sum, Predictions: f.out}
	for row, err := range rows {
		if err == nil {
			err = to.write(row)
		}
		if err != nil {
			return interrupted(err, extractKept)
		}
		n.Rows++
		if row.Unknown {
			n.Unknown++
		}
		if row.Err != "" {
			n.Failed++
		}
		if row.Evidence != "" {
			n.Maps++
		}
	}
	if err := to.close(); err != nil {
		return err
	}
	if f.out != "" && f.out != "-" {
		if err := p.printSummary(n, n.text); err != nil {
			return err
		}
	}
	if f.explain != "" {
		p.tell(n.mapsText(f.explain))
	}
	if n.Rows == 0 {
		return fmt.Errorf("%w: no image there", dataset.ErrData)
	}
	if n.Failed > 0 {
		return fmt.Errorf("%w: %s of %s; their lines say why", errSomeFailed, words.Number(n.Failed), words.Number(n.Rows))
	}
	return nil
}

func (n answered) text(w io.Writer) {
	fmt.Fprintf(w, "%s in %s: %s answered", words.Count(n.Rows, "row"), n.Predictions, words.Number(n.Rows-n.Failed))
	if n.Unknown > 0 {
		fmt.Fprintf(w, ", %s of them unknown", words.Number(n.Unknown))
	}
	if n.Failed > 0 {
		fmt.Fprintf(w, ", %s bad", words.Number(n.Failed))
	}
	if n.Summary != nil {
		fmt.Fprintf(w, "; %s from the cache, %s computed", words.Number(n.Hits), words.Number(n.Computed))
	}
	fmt.Fprintln(w)
}

// mapsText says how many maps of evidence there are in the folder.
func (n answered) mapsText(folder string) string {
	text := fmt.Sprintf("%s of evidence in %s", words.Count(n.Maps, "map"), folder)
	if without := n.Rows - n.Failed - n.Maps; without > 0 {
		text += fmt.Sprintf("; %s without one: the file has changed or is gone", words.Count(without, "answer"))
	}
	return text
}

// answersTo is where answers go.
type answersTo struct {
	write   func(*predictions.Row) error
	close   func() error
	abandon func()
}

func (p *process) answersTo(f *predictFlags, classes []string) (answersTo, error) {
	if f.out == "" {
		write := func(r *predictions.Row) error {
			if p.json {
				return p.printJSON(predictionOf(r, classes, f.top))
			}
			_, err := io.WriteString(p.stdout, predictionLine(r, classes, f.top))
			return err
		}
		return answersTo{write, func() error { return nil }, func() {}}, nil
	}
	var w *predictions.Writer
	var err error
	if layout := (predictions.Layout{Classes: classes, Explained: f.explain != ""}); f.out == "-" {
		w, err = predictions.NewCSV(p.stdout, layout)
	} else {
		w, err = predictions.Create(p.path(f.out), layout, f.overwrite)
	}
	if err != nil {
		return answersTo{}, err
	}
	return answersTo{w.Write, w.Close, w.Abandon}, nil
}

// prediction is what --json prints of an image.
type prediction struct {
	Path      string                 `json:"path"`
	PathBytes []byte                 `json:"path_bytes,omitempty"` // where the path is not UTF-8
	Label     string                 `json:"label,omitempty"`      // "unknown" where Unknown is set
	Top       []headtrain.Prediction `json:"top,omitempty"`        // calibrated, where the head is
	Unknown   bool                   `json:"unknown,omitempty"`    // the first of Top is less probable than the head's threshold
	Evidence  string                 `json:"evidence,omitempty"`   // file with a map of what speaks for the first of Top
	Against   string                 `json:"against,omitempty"`    // class against which it speaks there
	Error     string                 `json:"error,omitempty"`      // why there is no answer
}

func predictionOf(r *predictions.Row, classes []string, top int) prediction {
	a := prediction{Path: r.Path, Label: r.Label, Top: r.Top(classes, top), Unknown: r.Unknown, Evidence: r.Evidence, Against: r.Against, Error: r.Err}
	if !utf8.ValidString(r.Path) {
		a.PathBytes = []byte(r.Path)
	}
	return a
}

// predictionLine is a line about an image, with tabs between its fields.
func predictionLine(r *predictions.Row, classes []string, top int) string {
	if r.Err != "" {
		return fmt.Sprintf("%s\t-\t%s\n", words.Name(r.Path), words.Name(strings.ReplaceAll(r.Err, "\n", "; ")))
	}
	fields := []string{words.Name(r.Path), r.Label}
	for i, t := range r.Top(classes, top) {
		if i == 0 && !r.Unknown {
			fields = append(fields, fmt.Sprintf("%.4f", t.Probability))
		} else {
			fields = append(fields, fmt.Sprintf("%s %.4f", t.Class, t.Probability))
		}
	}
	return strings.Join(fields, "\t") + "\n"
}
