package features

import (
	"context"
	"crypto/sha256"
	"errors"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/extract"
)

// Space names the function from bytes to features, whose rows the computer brings.
func (c *Computer) Space() Space { return c.space }

// Embed fills x (len(images) × [extract.Dim]) with the features of encoded images: those that
// the cache has, and those that it computes and keeps. It returns how many it computed.
// errs[i] is what is wrong with image i, whose row is left as it was. The error is not one
// image's: that of ctx, of the engine or of the cache, and what was computed by then is kept.
func (c *Computer) Embed(ctx context.Context, images [][]byte, x []float32, errs []error) (computed int, err error) {
	if c.store.c != nil {
		if err := c.store.c.Refresh(); err != nil {
			return 0, err
		}
	}
	keys := hashAll(images)
	first := map[cache.Key]int{} // the first image of a content
	var todo []int
	for i, k := range keys {
		if _, ok := first[k]; !ok {
			first[k] = i
			if !c.store.has(c.space.ID, k) {
				todo = append(todo, i)
			}
		}
	}
	clear(errs)
	if computed, err = c.embed(ctx, images, keys, todo, errs); err != nil {
		return computed, err
	}
	var there []int
	var wanted []cache.Key
	for i, k := range keys {
		if errs[i] = errs[first[k]]; errs[i] == nil {
			there, wanted = append(there, i), append(wanted, k)
		}
	}
	if len(there) == 0 {
		return computed, nil
	}
	rows := make([]float32, len(there)*extract.Dim)
	if err := c.store.lookUp(c.space.ID, wanted, rows); err != nil {
		return computed, err
	}
	for n, i := range there {
		copy(x[i*extract.Dim:(i+1)*extract.Dim], rows[n*extract.Dim:])
	}
	return computed, nil
}

// hashAll is the SHA-256 of each image.
func hashAll(images [][]byte) []cache.Key {
	keys := make([]cache.Key, len(images))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range images {
		g.Go(func() error {
			keys[i] = sha256.Sum256(images[i])
			return nil
		})
	}
	_ = g.Wait() // none has an error
	return keys
}

// embed computes the images of todo and commits their rows.
func (c *Computer) embed(ctx context.Context, images [][]byte, keys []cache.Key, todo []int, errs []error) (computed int, err error) {
	if len(todo) == 0 {
		return 0, nil
	}
	w, err := c.store.writer()
	if err != nil {
		return 0, err
	}
	e := &extraction{Computer: c, w: w, looks: openMeasuring(c.store, c.space.ID)}
	if err = e.open(ctx); err == nil {
		computed, err = e.embed(ctx, images, keys, todo, errs)
	}
	c.store.added += computed
	return computed, errors.Join(err, w.Close(), c.store.c.Refresh())
}

func (e *extraction) embed(ctx context.Context, images [][]byte, keys []cache.Key, todo []int, errs []error) (computed int, err error) {
	var mu sync.Mutex
	q := queue{items: todo, size: e.options.BatchSize, workers: runtime.GOMAXPROCS(0)}
	g, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		g.Go(func() error {
			b := newBatch(e.options.BatchSize)
			for items := q.take(); len(items) > 0; items = q.take() {
				if err := e.embedBatch(ctx, b, images, keys, items, errs); err != nil {
					return err
				}
				mu.Lock()
				computed += len(b.items)
				mu.Unlock()
			}
			return nil
		})
	}
	err = g.Wait()
	return computed, err
}

// embedBatch computes some images and hands their rows over.
func (e *extraction) embedBatch(ctx context.Context, b *batch, images [][]byte, keys []cache.Key, items []int, errs []error) error {
	b.items, b.keys, b.traits = b.items[:0], b.keys[:0], b.traits[:0]
	for _, i := range items {
		traits, fault := e.backbone.Preprocess(ctx, b.crop(), images[i])
		if err := ctx.Err(); err != nil {
			return err
		}
		if errs[i] = fault; fault == nil {
			b.items, b.keys, b.traits = append(b.items, i), append(b.keys, keys[i]), append(b.traits, traits)
		}
	}
	if len(b.items) == 0 {
		return nil
	}
	if err := e.compute(ctx, b, len(b.items)); err != nil {
		return err
	}
	defer e.turn.RUnlock()
	if err := e.looks.put(e.w, b.keys, b.traits); err != nil {
		return err
	}
	for n, k := range b.keys {
		if err := e.w.Put(e.space.ID, k, b.rows[n*extract.Dim:(n+1)*extract.Dim]); err != nil {
			return err
		}
	}
	return nil
}
