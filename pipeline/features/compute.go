package features

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
)

// extraction is one computation of what an inventory lacks: the state that its workers
// share.
type extraction struct {
	*Computer
	inv *Inventory
	w   *cache.Writer

	work                             Work
	readNanos, hashNanos, writeNanos atomic.Int64
	opened, bytes                    atomic.Int64

	memory    *budget // for images that are being read and decoded
	nextFiles *budget // for files of buckets that are read ahead; nil where there are none
	ahead     *ahead  // nil where no image comes from a bucket
	images    *origin.Reader
	looks     *measuring

	turn     sync.RWMutex       // read while rows are handed over, written to change the producer
	producer extract.EngineInfo // of the rows that are handed over
	passed   verdicts           // of the gate

	mu         sync.Mutex // guards what follows, inv, its items, work.Computed and work.Seen
	storeAfter time.Time  // when the dataset is next stored
}

// open declares the space and lets the engine pass the gate.
func (e *extraction) open(ctx context.Context) error {
	if err := e.measured.load(e.store); err != nil {
		return err
	}
	info, err := e.backbone.Engine()
	if err != nil {
		return err
	}
	for _, skipped := range e.backbone.Skipped() {
		e.journal.Note(skipped.Error())
	}
	e.work.Engine, e.work.ISA = info.Name, info.ISA
	return e.declare(ctx, info)
}

// declare tests the engine, which was info a moment ago, beside the reference, stores what
// it has measured, and records it in the cache as the maker of the rows to come. If the
// engine has changed meanwhile, declare records nothing, and the next batch tries again.
func (e *extraction) declare(ctx context.Context, info extract.EngineInfo) error {
	if err := errors.Join(e.measured.save(e.w), e.gate(ctx)); err != nil {
		return err
	}
	if now, err := e.backbone.Engine(); err != nil || now != info {
		return err
	}
	space, err := e.space.ofCache()
	if err != nil {
		return err
	}
	if err := e.store.putBorn(e.w, e.space.ID); err != nil {
		return err
	}
	e.producer = info
	return e.w.Space(space, cache.Producer{Engine: info.Name, ISA: info.ISA, Plan: info.Plan, Version: info.Version})
}

// compute fills the first n rows. If it returns no error, e.producer has made all of them,
// and e.turn is read-locked, so that this stays true until the caller has stored them and
// unlocks it. If the engine changes its plan in the middle of a batch, as when a GPU runs
// short of memory, the batch is computed again.
func (e *extraction) compute(ctx context.Context, b *batch, n int) error {
	for {
		before, err := e.backbone.Engine()
		if err != nil {
			return err
		}
		if err := e.backbone.Forward(ctx, b.rows[:n*extract.Dim], b.crops[:n*extract.PixelBytes], n); err != nil {
			return err
		}
		after, err := e.backbone.Engine()
		if err != nil {
			return err
		}
		if after != before {
			continue
		}
		if e.turn.RLock(); e.producer == before {
			return nil
		}
		e.turn.RUnlock()
		if err := e.change(ctx, before); err != nil {
			return err
		}
	}
}

// change declares info as the new producer, unless another worker has.
func (e *extraction) change(ctx context.Context, info extract.EngineInfo) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if now, err := e.backbone.Engine(); err != nil || now != info || e.producer == info {
		return err // settled by another worker, or to be computed again
	}
	return e.declare(ctx, info)
}

// anyRemote reports whether an item to compute lies in a bucket.
func (inv *Inventory) anyRemote() bool {
	return slices.ContainsFunc(inv.Todo, inv.remote)
}

// remote reports whether item i lies in a bucket.
func (inv *Inventory) remote(i int) bool { return inv.ds.Remote(&inv.ds.Items[i]) }

// workers computes the items of todo in batches. The batches' make-up changes no
// row's bytes.
func (e *extraction) workers(ctx context.Context, todo []int) error {
	n := e.options.Workers
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
		if e.work.Engine != extract.Native {
			n *= 2 // some wait for the device while the others decode
		}
	}
	size := e.inv.batchSize(e.options.BatchSize, n, e.inv.holdOf(e.options.Memory))
	e.work.Times.Workers = n
	e.storeAfter = time.Now().Add(storeEvery)

	q := queue{items: todo, size: size, workers: n}
	g, ctx := errgroup.WithContext(ctx)
	if e.nextFiles != nil {
		e.ahead = newAhead(n, size, e.nextFiles, func(ctx context.Context, i int, reserve func(int64) error) fetched {
			return e.fetch(ctx, i, min(origin.MaxFileBytes, e.memory.total), reserve)
		})
		g.Go(func() error {
			e.ahead.run(ctx, todo, e.inv.remote)
			return nil
		})
	}
	for range n {
		g.Go(func() error {
			b := newBatch(size)
			for {
				if err := ctx.Err(); err != nil {
					return err
				}
				items := q.take()
				if len(items) == 0 {
					return nil
				}
				if err := e.batch(ctx, b, items); err != nil {
					return err
				}
			}
		})
	}
	err := g.Wait()
	e.work.ImagesOpened, e.work.BytesRead = int(e.opened.Load()), e.bytes.Load()
	e.work.Times.Read = journal.Seconds(time.Duration(e.readNanos.Load()))
	e.work.Times.Hash = journal.Seconds(time.Duration(e.hashNanos.Load()))
	e.work.Times.Write = journal.Seconds(time.Duration(e.writeNanos.Load()))
	return err
}

