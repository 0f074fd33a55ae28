package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/extract"
)

// extractMisses reads, hashes and computes what the cache has not. Whatever ends
// it, what is done by then is kept, and so is what was learned of the files.
func extractMisses(ctx context.Context, j *job) error {
	todo := j.missing()
	if len(todo) == 0 {
		return j.finishExtract(nil)
	}
	if err := j.makeCache(); err != nil {
		return err
	}
	w, err := j.cache.Writer()
	if err != nil {
		return err
	}
	e := &extraction{job: j, w: w}
	j.progress.Start("engine", 0)
	err = e.open(ctx)
	if err == nil {
		j.progress.Start("extract", len(todo))
		begin := time.Now()
		err = e.workers(ctx, todo)
		j.sum.Work.Seconds = seconds(time.Since(begin))
	}
	if kerr := e.keep(); err == nil {
		err = kerr
	}
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return j.finishExtract(errors.Join(err, j.cache.Refresh()))
}

// finishExtract completes the summary.
func (j *job) finishExtract(err error) error {
	j.sum.Misses = j.sum.Images - j.sum.Hits - j.sum.KnownBad
	j.sum.Quarantine = j.tried.list()
	j.sum.Quarantined = len(j.tried)
	decode, forward := j.x.Times()
	j.sum.Work.Decode, j.sum.Work.Forward = seconds(decode), seconds(forward)
	return err
}

// extraction is the state that its workers share.
type extraction struct {
	*job
	w *cache.Writer

	readNanos, hashNanos, writeNanos atomic.Int64
	opened, bytes                    atomic.Int64

	turn     sync.RWMutex       // read while rows are handed over, written to change the producer
	producer extract.EngineInfo // of the rows that are handed over
	passed   verdicts           // of the gate

	mu        sync.Mutex // guards what follows, and of job: ds.Items, found, bad, tried, and the counts of sum
	keepAfter time.Time  // when the dataset is next kept
}

// open declares the space and lets the engine pass the gate.
func (e *extraction) open(ctx context.Context) error {
	if err := e.measured.load(e.cache); err != nil {
		return err
	}
	info, err := e.x.Engine()
	if err != nil {
		return err
	}
	for _, skipped := range e.x.Skipped() {
		e.warn("%v", skipped)
	}
	e.sum.Engine, e.sum.ISA = info.Name, info.ISA
	return e.declare(ctx, info)
}

// declare lets what computes from now on pass the gate, and names it to the cache. It
// leaves that to the next rows if the engine has changed since it was info.
func (e *extraction) declare(ctx context.Context, info extract.EngineInfo) error {
	if err := errors.Join(e.measured.save(e.w), e.gate(ctx)); err != nil {
		return err
	}
	if now, err := e.x.Engine(); err != nil || now != info {
		return err
	}
	space, err := e.space.cacheSpace()
	if err != nil {
		return err
	}
	e.producer = info
	return e.w.Space(space, cache.Producer{Engine: info.Name, ISA: info.ISA, Plan: info.Plan, Version: info.Version})
}

// compute fills the first n rows, and has e.turn read-locked if it returns no error:
// then the rows are by e.producer. An engine that goes on in another plan, a GPU whose
// memory got short, may have had a part of the rows in each; they are computed again.
func (e *extraction) compute(ctx context.Context, b *batch, n int) error {
	for {
		before, err := e.x.Engine()
		if err != nil {
			return err
		}
		if err := e.x.Extract(ctx, b.images, b.rows[:n*extract.Dim], b.errs[:n]); err != nil {
			return err
		}
		after, err := e.x.Engine()
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

// change declares another producer, once.
func (e *extraction) change(ctx context.Context, info extract.EngineInfo) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if now, err := e.x.Engine(); err != nil || now != info || e.producer == info {
		return err // settled by another worker, or to be computed again
	}
	return e.declare(ctx, info)
}

// workers computes the items of todo in batches. The batches' make-up changes no
// row's bytes.
func (e *extraction) workers(ctx context.Context, todo []int) error {
	n := e.opts.Extract.Workers
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
		if e.sum.Engine != extract.Native {
			n *= 2 // some wait for the device while the others decode
		}
	}
	size := e.opts.Extract.BatchSize
	e.sum.Work.Workers = n
	e.keepAfter = time.Now().Add(keepEvery)

	q := queue{items: todo, size: size, workers: n}
	g, ctx := errgroup.WithContext(ctx)
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
	e.sum.ImagesOpened, e.sum.BytesRead = int(e.opened.Load()), e.bytes.Load()
	e.sum.Work.Read = seconds(time.Duration(e.readNanos.Load()))
	e.sum.Work.Hash = seconds(time.Duration(e.hashNanos.Load()))
	e.sum.Work.Write = seconds(time.Duration(e.writeNanos.Load()))
	return err
}

// queue hands items out to workers, size at a time.
type queue struct {
	mu            sync.Mutex
	items         []int
	size, workers int
}

// take returns the next items. What is left for the last round is shared out
// evenly.
func (q *queue) take() []int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if left := len(q.items); left <= q.size*q.workers {
		q.size, q.workers = (left+q.workers-1)/q.workers, 1
	}
	n := min(q.size, len(q.items))
	taken := q.items[:n]
	q.items = q.items[n:]
	return taken
}

// batch is the memory of one worker.
type batch struct {
	items  []int
	images [][]byte
	rows   []float32
	errs   []error
}

func newBatch(size int) *batch {
	return &batch{rows: make([]float32, size*extract.Dim), errs: make([]error, size)}
}

