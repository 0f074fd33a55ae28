package pipeline

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/shards"
)

// ShardOptions name a piece of the extraction of a manifest.
type ShardOptions struct {
	Manifest string // its file, or its address in a bucket
	Shard    shards.Shard
	Parts    string // folder, or the address of a bucket
	// Made are fields of the options, of those that [MadeBy] lists, with which the manifest
	// must agree: somebody has named them. The others are as the manifest has them.
	Made []string
	// Scratch is a folder for the rows of a shard that is not done, which the next try goes on
	// from; "" is one of this user among the temporary files.
	Scratch string
}

// ShardSummary says what was done for a shard.
type ShardSummary struct {
	report.Summary
	Part    string         `json:"part"` // its file
	Marker  *shards.Marker `json:"marker"`
	Already bool           `json:"already"` // it was done before; nothing was computed
}

// ExtractShard computes the features of a shard and publishes its part. It does nothing where
// that is done already. On an error nothing is published, and the next try goes on, if it runs
// on the same machine.
func ExtractShard(ctx context.Context, o Options, s ShardOptions, p Progress) (*ShardSummary, error) {
	w, err := OpenShardWorker(ctx, o, s, p)
	if err != nil {
		return nil, err
	}
	sum, err := w.Extract(ctx, s.Shard)
	return sum, errors.Join(err, w.Close())
}

// extract is ExtractShard with what the worker has opened. Whoever calls it has the turn.
func (w *ShardWorker) extract(ctx context.Context, s shards.Shard, j *journal.Journal) (*ShardSummary, error) {
	sum := &ShardSummary{Part: w.folder.Part(s)}
	if done, err := w.done(sum, s, j); done || err != nil {
		return sum, err
	}
	first, end := s.Range(w.m.Items())
	ds, err := w.m.Dataset(first, end)
	if err == nil {
		err = ds.MeetArchives(ctx)
	}
	if err != nil {
		return nil, err
	}
	ds.Name = fmt.Sprintf("shard-%d-of-%d", s.Index, s.Of)
	work := &shardWork{ShardWorker: w, s: s, ds: ds, first: first, j: j}
	scratch, err := openScratch(w.scratch, scratchName(w.m, s))
	if err != nil {
		return nil, err
	}
	src, err := work.compute(ctx, scratch)
	if errors.Is(err, cache.ErrLocked) || errors.Is(err, fs.ErrNotExist) {
		// Another process computes the same shard on this machine, or has ended with it.
		if src != nil {
			src.Close()
			src = nil
		}
		if done, err := w.done(sum, s, j); done || err != nil {
			return sum, err
		}
		if scratch, err = os.MkdirTemp(filepath.Dir(scratch), "again-*"); err == nil {
			src, err = work.compute(ctx, scratch)
		}
	}
	if src != nil {
		sum.Summary = *summaryOf(src, j)
		if err == nil {
			sum.Marker, err = work.publish(w.folder, src)
		}
		err = errors.Join(err, src.Close())
	}
	if err == nil {
		_ = os.RemoveAll(scratch) // it is in nobody's way
	}
	sum.Log = j.Finish()
	return sum, err
}

// scratchCache is the cache in it.
const scratchCache = "features.db"

// scratchName is that of the folder of a shard that is not done.
func scratchName(m *shards.Manifest, s shards.Shard) string {
	return fmt.Sprintf("%.12s-%.12s-%d-of-%d", m.Hash, m.Space.ID, s.Index, s.Of)
}

// openScratch makes a folder of a name for this user alone.
func openScratch(dir, name string) (string, error) {
	if dir == "" {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("icebox-%d", os.Getuid()))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		if os.Chmod(dir, 0o700) != nil { // it is somebody else's
			return os.MkdirTemp("", "icebox-*")
		}
	}
	path := filepath.Join(dir, name)
	return path, os.MkdirAll(path, 0o700)
}

// shardWork computes a shard.
type shardWork struct {
	*ShardWorker
	s     shards.Shard
	ds    *dataset.Dataset
	first int // item of the manifest that is ds's first
	j     *journal.Journal

	listed []dataset.Item // as the manifest has them
}

// compute brings the features of the shard into a cache in a folder. The source is nil where
// the cache cannot be opened.
func (w *shardWork) compute(ctx context.Context, scratch string) (*features.Cached, error) {
	w.j.Stage("open")
	store, err := features.OpenStore(ctx, filepath.Join(scratch, scratchCache), 0, w.j)
	if err != nil {
		return nil, err
	}
	if err := w.turn(store, w.j); err != nil {
		store.Close()
		return nil, err
	}
	w.listed = append(w.listed[:0], w.ds.Items...)
	w.j.Stage("look up")
	src, err := w.computer.Shard(ctx, w.ds)
	if err != nil {
		return src, err
	}
	return src, ctx.Err()
}

// publish writes the part.
func (w *shardWork) publish(folder shards.Folder, src *features.Cached) (*shards.Marker, error) {
	w.j.Stage("publish")
	var dead []shards.Dead
	for o, err := range src.Outcomes() { // a part's head has the dead, and stands before its rows
		if err != nil {
			return nil, err
		}
		if reason := w.changed(o.Item); reason != "" {
			dead = append(dead, shards.Dead{Item: w.first + o.Item, Path: w.path(o.Item), Reason: reason})
		} else if o.Feature == nil {
			d := shards.Dead{Item: w.first + o.Item, Path: w.path(o.Item), Reason: o.Failure.Reason, MaxPixels: o.Failure.Pixels, Memory: o.Failure.Memory}
			if o.Key != (cache.Key{}) {
				d.SHA256 = hex.EncodeToString(o.Key[:])
			}
			dead = append(dead, d)
		}
	}
	return folder.Publish(w.m, w.s, w.rows(src), dead)
}

// rows yields the rows of the part.
func (w *shardWork) rows(src *features.Cached) iter.Seq2[shards.Row, error] {
	return func(yield func(shards.Row, error) bool) {
		for o, err := range src.Outcomes() {
			if err == nil && (o.Feature == nil || w.changed(o.Item) != "") {
				continue
			}
			var row shards.Row
			if err == nil {
				it := &w.ds.Items[o.Item]
				row = shards.Row{Item: w.first + o.Item, Key: o.Key, Path: w.path(o.Item), Class: w.ds.Class(it), Producer: o.Producer, Feature: o.Feature}
				if it.Part != dataset.Unassigned {
					row.Split = it.Part.String()
				}
				if o.Measured {
					row.Measures = features.EncodeMeasures(o.Measures)
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (w *shardWork) path(i int) string { return w.ds.Display(&w.ds.Items[i]) }

// changed says how an image is not as the manifest has it; "" where it is.
func (w *shardWork) changed(i int) string {
	was, is := &w.listed[i], &w.ds.Items[i]
	switch {
	case was.Hashed() && is.Hash != was.Hash:
		return "it has another content than when the manifest was made"
	case !w.ds.Archived(is) && was.Stat.Size != is.Stat.Size && is.Stat != (dataset.Stat{}) && was.Stat != (dataset.Stat{}):
		return fmt.Sprintf("it has %d bytes, and had %d when the manifest was made", is.Stat.Size, was.Stat.Size)
	}
	return ""
}
