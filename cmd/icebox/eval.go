package main

import (
	"fmt"
	"io"

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

With --predictions it writes a CSV line for every image of every part: part,
path, label, the likeliest class (also where predict would say unknown), its
probability and, in columns p:CLASS, that of each class. The probabilities are
calibrated where the head is.`

// judgedRun are the flags of a command that looks at the head of a run.
type judgedRun struct {
	rowsFlags
	run string
}

func (j *judgedRun) addFlags(cmd *cobra.Command) {
	j.rowsFlags.addFlags(cmd)
	cmd.Flags().StringVar(&j.run, "run", "", "`folder` of the run")
}

// read returns the folder of the run and the options, with the cache that the head was
// trained from unless another is named.
func (j *judgedRun) read(p *process, cmd *cobra.Command, args []string) (dir string, cfg *config.Config, o pipeline.Options, err error) {
	if j.run == "" {
		return "", nil, o, usagef("%s needs --run DIR, a folder that `icebox run` or `icebox train` wrote", cmd.Name())
	}
	if cfg, err = j.load(p, cmd, args); err != nil {
		return "", nil, o, err
	}
	dir, o = p.path(j.run), p.options(cfg)
	_, info, err := runs.Head(dir)
	if err == nil && !cfg.Given("cache.path") && isFile(info.Cache) {
		o.Cache.Path = info.Cache
	}
	return dir, cfg, o, err
}

func (p *process) evalCommand() *cobra.Command {
	var j judgedRun
	var list string
	cmd := &cobra.Command{
		Use:   "eval --run DIR [--data DIR | --features DIR] [key=value …]",
		Short: "Judge a run's head, on its own dataset or on other images",
		Long:  evalHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, cfg, o, err := j.read(p, cmd, args)
			if err != nil {
				return err
			}
			if !cfg.OnCommandLine("data.train") {
				o.Data = dataset.Options{}
			}
			bar := p.progress()
			o.Fetch = p.fetcher(bar)
			e, err := pipeline.Eval(cmd.Context(), pipeline.EvalOptions{Run: dir, Choice: j.choice, Predictions: p.path(list)}, o, bar)
			bar.finish()
			if err != nil {
				return interrupted(err, extractKept)
			}
			if list != "" {
				p.tell("predictions are in %s", p.short(e.Predictions))
			}
			return p.print(e, func(w io.Writer) {
				fmt.Fprintf(w, "%s on %s\n", p.short(dir), e.Summary.Dataset)
				e.Text(w)
			})
		},
	}
	j.addFlags(cmd)
	cmd.Flags().StringVar(&list, "predictions", "", "CSV `file` to write: every image's label, answer and probabilities")
	return cmd
}
