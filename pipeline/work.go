package pipeline

import (
	"context"
	"io"

	"icebox/extract"
	"icebox/pipeline/bucket"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
	"icebox/pipeline/worker"
)

// WorkOptions say what a worker reads and writes.
type WorkOptions struct {
	Tar    bool   // in is a tar; else it is a path, or the address of an object in a bucket, a line
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
	images := worker.Lines(in, opener(ctx), readAhead)
	if w.Tar {
		images = worker.Tar(in, origin.MaxFileBytes)
	}
	return worker.Run(ctx, x, images, rows)
}

// readAhead is how many images a worker reads at a time: of those in a bucket, each takes some
// 50 ms, and each is computed in some 12.
const readAhead = 8

// opener reads files, and objects in buckets.
func opener(ctx context.Context) func(path string) ([]byte, error) {
	open := worker.Open(origin.MaxFileBytes)
	images := origin.NewReader(0)
	return func(path string) ([]byte, error) {
		if !bucket.Is(path) {
			return open(path)
		}
		of, name, err := bucket.Split(path)
		if err != nil {
			return nil, err
		}
		data, _, err := images.Get(ctx, origin.Place{Kind: dataset.Bucket, Path: of, Name: name})
		return data, err
	}
}
