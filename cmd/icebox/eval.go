package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline"
	"icebox/pipeline/dataset"
	"icebox/pipeline/runs"
)

const evalHelp = `eval judges the head of a run: on the dataset that it was trained on, from the
cache alone, or with --data on other labelled images, which are extracted first
where the cache lacks them. The weights are the ones that the head was trained
on. --run takes a head's file too: where early stopping kept an epoch before
the last, --run DIR/last.safetensors is the head of the last one.

With --features it judges the head on a folder of features, in the form that
` + "`icebox cache export`" + ` writes; it cannot tell whether the head's own backbone
made them.

With --predictions FILE it writes a row for every image of every part, in the
form that the ending names (.csv, .jsonl or .parquet): path, part, truth (the
image's own label), label (the answer, which may be "unknown"), probability,
unknown, p:CLASS for every class, and error. The probabilities are calibrated
where the head is. In older files, whose columns begin with part, the column
label is the truth, and predicted is the likeliest class.

With --page FILE.html it draws the evaluation as a page with pictures, as
` + "`icebox report`" + ` draws that of a run. It replaces such a file.

Images of a class that the head does not know are not scored; they show how
often it answers "unknown" as it should.`

// judgedRun are the flags of a command that looks at the head of a run.
type judgedRun struct {
	rowsFlags
	run string
}

func (j *judgedRun) addFlags(cmd *cobra.Command) {
	j.rowsFlags.addFlags(cmd)
	j.addRun(cmd)
}

func (j *judgedRun) addRun(cmd *cobra.Command) {
	cmd.Flags().StringVar(&j.run, "run", "", "`run`: its folder, its name, or latest")
}

// read returns the folder of the run and the options, with the cache that the head was
// trained from unless another is named.
func (j *judgedRun) read(p *process, cmd *cobra.Command, args []string) (dir string, cfg *config.Config, o pipeline.Options, err error) {
	if j.run == "" {
		return "", nil, o, usagef("%s needs --run RUN: latest, or a folder that `icebox run` or `icebox train` wrote", cmd.Name())
	}
	if cfg, err = j.load(p, cmd, args); err != nil {
		return "", nil, o, err
	}
	if dir, o, err = p.findRun(cfg, j.run); err != nil {
		return "", nil, o, err
	}
	return dir, cfg, o, agree(cmd.Context(), cfg, o, dir)
}

// agree refuses what the command line says of how features are made, if those of the head
// in dir were made otherwise: it would have no effect.
func agree(ctx context.Context, cfg *config.Config, o pipeline.Options, dir string) error {
	_, info, err := runs.Head(dir)
	if err != nil {
		return err
	}
	named := slices.DeleteFunc(cfg.Made(), func(field string) bool { return !cfg.OnCommandLine(config.KeyOf(field)) })
	return o.CheckMade(ctx, named, info)
}

// findRun finds a run by its folder, its name or [runs.Latest], and returns the options
// with the cache that its head was trained from, unless another is named.
func (p *process) findRun(cfg *config.Config, name string) (dir string, o pipeline.Options, err error) {
	o = p.options(cfg)
	if dir, err = runs.Find(o.Output.Dir, name, p.path(name)); err != nil {
		return "", o, err
	}
	_, info, err := runs.Head(dir)
	if err == nil && !cfg.Given("cache.path") && isFile(info.Cache) {
		o.Cache.Path = info.Cache
	}
	return dir, o, err
}

func (p *process) evalCommand() *cobra.Command {
	var j judgedRun
	var list, page string
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "eval --run RUN [--data DIR | --features DIR] [key=value …]",
		Short: "Judge a run's head, on its own dataset or on other images",
		Long:  evalHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, cfg, o, err := j.read(p, cmd, args)
			if err != nil {
				return err
			}
			if !cfg.OnCommandLine("data.train") {
				o.Data = dataset.Options{Corrections: o.Data.Corrections}
			}
			bar := p.progress()
			o.Fetch = p.fetcher(bar)
			e, err := pipeline.Eval(cmd.Context(), pipeline.EvalOptions{Run: dir, Choice: j.choice, Predictions: p.path(list), Overwrite: overwrite, Page: p.path(page)}, o, bar)
			bar.finish()
			if err != nil {
				return interrupted(err, extractKept)
			}
			if list != "" {
				p.tell("predictions are in %s", p.short(e.Predictions))
			}
			if page != "" {
				p.tell("the page is %s", p.short(e.Page))
			}
			return p.print(e, func(w io.Writer) {
				fmt.Fprintf(w, "%s on %s\n", p.short(dir), e.Summary.Dataset)
				e.Text(w)
			})
		},
	}
	j.addFlags(cmd)
	cmd.Flags().StringVar(&list, "predictions", "", "`file` to write: every image's label, answer and probabilities")
	cmd.Flags().StringVar(&page, "page", "", "HTML `file` to write: the evaluation with pictures")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace the file of --predictions if it is there")
	return cmd
}
