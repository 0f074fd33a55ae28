package pipeline

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
	"icebox/pipeline/shards"
)

// MergeParts brings the parts of a manifest's shards, which lie in a folder, into the cache of
// o. The cache then has the rows and the dataset that [Extract] would have made there. All
// shards must be done (else an [shards.ErrIncomplete]), and their parts must be as their
// markers say (else an [shards.ErrPart]). It can be stopped at any time; it then goes on from
// there.
func MergeParts(ctx context.Context, o Options, manifest, parts string, p Progress) (*report.Summary, error) {
	m, err := shards.Open(ctx, manifest)
	if err != nil {
		return nil, err
	}
	folder, err := shards.OpenFolder(ctx, parts)
	if err != nil {
		return nil, err
	}
	markers, err := folder.Check(m)
	if err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	j.Stage("open")
	ds, err := m.Dataset(0, m.Items())
	if err != nil {
		return nil, err
	}
	store, err := features.OpenStore(ctx, o.Cache.Path, o.Cache.Wait, j)
	if err != nil {
		return nil, err
	}
	src, err := mergeInto(ctx, store, m, ds, folder, markers, j)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	sum := summaryOf(src, j)
	err = errors.Join(src.Close(), folder.Finish(m, markers[0].Of))
	return sum, err
}

// mergeInto reads all parts. It leaves the store open.
func mergeInto(ctx context.Context, store *features.Store, m *shards.Manifest, ds *dataset.Dataset, folder shards.Folder, markers []*shards.Marker, j *journal.Journal) (*features.Cached, error) {
	earlier, err := ds.NameAmong(store, dataset.ForTraining, m.Name())
	if err != nil {
		return nil, err
	}
	noteChanges(ds, earlier, j)
	merger, err := features.NewMerger(store, ds, earlier, m.Space, j)
	if err != nil {
		return nil, err
	}
	j.Stage("merge")
	j.Start("merge", m.Items())
	for _, mk := range markers {
		err := ctx.Err()
		if err == nil {
			err = mergePart(folder, m, mk, merger)
		}
		if err != nil {
			merger.Abandon()
			return nil, err
		}
	}
	j.Stage("keep")
	return merger.Finish(ctx)
}

// mergePart hands over what a part has.
func mergePart(folder shards.Folder, m *shards.Manifest, mk *shards.Marker, to *features.Merger) error {
	part, err := folder.Open(m, mk)
	if err != nil {
		return err
	}
	defer part.Close()
	for row, err := range part.Rows() {
		if err != nil {
			return err
		}
		o := features.Outcome{Item: row.Item, Key: row.Key, Feature: row.Feature, Producer: row.Producer}
		o.Measures, o.Measured = features.DecodeMeasures(row.Measures)
		if err := to.Add(o); err != nil {
			return err
		}
	}
	for _, d := range part.Dead() {
		key, err := hex.DecodeString(d.SHA256)
		if err != nil || len(key) != 0 && len(key) != len(cache.Key{}) {
			return fmt.Errorf("%w: %s: %q is no SHA-256", shards.ErrPart, folder.Part(mk.Shard), d.SHA256)
		}
		o := features.Outcome{Item: d.Item, Failure: features.Failure{Reason: d.Reason, Pixels: d.MaxPixels, Memory: d.Memory}}
		copy(o.Key[:], key)
		if err := to.Add(o); err != nil {
			return err
		}
	}
	return nil
}