// batch reads the items, computes those whose content the cache has not, and
// hands their rows over.
func (e *extraction) batch(ctx context.Context, b *batch, items []int) error {
	b.items, b.images = b.items[:0], b.images[:0]
	for _, i := range items {
		if data := e.read(i); data != nil {
			b.items, b.images = append(b.items, i), append(b.images, data)
		}
	}
	n := len(b.images)
	if err := e.compute(ctx, b, n); err != nil {
		return err
	}
	defer e.turn.RUnlock()
	start := time.Now()
	for k, i := range b.items {
		it := &e.ds.Items[i]
		if b.errs[k] != nil {
			e.fail(i, b.errs[k], true)
			continue
		}
		if err := e.w.Put(e.space.ID, it.Hash, b.rows[k*extract.Dim:(k+1)*extract.Dim]); err != nil {
			return err
		}
		e.mu.Lock()
		e.found[i] = true
		e.sum.Computed++
		delete(e.bad, it.Hash)
		e.mu.Unlock()
	}
	e.writeNanos.Add(int64(time.Since(start)))
	clear(b.images) // let go of the files
	e.progress.Add(len(items))
	return e.keepNow()
}

// read returns the bytes of item i if its feature must be computed; otherwise it
// has settled the item. It notes the item's content hash.
func (e *extraction) read(i int) []byte {
	it := &e.ds.Items[i]
	start := time.Now()
	data, stat, err := readImage(e.ds.File(it))
	e.readNanos.Add(int64(time.Since(start)))
	if err != nil {
		e.fail(i, err, false)
		return nil
	}
	e.opened.Add(1)
	e.bytes.Add(int64(len(data)))
	hashing := time.Now()
	hash := cache.Key(sha256.Sum256(data))
	e.hashNanos.Add(int64(time.Since(hashing)))

	e.mu.Lock()
	it.Hash, it.Stat = hash, trusted(stat, start)
	reason, known := e.bad[hash]
	known = known && !e.opts.Extract.RetryFailed
	hit := e.cache.Has(e.space.ID, hash)
	if hit {
		e.found[i] = true
		e.sum.Hits++
	}
	if known && !hit {
		e.tried[e.ds.Display(it)] = reason
		e.sum.KnownBad++
	}
	e.mu.Unlock()
	if hit || known {
		return nil
	}
	return data
}

// maxFileBytes bounds what a worker reads of one file.
const maxFileBytes = 1 << 30

// readImage reads a whole file and its stat as of before the first byte.
func readImage(path string) ([]byte, fileStat, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileStat{}, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, fileStat{}, err
	}
	if fi.Size() > maxFileBytes {
		return nil, fileStat{}, fmt.Errorf("%w: the file has %d bytes, %d are the limit", extract.ErrImageTooLarge, fi.Size(), maxFileBytes)
	}
	if !fi.Mode().IsRegular() { // a pipe, whose size nobody knows
		data, err := io.ReadAll(io.LimitReader(f, maxFileBytes))
		return data, fileStat{}, err
	}
	data := make([]byte, fi.Size())
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it shrank; what is there now is the image
	}
	return data[:n], statOf(fi), err
}

// fail quarantines item i. A reason that lies in its content is remembered.
func (e *extraction) fail(i int, reason error, content bool) {
	it := &e.ds.Items[i]
	reason = pathless(reason)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tried[e.ds.Display(it)] = reason.Error()
	if content {
		e.bad[it.Hash] = reason.Error()
	}
}

// keepEvery is how often what was learned of files is committed while extraction
// goes on; losing it costs hashing the files again, not their features.
const keepEvery = 10 * time.Second

// keepNow keeps the dataset if it is time.
func (e *extraction) keepNow() error {
	e.mu.Lock()
	due := time.Now().After(e.keepAfter)
	if due {
		e.keepAfter = time.Now().Add(time.Hour) // until this one is done
	}
	e.mu.Unlock()
	if !due {
		return nil
	}
	start := time.Now()
	err := e.keep()
	e.mu.Lock()
	e.keepAfter = time.Now().Add(max(keepEvery, 50*time.Since(start)))
	e.mu.Unlock()
	return err
}

// keep hands the dataset, as far as it is known, and the bad contents to the
// writer.
func (e *extraction) keep() error {
	e.mu.Lock()
	ds, err := e.ds.encode()
	var bad []byte
	if err == nil {
		bad, err = e.bad.encode()
	}
	nBad := len(e.bad)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if err := e.w.PutDoc(e.prefix+e.ds.Name, ds); err != nil {
		return err
	}
	if nBad == 0 {
		bad = nil
	}
	return e.w.PutDoc(failuresDoc(e.space.ID), bad)
}

// gateDoc remembers which engines have agreed with the reference.
const gateDoc = "gate"

// gate lets an engine that this cache has not seen compute a test image beside the
// reference before it may write.
func (e *extraction) gate(ctx context.Context) error {
	key, err := e.x.GateKey()
	if err != nil {
		return err
	}
	if e.passed == nil {
		if e.passed, err = loadVerdicts(e.cache); err != nil {
			return err
		}
	}
	if _, ok := e.passed[key]; ok {
		return nil
	}
	v, err := e.x.Gate(ctx)
	if err != nil {
		return err
	}
	e.passed[v.Key] = v
	return putVerdicts(e.w, e.passed)
}

// pathless drops the path from an error of the file system, where it stands
// beside the message already.
func pathless(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
