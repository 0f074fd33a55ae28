package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/report"
)

func (p *process) runsCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "runs [key=value …]",
		Short: "List runs with their scores, or compare two",
		Long: `runs lists the runs in the folder output.dir, oldest first: the accuracy on
images for test and for validation, and the options of the head that are not as
by default. Wherever a command takes --run, the name of a run will do, the part
of its name behind the time (which means the newest such run), or latest.

  icebox runs
  icebox runs compare 20261127-015118-photos latest`,
		RunE: func(_ *cobra.Command, args []string) error {
			o, err := s.options(p, args)
			if err != nil {
				return err
			}
			all, err := report.List(o.Output.Dir)
			if err != nil {
				return err
			}
			if all == nil {
				all = []report.Listed{} // which JSON writes as a list
			}
			return p.print(map[string]any{"runs": all}, func(w io.Writer) {
				if len(all) == 0 {
					fmt.Fprintf(w, "there is no run in %s\n", p.short(o.Output.Dir))
					return
				}
				report.ListText(w, all)
			})
		},
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration `file` (default "+configName+", if there is one)")
	cmd.AddCommand(p.runsCompareCommand())
	return cmd
}

func (p *process) runsCompareCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "compare RUN RUN [key=value …]",
		Short: "Compare the heads of two runs on the same images",
		Long: `compare judges the heads of two runs, A and B, on the images that both hold out
for test (or else for validation), and says whether the one is better by more
than chance. It takes the features from the caches that the heads were trained
from, and opens no image.

A run is named by its folder, its name or latest.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("runs compare needs two runs: icebox runs compare RUN RUN; `icebox runs` lists them")
			}
			cfg, err := s.load(p, args[2:])
			if err != nil {
				return err
			}
			var both [2]pipeline.Compared
			for i := range both {
				if both[i].Run, both[i].Options, err = p.findRun(cfg, args[i]); err != nil {
					return err
				}
			}
			bar := p.progress()
			c, err := pipeline.Compare(cmd.Context(), both[0], both[1], bar)
			bar.finish()
			if err != nil {
				return err
			}
			return p.print(c, func(w io.Writer) { c.Text(w, p.style()) })
		},
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration `file` (default "+configName+", if there is one)")
	cmd.Flags().StringVar(&s.cache, "cache", "", "`file` that keeps the features of both (default: the one that each head was trained from)")
	return cmd
}
