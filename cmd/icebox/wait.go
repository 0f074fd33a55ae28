package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"icebox/cache"
)

// patience is the flag --wait.
type patience time.Duration

func (w *patience) String() string { return time.Duration(*w).String() }
func (w *patience) Type() string   { return "duration" }

// Set implements [pflag.Value].
func (w *patience) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = errors.New("it must not be negative")
	}
	*w = patience(d)
	return err
}

// waits gives a command that writes to the cache its flag --wait.
func (p *process) waits(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().Var(&p.wait, "wait", "how long to wait for another program that writes to the cache, such as 90s or 2h; 0 is not at all")
	return cmd
}

// patient are options of a cache that is waited for as --wait says.
func (p *process) patient(ctx context.Context) cache.Options {
	return cache.Options{Context: ctx, ClaimWait: time.Duration(p.wait), Waiting: func(why string) { p.tell("note: %s", why) }}
}
