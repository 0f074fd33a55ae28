package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"icebox/pipeline"
)

func (p *process) evalCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	var dir, list string
	cmd := &cobra.Command{
		Use:   "eval --run DIR [--data DIR | --features DIR] [--predictions FILE] [key=value …]",
		Short: "Evaluate a run's head, on its own dataset or on other images",
		Long: `eval judges the head of a run: on the dataset that it was trained on, from the cache
alone, or with --data on other labelled images, which are extracted first where the cache
lacks them. The weights are the ones that the head was trained on. --run takes a head's
file too: where early stopping kept an epoch before the last, --run DIR/last.safetensors
is the last one's head.

With --features it judges the head on a folder of features, as cache export writes it;
whether the head's own backbone made them is for you to know.

With --predictions it writes a CSV line for every image of every part: part, path, label,
the likeliest class (also where predict would say unknown), its probability and, in columns
p:CLASS, that of each class, calibrated where the head is.`,
	}
	ch := choice(cmd)
	featuresFlag(cmd, ch)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if dir == "" {
			return usagef("eval needs --run DIR, a folder that `icebox run` or `icebox train` wrote")
		}
		cfg, err := s.load(p, args)
		if err != nil {
			return err
		}
		if err := checkFeatures(cmd, ch.Features, cfg); err != nil {
			return err
		}
		o := p.options(cfg)
		ch.Features, o.Output.Predictions = p.path(ch.Features), p.path(list)
		dir := p.path(dir)
		_, info, err := pipeline.Head(dir)
		if err != nil {
			return err
		}
		if !cfg.Given("cache.path") && isFile(info.Cache) {
			o.Cache.Path = info.Cache
		}
		if !cfg.OnCommandLine("data.train") {
			o.Data = pipeline.Data{}
		}
		bar := p.progress(c)
		e, err := pipeline.Eval(cmd.Context(), dir, o, *ch, bar)
		bar.finish()
		if err != nil {
			return err
		}
		if c.json {
			return p.printJSON(e)
		}
		fmt.Fprintf(p.stdout, "%s on %s\n", dir, e.Summary.Dataset)
		e.Text(p.stdout)
		if list != "" && !c.quiet {
			p.say("predictions are in %s", p.short(o.Output.Predictions))
		}
		return nil
	}
	s.addFlags(cmd)
	cmd.Flags().StringVar(&dir, "run", "", "`folder` of the run")
	cmd.Flags().StringVar(&list, "predictions", "", "CSV `file` to write: every image's label, answer and probabilities")
	return cmd
}
