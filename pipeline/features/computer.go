package features

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
)

// Options configure a [Computer].
type Options struct {
	Workers        int     // goroutines that decode and compute; 0 means one a CPU
	BatchSize      int     // images a worker takes at a time
	MaxFailureRate float64 // fraction of bad images past which a run fails (and more than 10)
	MaxPixels      int64   // larger images are refused
	Memory         int64   // bytes that images take at once, read and decoded; one that needs more is refused
	RetryFailed    bool    // try images again that are remembered as bad
	DType          cache.DType
}

// Computer brings the features of images into a cache.
type Computer struct {
	backbone *extract.Extractor
	store    *Store
	space    Space
	options  Options
	journal  *journal.Journal
	measured *measured // by engines
	gated    *sync.Map // extract.Verdict by key: what this backbone's engine has passed, whatever the store
}

// OpenComputer finds the weights of the backbone, and names the space of its rows. The
// engine stays closed until an image needs it; the cache is made when there is something
// to keep. The computer closes neither store nor journal. Limits of images are those of o.
func OpenComputer(ctx context.Context, backbone extract.Options, store *Store, o Options, j *journal.Journal) (*Computer, error) {
	c := &Computer{store: store, options: o, journal: j, measured: &measured{}, gated: &sync.Map{}}
	backbone.Note = func(text string) { c.journal.Note(text) }
	backbone.Memo = c.measured
	backbone.MaxPixels, backbone.Memory = o.MaxPixels, o.Memory // what is free may have changed since somebody asked
	x, err := extract.Open(ctx, backbone)
	if err != nil {
		return nil, err
	}
	c.backbone, c.space = x, SpaceOf(x, o.DType)
	c.noteRandom()
	return c, nil
}

// noteRandom says it where the weights are no result of training.
func (c *Computer) noteRandom() {
	if w := c.space.Weights; w.Random() {
		c.journal.Note(fmt.Sprintf("the backbone has random weights (seed %d): good for a smoke test, not for a result", w.Seed), journal.Step{Do: journal.FetchWeights})
	}
}

// Turn goes on with another store and another journal. The backbone stays open, and an engine
// that has passed the gate passes it there, too. Nothing may be computed meanwhile.
func (c *Computer) Turn(store *Store, j *journal.Journal) {
	c.store, c.journal = store, j
	c.noteRandom()
}

// Close lets go of the backbone.
func (c *Computer) Close() error { return c.backbone.Close() }

// Work says what a computation did. It is part of every summary in JSON; a field, once
// published, keeps its meaning.
type Work struct {
	Computed     int   `json:"computed"`      // features that this run computed
	ImagesOpened int   `json:"images_opened"` // image files opened by this run
	BytesRead    int64 `json:"bytes_read"`    // of image files, by this run

	Engine string `json:"engine"`
	ISA    string `json:"isa"`

	Seen  Seen  `json:"seen"`
	Times Times `json:"work"`
}

// Times are where a computation spent its time, in seconds of its workers, added up.
type Times struct {
	Workers int     `json:"workers"`
	Seconds float64 `json:"seconds"` // wall clock of the workers, engine ready
	Read    float64 `json:"read"`    // open and read image files
	Hash    float64 `json:"hash"`    // SHA-256
	Decode  float64 `json:"decode"`  // decode, resize, crop
	Forward float64 `json:"forward"` // backbone
	Write   float64 `json:"write"`   // hand rows to the cache, and wait for it
}

// Features looks up what the cache has of ds, computes the rest, splits the dataset and
// keeps it, and returns the source of all that. Whatever ends it, what is done by then
// is kept, and the source says how far it came. The source closes the store.
//
// A dataset for prediction is not split, and kept only if it has images that the cache did
// not know; however many of its images are bad, that is no error.
func (c *Computer) Features(ctx context.Context, ds, earlier *dataset.Dataset, p dataset.Purpose) (*Cached, error) {
	src := &Cached{store: c.store, ds: ds, space: c.space, work: c.Idle()}
	c.journal.Stage("look up")
	inv, err := c.LookUp(ctx, ds, earlier, p)
	if err != nil {
		return src, err
	}
	c.journal.Stage("extract")
	src.work, err = c.Compute(ctx, inv)
	c.noteSeen(src.work, p)
	if p == dataset.ForPrediction {
		src.found = inv.Found()
		c.noteDone(ds.Document(p), err)
		return src, err
	}
	if err == nil {
		c.journal.Stage("keep")
		err = c.store.storeDataset(ctx, ds, earlier, p, c.space.ID, c.journal)
	}
	c.noteDone(ds.Document(p), err)
	if err == nil {
		err = inv.tried.checkBudget(len(inv.ds.Items), c.options.MaxFailureRate)
	}
	src.found = inv.Found()
	return src, err
}

