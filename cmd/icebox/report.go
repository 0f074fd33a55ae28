package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"

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

With --compare it draws a page of several runs instead, compare.html in the
folder of runs, or the file of --out: each run is held against the first one on
the images that both hold out, with a paired test, what differs in their heads,
and the images that one has right and the other has not.

  icebox report --compare baseline latest

A page is one file, loads nothing from anywhere, and is up to 5 MB large.`

func (p *process) reportCommand() *cobra.Command {
	var j judgedRun
	var near float64
	var compare bool
	var out string
	cmd := &cobra.Command{
		Use:   "report {--run RUN | --compare RUN RUN …} [key=value …]",
		Short: "Draw the report of a run, or a comparison, as a page with pictures",
		Long:  reportHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if compare {
				return p.comparePage(cmd, &j, args, out)
			}
			if !(near > 0 && near <= 1) {
				return usagef("--near (%v) must be a cosine above 0, up to 1", near)
			}
			if out != "" {
				return usagef("--out is for --compare: the report of a run lies in its folder")
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
	cmd.Flags().BoolVar(&compare, "compare", false, "compare the runs that are named, with the first one")
	cmd.Flags().StringVarP(&out, "out", "o", "", "`file` for the page of a comparison (default: compare.html in output.dir)")
	return cmd
}

// comparePage draws the page of the runs that args name, before the settings among them.
func (p *process) comparePage(cmd *cobra.Command, j *judgedRun, args []string, out string) error {
	if c := j.choice; j.run+c.Features+c.Dataset+c.Space != "" {
		return usagef("--compare takes the runs as arguments, and their rows from the caches that they were trained from: leave out --run, --features, --dataset and --space")
	}
	named := slices.IndexFunc(args, func(arg string) bool { return strings.Contains(arg, "=") })
	if named < 0 {
		named = len(args)
	}
	if named < 2 {
		return usagef("report --compare needs two runs or more: icebox report --compare RUN RUN; `icebox runs` lists them")
	}
	cfg, err := j.load(p, cmd, args[named:])
	if err != nil {
		return err
	}
	all := make([]pipeline.Compared, named)
	for i := range all {
		if all[i].Run, all[i].Options, err = p.findRun(cfg, args[i]); err != nil {
			return err
		}
	}
	path := p.path(out)
	if out == "" {
		path = filepath.Join(all[0].Options.Output.Dir, "compare.html")
	}
	bar := p.progress()
	s, err := pipeline.ComparePage(cmd.Context(), all, path, bar)
	bar.finish()
	if err != nil {
		return interrupted(err, "no page was drawn")
	}
	return p.print(s, func(w io.Writer) { s.Text(w, p.style()) })
}