// batch is the memory of one worker.
type batch struct {
	items  []int
	keys   []cache.Key
	crops  []uint8
	traits []extract.Traits
	rows   []float32
}

func newBatch(size int) *batch {
	return &batch{crops: make([]uint8, size*extract.PixelBytes), rows: make([]float32, size*extract.Dim)}
}

// crop is the memory for the next crop.
func (b *batch) crop() []uint8 { return b.crops[len(b.items)*extract.PixelBytes:][:extract.PixelBytes] }

// batch reads the items one by one, decodes and computes those whose content the cache has
// not, and hands their rows over.
func (e *extraction) batch(ctx context.Context, b *batch, items []int) error {
	b.items, b.traits = b.items[:0], b.traits[:0]
	for _, i := range items {
		traits, ok, err := e.load(ctx, i, b.crop())
		if err != nil {
			return err
		}
		if ok {
			b.items, b.traits = append(b.items, i), append(b.traits, traits)
		}
	}
	if err := e.compute(ctx, b, len(b.items)); err != nil {
		return err
	}
	defer e.turn.RUnlock()
	start := time.Now()
	if err := e.putMeasures(b); err != nil {
		return err
	}
	for k, i := range b.items {
		it := &e.inv.ds.Items[i]
		if err := e.w.Put(e.space.ID, it.Hash, b.rows[k*extract.Dim:(k+1)*extract.Dim]); err != nil {
			return err
		}
		e.mu.Lock()
		e.work.Computed++
		e.work.Seen.add(b.traits[k])
		e.inv.bad.remove(it.Hash)
		e.mu.Unlock()
	}
	e.writeNanos.Add(int64(time.Since(start)))
	e.journal.Add(len(items))
	return e.storeIfDue()
}

// putMeasures hands over what was measured of the pictures of a batch.
func (e *extraction) putMeasures(b *batch) error {
	if len(b.items) == 0 {
		return nil
	}
	b.keys = b.keys[:0]
	for _, i := range b.items {
		b.keys = append(b.keys, e.inv.ds.Items[i].Hash)
	}
	return e.looks.put(e.w, b.keys, b.traits)
}

// storeEvery is how often what was learned of files is committed while extraction
// goes on; losing it costs hashing the files again, not their features.
const storeEvery = 10 * time.Second

// storeIfDue stores what is known if it is time.
func (e *extraction) storeIfDue() error {
	e.mu.Lock()
	due := time.Now().After(e.storeAfter)
	if due {
		e.storeAfter = time.Now().Add(time.Hour) // until this one is done
	}
	e.mu.Unlock()
	if !due {
		return nil
	}
	start := time.Now()
	err := e.storeKnown()
	e.mu.Lock()
	e.storeAfter = time.Now().Add(max(storeEvery, 50*time.Since(start)))
	e.mu.Unlock()
	return err
}

// storeKnown hands the writer the dataset, as far as it is known, and the bad contents. Of
// kept pictures alone there is no document.
func (e *extraction) storeKnown() error {
	e.mu.Lock()
	ds, err := e.inv.ds.Encode()
	var bad map[string][]byte
	if err == nil {
		bad, err = e.inv.bad.documents(e.space.ID)
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if e.inv.ds.Kept() < len(e.inv.ds.Items) {
		if err := e.w.PutDoc(e.inv.ds.Document(e.inv.purpose), ds); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		if err := e.w.PutDoc(name, bad[name]); err != nil {
			return err
		}
	}
	return nil
}

// gate lets an engine that neither this cache nor this computer has seen compute a test image
// beside the reference before it may write.
func (e *extraction) gate(ctx context.Context) error {
	key, err := e.backbone.GateKey()
	if err != nil {
		return err
	}
	if e.passed == nil {
		if e.passed, err = loadVerdicts(e.store); err != nil {
			return err
		}
	}
	if _, ok := e.passed[key]; ok {
		return nil
	}
	if known, ok := e.gated.Load(key); ok {
		e.passed[key] = known.(extract.Verdict)
		return putVerdicts(e.w, e.passed)
	}
	v, err := e.backbone.Gate(ctx)
	if err != nil {
		return err
	}
	e.gated.Store(v.Key, v)
	e.passed[v.Key] = v
	return putVerdicts(e.w, e.passed)
}
