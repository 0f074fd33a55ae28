package pipeline

import (
	"context"

	"icebox/pipeline/journal"
	"icebox/pipeline/shards"
)

// Frozen says what a manifest holds.
type Frozen struct {
	Path    string `json:"manifest"`
	Hash    string `json:"hash"`
	Space   string `json:"space"`
	Images  int    `json:"images"`
	Classes int    `json:"classes"`
	Known   int    `json:"known"` // images whose content the cache knows
	Bytes   int64  `json:"image_bytes"`

	journal.Log
}

// Freeze lists the images of o.Data in a manifest, a file at path, for processes that compute
// its shards. The manifest names the features that o's backbone computes, so that it needs the
// weights, and takes the contents of files that the cache remembers from it.
func Freeze(ctx context.Context, o Options, path string, p Progress) (*Frozen, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	in, err := openInputs(ctx, o, toExtract, j)
	if err != nil {
		return nil, err
	}
	defer in.store.Close()
	defer in.computer.Close()
	j.Stage("look up")
	if err := in.ds.Recollect(in.store, in.earlier); err != nil {
		return nil, err
	}
	in.ds.Name = o.Data.Name // who merges the parts derives another from what that cache holds
	j.Stage("write")
	m, err := shards.Write(ctx, path, in.ds, in.computer.Space())
	if err != nil {
		return nil, err
	}
	f := &Frozen{Path: path, Hash: m.Hash, Space: m.Space.ID, Images: len(in.ds.Items), Classes: len(in.ds.Classes)}
	for i := range in.ds.Items {
		it := &in.ds.Items[i]
		f.Bytes += it.Stat.Size
		if it.Hashed() {
			f.Known++
		}
	}
	f.Log = j.Finish()
	return f, nil
}
