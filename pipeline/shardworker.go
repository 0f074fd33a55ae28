package pipeline

import (
	"context"
	"errors"
	"fmt"

	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/shards"
)

// ShardWorker computes shards of a manifest with one backbone, which it opens when a shard
// needs it. Many goroutines may call it. It computes one shard at a time, because a shard
// alone keeps all of the options' workers busy.
type ShardWorker struct {
	ctx      context.Context // that of the backbone, which outlives a shard
	o        Options
	m        *shards.Manifest
	folder   shards.Folder
	scratch  string
	progress Progress

	free     chan struct{}      // has a token while no shard is computed
	computer *features.Computer // of whoever has taken the token; nil while the backbone is closed
}

// OpenShardWorker checks that o agrees with the manifest that s names, and makes the folder of
// parts. It does not look at s.Shard. The backbone is opened with ctx, which ends no shard.
func OpenShardWorker(ctx context.Context, o Options, s ShardOptions, p Progress) (*ShardWorker, error) {
	m, err := shards.Open(ctx, s.Manifest)
	if err != nil {
		return nil, err
	}
	if err := o.made(Choice{Made: s.Made}).CheckManifest(ctx, m.Space); err != nil {
		return nil, err
	}
	o = o.adopt(runs.HeadInfo{Fingerprint: m.Space.Fingerprint, DType: m.Space.DType, Weights: m.Space.Weights})
	if err := o.Validate(); err != nil {
		return nil, err
	}
	folder, err := shards.OpenFolder(ctx, s.Parts)
	if err == nil {
		err = folder.Make()
	}
	if err != nil {
		return nil, err
	}
	w := &ShardWorker{ctx: ctx, o: o, m: m, folder: folder, scratch: s.Scratch, progress: p, free: make(chan struct{}, 1)}
	w.free <- struct{}{}
	return w, nil
}

// Manifest is what the shards are of.
func (w *ShardWorker) Manifest() *shards.Manifest { return w.m }

// Markers are those of the shards that are done, in order, by whichever worker. The error is a
// [shards.ErrIncomplete] as long as some are missing, or says what is wrong with the folder. It
// does not read the parts.
func (w *ShardWorker) Markers() ([]*shards.Marker, error) { return w.folder.Check(w.m) }

// Extract computes the features of a shard and publishes its part, as [ExtractShard] does. A
// shard that is done costs a look at its part, whatever else the worker does. After an error
// the next shard opens the backbone anew: the engine may be the reason.
func (w *ShardWorker) Extract(ctx context.Context, s shards.Shard) (*ShardSummary, error) {
	sum := &ShardSummary{Part: w.folder.Part(s)}
	if done, err := w.done(sum, s, journal.New(w.progress, w.o.Words)); done || err != nil {
		return sum, err
	}
	select {
	case <-w.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { w.free <- struct{}{} }()
	sum, err := w.extract(ctx, s, journal.New(w.progress, w.o.Words)) // which does not count the wait
	if err != nil {
		err = errors.Join(err, w.letGo())
	}
	return sum, err
}

// Close lets go of the backbone, once no shard is computed.
func (w *ShardWorker) Close() error {
	<-w.free
	defer func() { w.free <- struct{}{} }()
	return w.letGo()
}

// done reports whether a shard is done, and says so in sum.
func (w *ShardWorker) done(sum *ShardSummary, s shards.Shard, j *journal.Journal) (done bool, err error) {
	if sum.Marker, err = w.folder.Done(w.m, s); sum.Marker == nil {
		return false, err
	}
	sum.Already, sum.Log = true, j.Finish()
	return true, nil
}

// turn has the computer work into a store, and opens it if it is not.
func (w *ShardWorker) turn(store *features.Store, j *journal.Journal) (err error) {
	j.Stage("weights")
	if w.computer != nil {
		w.computer.Turn(store, j)
		return nil
	}
	if w.computer, err = features.OpenComputer(w.ctx, w.o.extractOptions(), store, w.o.featureOptions(), j); err != nil {
		return err
	}
	if made, wanted := w.computer.Space().ID, w.m.Space.ID; made != wanted {
		return errors.Join(fmt.Errorf("%w: this icebox computes features of space %.12s, and the manifest is for %.12s", features.ErrOtherFeatures, made, wanted), w.letGo())
	}
	return nil
}

// letGo closes the backbone.
func (w *ShardWorker) letGo() error {
	if w.computer == nil {
		return nil
	}
	err := w.computer.Close()
	w.computer = nil
	return err
}
