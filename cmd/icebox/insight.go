package main

import (
	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/insight"
)

const insightHelp = `insight looks at the images of a run through the features that the cache keeps:
it opens no image. It lists labels to doubt (by heads that did not see the
image), copies of images, exact and near, and which of them leak from training
to test; pictures that are dark, light, blurry, empty, grey or of another size
or shape than the rest; the surest mistakes, the classes that are confused, and
a learning curve with a guess of what twice the images would bring.

The heads that did not see an image learned from all other labelled images,
test included: whoever acts on a suspect in test has looked at test. With
--features, and for a run that was trained so, the features are those of a
folder in the form that ` + "`icebox cache export`" + ` writes.

It prints that and writes it into the run folder: insight.json, insight.txt,
suspects.csv, copies.csv, quality.csv.`

func (p *process) insightCommand() *cobra.Command {
	var j judgedRun
	var near float64
	cmd := &cobra.Command{
		Use:   "insight --run DIR [--features DIR] [key=value …]",
		Short: "Find doubtful labels, copies, leaks and the worst mistakes",
		Long:  insightHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(near > 0 && near <= 1) {
				return usagef("--near (%v) must be a cosine above 0, up to 1", near)
			}
			dir, _, o, err := j.read(p, cmd, args)
			if err != nil {
				return err
			}
			o.Data = dataset.Options{Corrections: o.Data.Corrections}
			bar := p.progress()
			i, err := pipeline.Inspect(cmd.Context(), dir, o, j.choice, near, bar)
			bar.finish()
			if err != nil {
				return interrupted(err, "nothing was written")
			}
			return p.print(i, i.Text)
		},
	}
	j.addFlags(cmd)
	cmd.Flags().Float64Var(&near, "near", insight.NearCosine, "`cosine` of whitened features from which on images count as near copies")
	return cmd
}
