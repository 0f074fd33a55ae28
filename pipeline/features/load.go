package features

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/bucket"
	"icebox/pipeline/origin"
)

// collectFrom is the size of a loan after which the garbage is collected, which takes some
// milliseconds; to decode so large an image takes longer by far.
const collectFrom = 64 << 20

// errArchiveChanged is the error of an image whose place in an archive is not known any more.
var errArchiveChanged = errors.New("the archive has changed since its images were listed: run again")

// load reads item i and writes its crop, if its feature must be computed. ok is false where
// that is not needed, or not possible: the item is then quarantined. The error is that of
// ctx, or of a store that answers nobody.
//
// What the file and its decoding take comes from the budget. Where the others leave too
// little, load lets go of the file, waits, and reads it again: who waits holds nothing.
func (e *extraction) load(ctx context.Context, i int, crop []uint8) (t extract.Traits, ok bool, err error) {
	l := &loan{of: e.memory}
	defer l.release()
	for need := int64(0); ; {
		data, err := e.read(ctx, i, l, need)
		if data == nil || !e.wanted(i) {
			return t, false, err
		}
		// Of an image that is bad, or takes more than there is, Preprocess says so.
		more, fault := e.backbone.Memory(data)
		if fault == nil && more > e.memory.total && more <= e.options.Memory {
			e.fail(i, fmt.Errorf("%w: it takes %d bytes of memory, and pages of parquet files, and files that are read ahead, leave %d", extract.ErrImageTooLarge, more, e.memory.total), false)
			return t, false, nil
		}
		if fault == nil && more <= e.memory.total && !l.grow(more) {
			need = more
			continue
		}
		t, fault = e.backbone.Preprocess(ctx, crop, data)
		if l.bytes >= collectFrom {
			runtime.GC() // what is given back must not lie about as garbage
		}
		if err := ctx.Err(); err != nil {
			return t, false, err
		}
		if fault != nil {
			e.fail(i, fault, true)
		}
		return t, fault == nil, nil
	}
}

// fetch reads the file of item i, of up to most bytes, into memory that it asks reserve for.
func (e *extraction) fetch(ctx context.Context, i int, most int64, reserve func(int64) error) (f fetched) {
	f.began = time.Now()
	f.data, f.stat, f.err = e.images.Read(ctx, origin.Of(e.inv.ds, &e.inv.ds.Items[i]), most, func(size int64) error {
		err := reserve(size)
		f.began = time.Now() // to wait is not to read
		return err
	})
	e.readNanos.Add(int64(time.Since(f.began)))
	return f
}

// read returns the bytes of item i, and notes their hash. It takes need bytes for them, or
// as many as they are, if that is more. Where they cannot be read it returns nil, and the
// item is quarantined. The error is that of ctx, or of a store that answers nobody.
func (e *extraction) read(ctx context.Context, i int, l *loan, need int64) ([]byte, error) {
	it := &e.inv.ds.Items[i]
	f := fetched{err: errNoRoom}
	if e.ahead != nil && need == 0 && e.inv.remote(i) {
		f = e.ahead.take(ctx, i)
		l.file = f.loan
	}
	if errors.Is(f.err, errNoRoom) {
		f = e.fetch(ctx, i, min(origin.MaxFileBytes, e.memory.total), func(size int64) error { return l.exchange(ctx, max(size, need)) })
	}
	data, stat, err := f.data, f.stat, f.err
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if errors.Is(err, bucket.ErrStore) || errors.Is(err, bucket.ErrDenied) {
		return nil, err // the images are not at fault, and the next would wait as long
	}
	archived := e.inv.ds.Archived(it)
	if err == nil && archived && it.Stat.Timed() && !it.Stat.SameFile(stat) {
		err = errArchiveChanged
	}
	if err != nil {
		e.fail(i, err, false)
		return nil, nil
	}
	if !e.inv.ds.Remote(it) { // what tells an object from another is no time
		stat = stat.Trusted(f.began)
	}
	if archived {
		stat.Size = it.Stat.Size
	}
	e.opened.Add(1)
	e.bytes.Add(int64(len(data)))
	hashing := time.Now()
	hash := cache.Key(sha256.Sum256(data))
	e.hashNanos.Add(int64(time.Since(hashing)))
	e.mu.Lock()
	it.Hash, it.Stat = hash, stat
	e.mu.Unlock()
	return data, nil
}

// wanted tells whether the feature of item i, whose hash is known, must be computed: the
// cache has none, and the content is not known to be bad.
func (e *extraction) wanted(i int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	it := &e.inv.ds.Items[i]
	if e.store.has(e.space.ID, it.Hash) {
		e.inv.found.Hits++
		return false
	}
	reason, known := e.inv.bad.known(it.Hash, e.options)
	if known && !e.options.RetryFailed {
		e.inv.tried[e.inv.ds.Display(it)] = reason
		e.inv.found.KnownBad++
		return false
	}
	return true
}

// fail quarantines item i. A reason that lies in its content is remembered.
func (e *extraction) fail(i int, reason error, content bool) {
	it := &e.inv.ds.Items[i]
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inv.tried[e.inv.ds.Display(it)] = reason.Error()
	if content {
		e.inv.bad.add(it.Hash, reason, e.options)
	}
}
