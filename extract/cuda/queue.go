//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"runtime"
	"sync"

	"icebox/extract"
)

// load is a batch under way: which images of which callers a lane holds.
type load struct {
	*lane
	used    int // images promised a place
	filling int // callers that still copy theirs in
	reading int // callers that have yet to read their rows
	ready   chan struct{}
	err     error
}

// queue hands lanes from callers to the device and back.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	size    int
	free    []*lane
	open    *load // takes images
	flying  int   // loads that the device has
	ending  bool
	broken  error // the device failed: every later call does
	waiting int   // images with callers, for choosing a device
}

func (q *queue) init(size int) { q.size, q.changed = size, sync.NewCond(&q.mu) }

// reserve gives a caller up to n places of a load, from the one returned on.
func (q *queue) reserve(n int) (l *load, from, places int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.broken != nil {
			return nil, 0, 0, q.broken
		}
		if q.open == nil && len(q.free) > 0 {
			last := len(q.free) - 1
			q.open, q.free = &load{lane: q.free[last], ready: make(chan struct{})}, q.free[:last]
		}
		if q.open != nil && q.open.used < q.size {
			break
		}
		q.changed.Wait()
	}
	l, from = q.open, q.open.used
	places = min(n, q.size-from)
	l.used += places
	l.filling++
	l.reading++
	q.waiting += places
	return l, from, places, nil
}

// filled says that a caller's images are in place.
func (q *queue) filled(l *load) {
	q.mu.Lock()
	l.filling--
	q.mu.Unlock()
	q.changed.Broadcast()
}

// release says that a caller has read its rows.
func (q *queue) release(l *load, places int) {
	q.mu.Lock()
	q.waiting -= places
	if l.reading--; l.reading == 0 {
		q.free = append(q.free, l.lane)
	}
	q.mu.Unlock()
	q.changed.Broadcast()
}

// next waits for a load worth launching: a full one, or what there is when the
// device has nothing to do. It returns nil when there will be no more.
func (q *queue) next() *load {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		l := q.open
		if l != nil && l.used > 0 && l.filling == 0 && (l.used == q.size || q.flying == 0) {
			q.open = nil
			q.flying++
			q.changed.Broadcast() // another lane may open
			return l
		}
		if q.ending {
			return nil
		}
		q.changed.Wait()
	}
}

// landed ends a load's flight. After a failure every later one reports the first.
func (q *queue) landed(l *load, err error) {
	q.mu.Lock()
	q.flying--
	if err != nil && q.broken == nil {
		q.broken = err
	}
	if err != nil {
		l.err = q.broken
	}
	q.mu.Unlock()
	close(l.ready)
	q.changed.Broadcast()
}

// failure is why the device is broken, nil if it is not.
func (q *queue) failure() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.broken
}

// drain waits until no caller of a broken device holds a place.
func (q *queue) drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.waiting > 0 {
		q.changed.Wait()
	}
}

func (q *queue) end() {
	q.mu.Lock()
	q.ending = true
	q.mu.Unlock()
	q.changed.Broadcast()
}

func (q *queue) load() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// serve launches loads until the queue ends. It is on the device's thread.
func (d *device) serve() {
	for l := d.next(); l != nil; l = d.next() {
		err := d.failure() // after a failure nothing more is tried
		if err == nil {
			err = d.named(d.launch(l.lane, l.used))
		}
		if err != nil {
			d.landed(l, err)
			continue
		}
		d.launched <- l
	}
}

// wait lands what was launched, in order.
func (d *device) wait(done chan<- struct{}) {
	runtime.LockOSThread()
	defer close(done)
	current := d.driver.check("cuCtxSetCurrent", d.driver.ctxSetCurrent(d.ctx))
	for l := range d.launched {
		err := current
		if err == nil {
			err = d.driver.check("cuEventSynchronize of a batch", d.driver.eventSynchronize(l.done))
		}
		d.landed(l, d.named(err))
	}
}

func (d *device) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s (cuda:%d): %w", d.name, d.ordinal, err)
}

// forward puts up to n images on their way and returns how many. collect waits for
// their features and must be called. Both fail only if the device has failed.
func (d *device) forward(features []float32, pixels []uint8, n int) (taken int, collect func() error, err error) {
	l, from, places, err := d.reserve(n)
	if err != nil {
		return 0, nil, err
	}
	copy(l.slot(from, places), pixels)
	d.filled(l)
	return places, func() error {
		<-l.ready
		if l.err == nil {
			d.read(l.lane, from, features[:places*extract.Dim])
		}
		d.release(l, places)
		return l.err
	}, nil
}
