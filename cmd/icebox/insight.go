package main

import (
	"github.com/spf13/cobra"

	"icebox/pipeline"
)

func (p *process) insightCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	var dir string
	var near float64
	cmd := &cobra.Command{
		Use:   "insight --run DIR [--features DIR] [key=value …]",
		Short: "Doubtful labels, copies, leaks, worst errors and what more images would bring",
		Long: `insight looks at the images of a run through the features that the cache keeps: it opens
no image. It lists labels to doubt (by heads that did not see the image), copies of images,
exact and near, and which of them leak from training to test; the surest mistakes, the classes
that are confused, and a learning curve with a guess of what twice the images would bring.

The heads that did not see an image learned from all other labelled images, test included:
to act on a suspect in test is to have looked at test. With --features, and for a run that
was trained so, the features are those of a folder in the form of cache export.

It prints that and writes it into the run folder: insight.json, insight.txt, suspects.csv,
copies.csv.`,
	}
	ch := choice(cmd)
	featuresFlag(cmd, ch)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if dir == "" {
			return usagef("insight needs --run DIR, a folder that `icebox run` or `icebox train` wrote")
		}
		if !(near > 0 && near <= 1) {
			return usagef("--near (%v) must be a cosine above 0, up to 1", near)
		}
		cfg, err := s.load(p, args)
		if err != nil {
			return err
		}
		if err := checkFeatures(cmd, ch.Features, cfg); err != nil {
			return err
		}
		o := p.options(cfg)
		ch.Features = p.path(ch.Features)
		dir := p.path(dir)
		_, info, err := pipeline.Head(dir)
		if err != nil {
			return err
		}
		if !cfg.Given("cache.path") && isFile(info.Cache) {
			o.Cache.Path = info.Cache
		}
		o.Data = pipeline.Data{}
		bar := p.progress(c)
		i, err := pipeline.Inspect(cmd.Context(), dir, o, *ch, near, bar)
		bar.finish()
		if err != nil {
			return err
		}
		if c.json {
			return p.printJSON(i)
		}
		i.Text(p.stdout)
		return nil
	}
	s.addFlags(cmd)
	cmd.Flags().StringVar(&dir, "run", "", "`folder` of the run")
	cmd.Flags().Float64Var(&near, "near", pipeline.NearCosine, "`cosine` of whitened features from which on images count as near copies")
	return cmd
}
