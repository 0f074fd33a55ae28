package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"icebox/pipeline"
	"icebox/pipeline/serve/web"
)

// lookEvery is how often a newer run is looked for.
const lookEvery = 2 * time.Second

// follow looks for newer runs, every now and then and at each SIGHUP, until ctx is done.
func follow(ctx context.Context, s *pipeline.Server, o web.Options) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	now := time.NewTicker(lookEvery)
	defer now.Stop()
	for {
		again := false
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			again = true
		case <-now.C:
		}
		for _, r := range s.Reload(ctx, again) {
			tell(o, r)
		}
	}
}

// tell says what became of a newer run.
func tell(o web.Options, r pipeline.Reloaded) {
	attrs := []any{slog.String("model", r.Name), slog.String("from", r.From), slog.String("to", r.To)}
	if r.Why != "" {
		attrs = append(attrs, slog.String("test", r.Why))
	}
	switch {
	case r.Err != nil:
		o.Metrics.Reloaded(r.Name, "failed")
		o.Log.Warn("a newer run cannot be served", append(attrs, slog.String("error", r.Err.Error()))...)
	case r.Promoted:
		o.Metrics.Reloaded(r.Name, "promoted")
		o.Log.Info("a newer run is served", attrs...)
	default:
		o.Metrics.Reloaded(r.Name, "kept")
		o.Log.Warn("a newer run is not served, as it is not good enough", attrs...)
	}
}
