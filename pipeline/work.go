package pipeline

import (
	"context"
	"io"

	"icebox/extract"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
	"icebox/pipeline/worker"
)

// WorkOptions say what a worker reads and writes.
type WorkOptions struct {
	Tar    bool   // in is a tar; else it is a path a line
	Format string // of out; one of [worker.Formats]
}

// Work computes the features of the images that come in by in, and writes them to out, until in
// ends. Nothing is kept.
func Work(ctx context.Context, o Options, w WorkOptions, in io.Reader, out io.Writer, p Progress) (c worker.Counts, err error) {
	if err := o.Validate(); err != nil {
		return c, err
	}
	rows, err := worker.NewOutput(w.Format, out)
	if err != nil {
		return c, err
	}
	j := journal.New(p, o.Words)
	backbone := o.extractOptions()
	backbone.Note = func(text string) { j.Note(text) }
	x, err := extract.Open(ctx, backbone)
	if err != nil {
		return c, err
	}
	defer x.Close()
	if _, err := x.Gate(ctx); err != nil { // before the first row it computes a test image beside the reference
		return c, err
	}
	images := worker.Lines(in, worker.Open(origin.MaxFileBytes))
	if w.Tar {
		images = worker.Tar(in, origin.MaxFileBytes)
	}
	return worker.Run(ctx, x, images, rows)
}