// noteDone notes the use of a dataset, and, unless something failed, that its rows are up to
// date.
func (c *Computer) noteDone(document string, err error) {
	c.store.noteUse(document, time.Now())
	if err == nil {
		c.store.noteDecoded(c.space.ID, document)
	}
}

// Idle is the work of a computer that has computed nothing.
func (c *Computer) Idle() (w Work) {
	w.Engine, w.ISA = c.backbone.EngineName()
	return w
}

// Compute reads, hashes and computes what inv lacks. Whatever ends it, what is done by
// then is kept, and so is what was learned of the files.
func (c *Computer) Compute(ctx context.Context, inv *Inventory) (Work, error) {
	if len(inv.Todo) == 0 {
		return c.Idle(), nil
	}
	if err := c.removeOutdated(inv.outdated); err != nil {
		return c.Idle(), err
	}
	w, err := c.store.writer()
	if err != nil {
		return c.Idle(), err
	}
	hold := inv.holdOf(c.options.Memory)
	e := &extraction{Computer: c, inv: inv, w: w, work: c.Idle(), images: origin.NewReader(hold), looks: openMeasuring(c.store, c.space.ID)}
	memory := c.options.Memory - hold
	if inv.anyRemote() {
		e.nextFiles = newBudget(memory / 4)
		memory -= memory / 4
	}
	e.memory = newBudget(memory)
	decodeBefore, forwardBefore := c.backbone.Times()
	c.journal.Start("engine", 0)
	err = e.open(ctx)
	if err == nil {
		c.journal.Start("extract", len(inv.Todo))
		begin := time.Now()
		err = e.workers(ctx, inv.Todo)
		e.work.Times.Seconds = journal.Seconds(time.Since(begin))
	}
	err = errors.Join(err, e.images.Close())
	if kerr := e.storeKnown(); err == nil {
		err = kerr
	}
	if cerr := w.Close(); err == nil || ctx.Err() != nil {
		err = errors.Join(err, cerr) // an interruption says nothing of what is kept
	}
	c.store.added += e.work.Computed
	decode, forward := c.backbone.Times()
	e.work.Times.Decode, e.work.Times.Forward = journal.Seconds(decode-decodeBefore), journal.Seconds(forward-forwardBefore)
	return e.work, errors.Join(err, c.store.c.Refresh())
}

// Rate computes a few of the items that inv lacks, spread over all, after one to warm up,
// and returns how many images a second all workers would compute. It writes nothing. It
// returns 0 where none of them can be read.
func (c *Computer) Rate(ctx context.Context, inv *Inventory, images int) (float64, error) {
	row, errs := make([]float32, extract.Dim), make([]error, 1)
	reader := origin.NewReader(c.options.Memory)
	defer reader.Close()
	var spent time.Duration
	timed := 0
	for n := range min(images+1, len(inv.Todo)) {
		it := &inv.ds.Items[inv.Todo[n*len(inv.Todo)/(images+1)]]
		start := time.Now()
		data, _, err := reader.Read(ctx, origin.Of(inv.ds, it), origin.MaxFileBytes, func(int64) error { return nil })
		if err != nil {
			continue
		}
		if err := c.backbone.Extract(ctx, [][]byte{data}, row, errs); err != nil {
			return 0, err
		}
		if errs[0] != nil || n == 0 {
			continue
		}
		spent += time.Since(start)
		timed++
	}
	if timed == 0 {
		return 0, nil
	}
	workers := c.options.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return float64(timed*workers) / spent.Seconds(), nil
}

// Bytes is how much the cache grows by for n more images, about.
func (c *Computer) Bytes(n int) int64 {
	width := int64(4)
	if c.space.DType == cache.Float16 {
		width = 2
	}
	return int64(n) * (extract.Dim*width + 100)
}
