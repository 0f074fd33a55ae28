package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/report"
)

// findLRHelp says what train --find-lr does.
const findLRHelp = `
--find-lr trains the head for one epoch at each of 16 learning rates from 1e-5
to 1, all in one pass. It prints the training loss of each and recommends the
rate with the lowest. It leaves the schedule, warm-up, early stopping and EMA
aside, and writes nothing. The rate is a place to start from: over many epochs
a third of it is often better.
`

// lrResult is what train --find-lr prints with --json.
type lrResult struct {
	*report.RateSummary
	Command string `json:"command"` // that trains with the rate
}

func (p *process) findLR(ctx context.Context, o pipeline.Options, ch pipeline.Choice, command string) error {
	bar := p.progress()
	s, err := pipeline.FindRate(ctx, o, ch, bar)
	bar.finish()
	if err != nil {
		return interrupted(err, "nothing was written")
	}
	r := lrResult{s, fmt.Sprintf("%s head.lr=%g", command, s.LR)}
	return p.print(r, func(w io.Writer) {
		s.Text(w)
		fmt.Fprintf(w, "  %s\n", r.Command)
	})
}

// withoutLR is the command line again, without what looks for a learning rate or
// gives one.
func withoutLR(cmd *cobra.Command, args []string) string {
	line := []string{cmd.CommandPath()}
	for _, name := range []string{"config", "data", "weights", "cache", "dataset", "space", "features"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			line = append(line, "--"+name, quoted(f.Value.String()))
		}
	}
	for _, arg := range args {
		if !strings.HasPrefix(arg, "head.lr=") {
			line = append(line, quoted(arg))
		}
	}
	return strings.Join(line, " ")
}
