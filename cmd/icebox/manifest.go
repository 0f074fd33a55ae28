package main

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/words"
)

const manifestHelp = `manifest lists the images of --data in one file, for many processes or machines
that share the work. The file also says how their features are made, so that it
needs the weights. Nothing of it changes when images come and go.

  icebox manifest --data photos --out m
  icebox extract --manifest m --shard 0/8 --parts parts    (to 7/8, anywhere)
  icebox cache merge parts --manifest m --cache c.db
  icebox train --cache c.db

Schedulers set the index of a task: --shard /8 takes it from
JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX or
CLOUD_RUN_TASK_INDEX.`

func (p *process) manifestCommand() *cobra.Command {
	var s settings
	var out string
	cmd := &cobra.Command{
		Use:   "manifest --data DIR --out FILE [key=value …]",
		Short: "List images for many machines that share the work",
		Long:  manifestHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("manifest needs --out FILE")
			}
			o, err := s.options(p, args)
			if err != nil {
				return err
			}
			bar := p.progress()
			o.Fetch = p.fetcher(bar)
			f, err := pipeline.Freeze(cmd.Context(), o, p.path(out), bar)
			bar.finish()
			if err != nil {
				return err
			}
			return p.printSummary(f, func(w io.Writer) {
				fmt.Fprintf(w, "manifest   %s (%.12s)\n", p.short(f.Path), f.Hash)
				fmt.Fprintf(w, "images     %s of %s, %s\n", words.Number(f.Images), words.Count(f.Classes, "class"), humanize.Bytes(uint64(f.Bytes)))
				fmt.Fprintf(w, "features   of space %.12s\n", f.Space)
			})
		},
	}
	s.addFlags(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "`file` or s3://BUCKET/NAME to write; one that is there is replaced")
	return cmd
}
