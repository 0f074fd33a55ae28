package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/words"
	"icebox/pipeline/worker"
)

const workerHelp = `worker is the end of a pipe: it reads paths, or addresses in a bucket such as
s3://photos/a.jpg, from stdin, a line each, and writes their features to stdout,
in the same order. With --tar, stdin is a tar of images. Nothing is kept, and a
row is written as soon as it is computed, so that Spark's pipe(), Hadoop
streaming or a process of yours can drive it.

A line of jsonl is {"path", "sha256", "feature"}, with 512 numbers; an image
that cannot be read is {"path", "error"}, and no reason to end. parquet has the
columns path, key (SHA-256), feature and error.

  find photos -name '*.jpg' | icebox worker > features.jsonl
  tar c photos | icebox worker --tar --format parquet > f.parquet`

func (p *process) workerCommand() *cobra.Command {
	var s settings
	var w pipeline.WorkOptions
	cmd := &cobra.Command{
		Use:   "worker [--tar] [--format jsonl] [key=value …]",
		Short: "Read images from stdin, write their features to stdout",
		Long:  workerHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.json {
				return usagef("worker writes to stdout what --json would write there: choose one of them")
			}
			o, err := s.options(p, args)
			if err != nil {
				return err
			}
			bar := p.progress()
			o.Fetch = p.fetcher(bar)
			c, err := pipeline.Work(cmd.Context(), o, w, p.stdin, p.stdout, bar)
			bar.finish()
			if err != nil {
				return fmt.Errorf("after %s: %w", words.Count(c.Images, "image"), err)
			}
			p.tell("%s, %s without a feature", words.Count(c.Images, "image"), words.Number(c.Bad))
			return nil
		},
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration `file`")
	cmd.Flags().StringVar(&s.weights, "weights", "", "`file`, auto, random or random:SEED: the key backbone.weights")
	cmd.Flags().BoolVar(&w.Tar, "tar", false, "stdin is a tar of images")
	cmd.Flags().StringVar(&w.Format, "format", worker.JSONL, words.Or(worker.Formats()))
	oneOf(cmd, "format", worker.Formats())
	return cmd
}
