package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"icebox/pipeline"
)

// findLRHelp says what train --find-lr does.
const findLRHelp = `
--find-lr trains the head for one epoch at each of 16 learning rates from 1e-5 to 1, all
in one pass, prints the training loss of each and recommends the rate with the lowest. It
leaves the schedule, warm-up, early stopping and EMA aside, and writes nothing. The rate
is a place to start from: over many epochs a third of it is often better.
`

// lrResult is what train --find-lr prints with --json.
type lrResult struct {
	*pipeline.LRSummary
	Command string `json:"command"` // that trains with the rate
}

func (p *process) findLR(ctx context.Context, c *common, o pipeline.Options, ch pipeline.Choice, command string) error {
	bar := p.progress(c)
	s, err := pipeline.FindLR(ctx, o, ch, bar)
	bar.finish()
	if err != nil {
		return interrupted(err, "nothing was written")
	}
	lr := fmt.Sprintf("head.lr=%g", s.LR)
	command += " " + lr
	if c.json {
		return p.printJSON(lrResult{s, command})
	}
	t := table.NewWriter()
	t.SetOutputMirror(p.stdout)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	t.AppendHeader(table.Row{"lr", "train_loss"})
	for _, tried := range s.Tried {
		loss := "diverged"
		if tried.Loss != nil {
			loss = fmt.Sprintf("%.4f", *tried.Loss)
		}
		t.AppendRow(table.Row{fmt.Sprintf("%.3g", tried.LR), loss})
	}
	t.Render()
	fmt.Fprintf(p.stdout, "\n%s\nlowest after one epoch on %s rows: %s\n  %s\n", s.Plot(), comma(s.TrainRows), lr, command)
	return nil
}

// withoutLR is the command line again, without what looks for a learning rate or
// gives one.
func withoutLR(cmd *cobra.Command, args []string) string {
	words := []string{cmd.CommandPath()}
	for _, name := range []string{"config", "data", "weights", "cache", "dataset", "space", "features"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			words = append(words, "--"+name, quoted(f.Value.String()))
		}
	}
	for _, arg := range args {
		if !strings.HasPrefix(arg, "head.lr=") {
			words = append(words, quoted(arg))
		}
	}
	return strings.Join(words, " ")
}

// quoted is a word as a POSIX shell takes it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_./=:,+@%", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
