package features

import (
	"context"
	"errors"
	"sync"
	"time"

	"icebox/pipeline/dataset"
)

// ahead fetches files of buckets before workers want them, so that these wait for no answer.
// Its memory is its own: files that have no room in it are left to the workers.
type ahead struct {
	fetch  func(ctx context.Context, i int, reserve func(int64) error) fetched
	memory *budget
	places chan struct{} // one is taken for each file that is on its way, or waits for its worker

	mu    sync.Mutex
	files map[int]chan fetched // by item
}

// fetched is what came of reading a file.
type fetched struct {
	data  []byte
	stat  dataset.Stat
	began time.Time // the file was as it is at that time
	err   error
	loan  *loan // of the memory that data takes, which the receiver gives back; nil where the receiver has its own
}

// errNoRoom is the error of a file that is left to its worker.
var errNoRoom = errors.New("no room to read it ahead")

// mostAhead is how many files are fetched at once, or wait, at most: the connections that are
// kept to one store.
const mostAhead = 256

// newAhead prepares to fetch for workers that take so many items at a time. There is a place
// for each item that workers hold, so that a slow one keeps no place that another waits for,
// and for 16 more on their way for each: one computes 300 images/s where an answer takes 50 ms.
func newAhead(workers, size int, memory *budget, fetch func(context.Context, int, func(int64) error) fetched) *ahead {
	return &ahead{
		fetch: fetch, memory: memory,
		places: make(chan struct{}, max(workers*size, min(workers*(size+16), mostAhead))),
		files:  map[int]chan fetched{},
	}
}

// of is where what came of item i is put, and taken from.
func (a *ahead) of(i int) chan fetched {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.files[i]
	if c == nil {
		c = make(chan fetched, 1)
		a.files[i] = c
	}
	return c
}

// run fetches those items that are far in their order until ctx ends, and returns when nothing
// is on its way.
func (a *ahead) run(ctx context.Context, items []int, far func(i int) bool) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, i := range items {
		if !far(i) {
			continue
		}
		select {
		case a.places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		to := a.of(i)
		all.Go(func() { to <- a.one(ctx, i) })
	}
}

// one fetches item i.
func (a *ahead) one(ctx context.Context, i int) fetched {
	l := &loan{of: a.memory}
	f := a.fetch(ctx, i, func(size int64) error {
		if !l.grow(size) {
			return errNoRoom
		}
		return nil
	})
	f.loan = l
	return f
}

// take waits for item i, which is one of those that run fetches. Each is taken once, and in
// about their order.
func (a *ahead) take(ctx context.Context, i int) fetched {
	select {
	case f := <-a.of(i):
		a.mu.Lock()
		delete(a.files, i)
		a.mu.Unlock()
		<-a.places
		return f
	case <-ctx.Done():
		return fetched{err: ctx.Err()}
	}
}
