package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

func (p *process) predictCommand() *cobra.Command {
	var s settings
	var dir string
	var top int
	cmd := &cobra.Command{
		Use:   "predict --run DIR IMAGE …",
		Short: "Label new images with a run's head",
		Long: `predict labels image files, all images of folders, or one image on standard
input (-). It prints a line an image: path, label, probability and the next
candidates, separated by tabs; with --json, a JSON object a line. Where
head.reject gave the head a threshold, an image that it is less sure of is
"unknown", followed by all candidates. An image without an answer has the
reason in its line, and makes the exit code 3.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if top < 1 {
				return usagef("--top (%d) must be at least 1", top)
			}
			if dir == "" || len(args) == 0 {
				return usagef("predict needs --run DIR and images: icebox predict --run runs/… a.jpg")
			}
			o, err := s.options(p, nil)
			if err != nil {
				return err
			}
			bar := p.progress()
			o.Fetch = p.fetcher(bar)
			pr, err := pipeline.OpenPredictor(cmd.Context(), p.path(dir), o, top)
			bar.finish()
			if err != nil {
				return err
			}
			defer pr.Close()
			if pr.Weights().Random() {
				p.tell("note: this head stands on random weights")
			}
			return p.printPredictions(pr.Predict(cmd.Context(), p.images(cmd.Context(), args)))
		},
	}
	s.addFlags(cmd)
	cmd.Flags().StringVar(&dir, "run", "", "`folder` of the run")
	cmd.Flags().IntVarP(&top, "top", "k", 3, "`number` of classes in an answer")
	return cmd
}

// images reads what args name, under the names that were given; - is standard
// input.
func (p *process) images(ctx context.Context, args []string) iter.Seq[pipeline.Image] {
	return func(yield func(pipeline.Image) bool) {
		for _, arg := range args {
			images := pipeline.Files(ctx, []string{p.path(arg)}, p.tellSkipped)
			if arg == "-" {
				images = pipeline.Stdin(p.stdin)
			}
			for img := range images {
				img.Name = p.short(img.Name)
				if !yield(img) {
					return
				}
			}
		}
	}
}

func (p *process) printPredictions(answers iter.Seq2[pipeline.Prediction, error]) error {
	answered, failed := 0, 0
	for a, err := range answers {
		if err != nil {
			return err
		}
		answered++
		if a.Error != "" {
			failed++
		}
		if p.json {
			err = p.printJSON(a)
		} else {
			_, err = io.WriteString(p.stdout, predictionLine(a))
		}
		if err != nil {
			return err
		}
	}
	if answered == 0 {
		return fmt.Errorf("%w: no image there", dataset.ErrData)
	}
	if failed > 0 {
		return fmt.Errorf("%w: %s of %s; their lines say why", errSomeFailed, words.Number(failed), words.Number(answered))
	}
	return nil
}

func predictionLine(a pipeline.Prediction) string {
	if a.Error != "" {
		return fmt.Sprintf("%s\t-\t%s\n", a.Path, a.Error)
	}
	fields := []string{a.Path, a.Label}
	for i, t := range a.Top {
		if i == 0 && !a.Unknown {
			fields = append(fields, fmt.Sprintf("%.4f", t.Probability))
		} else {
			fields = append(fields, fmt.Sprintf("%s %.4f", t.Class, t.Probability))
		}
	}
	return strings.Join(fields, "\t") + "\n"
}
