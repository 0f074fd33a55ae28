package main

import (
	"io"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/insight"
)

const reportHelp = `report draws report.html in the folder of a run anew. Every run writes that page
at its end, from numbers and the pictures that are at hand. This command takes
its time: it looks for doubtful labels and copies (as icebox insight does, and
writes what that writes), for the training images that look most like the
doubtful ones, and lays the images out on a map; and it opens the images that
the page shows, some hundreds at most, to make the small pictures that are
missing. They are kept beside the cache, in CACHE.thumbs, so that they are made
once. output.pictures=false leaves pictures out.

The page is one file, loads nothing from anywhere, and is up to 5 MB large.`

func (p *process) reportCommand() *cobra.Command {
	var j judgedRun
	var near float64
	cmd := &cobra.Command{
		Use:   "report --run RUN [key=value …]",
		Short: "Draw the report of a run as a page with pictures",
		Long:  reportHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(near > 0 && near <= 1) {
				return usagef("--near (%v) must be a cosine above 0, up to 1", near)
			}
			dir, _, o, err := j.read(p, cmd, args)
			if err != nil {
				return err
			}
			o.Data = dataset.Options{}
			bar := p.progress()
			s, err := pipeline.DrawPage(cmd.Context(), dir, o, j.choice, near, bar)
			bar.finish()
			if err != nil {
				return interrupted(err, "the page is as it was")
			}
			return p.print(s, func(w io.Writer) { s.Text(w, p.style()) })
		},
	}
	j.addFlags(cmd)
	cmd.Flags().Float64Var(&near, "near", insight.NearCosine, "`cosine` of whitened features from which on images count as near copies")
	return cmd
}
