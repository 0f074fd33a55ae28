package resnet

import (
	"runtime"
	"sync/atomic"
)

// team is a set of goroutines that share out the items of one task after another.
// Which goroutine takes which item is left to chance, so the items of a task must not
// depend on one another. The caller works too, and does not wait for a goroutine that
// has not begun.
type team struct {
	workers []*worker // without the caller
	fn      func(worker, item int)
	state   atomic.Uint64 // the task's number << 32 | its items << 16 | items taken
	left    atomic.Int64  // items not finished
	closed  atomic.Bool
}

// worker sleeps when there is no task for a while.
type worker struct {
	asleep atomic.Bool
	wake   chan struct{}
}

// newTeam returns a team of size goroutines, the caller included.
func newTeam(size int) *team {
	t := &team{}
	for i := range max(0, size-1) {
		w := &worker{wake: make(chan struct{}, 1)}
		t.workers = append(t.workers, w)
		go t.work(w, i+1)
	}
	return t
}

// size is the number of workers, the caller included.
func (t *team) size() int { return len(t.workers) + 1 }

// run calls fn(worker, item) for each item and returns when all calls have. The
// caller is worker 0.
func (t *team) run(items int, fn func(worker, item int)) {
	if items == 1 || t.size() == 1 {
		for i := range items {
			fn(0, i)
		}
		return
	}
	t.fn = fn // no goroutine reads it now: every item of the task before is finished
	t.left.Store(int64(items))
	t.state.Store((t.state.Load()>>32+1)<<32 | uint64(items)<<16)
	t.rouse()
	t.take(0)
	for i := 1; t.left.Load() > 0; i++ {
		if i%spins == 0 {
			runtime.Gosched()
		}
	}
}

// spins is how often a worker looks for a task before it offers the processor to
// others.
const spins = 256

// patience is how many such rounds, some 100 µs, pass before a worker sleeps: the steps
// of an image follow one another faster than a sleeping worker wakes up.
const patience = 200

func (t *team) rouse() {
	for _, w := range t.workers {
		if w.asleep.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
}

// take does items until all of the task are taken.
func (t *team) take(worker int) {
	for {
		s := t.state.Load()
		item, items := s&0xffff, s>>16&0xffff
		if item >= items {
			return
		}
		if t.state.CompareAndSwap(s, s+1) {
			t.fn(worker, int(item))
			t.left.Add(-1)
		}
	}
}

func (t *team) work(w *worker, number int) {
	for !t.closed.Load() {
		seen := t.state.Load()
		t.take(number)
		if t.poll(seen) {
			continue
		}
		w.asleep.Store(true)
		if t.state.Load() != seen || t.closed.Load() {
			if w.asleep.CompareAndSwap(true, false) {
				continue
			}
		}
		<-w.wake
	}
}

// poll looks for a change for a while and reports whether it came.
func (t *team) poll(seen uint64) bool {
	for range patience {
		for range spins {
			if t.state.Load() != seen {
				return true
			}
		}
		runtime.Gosched()
	}
	return false
}

// close ends the goroutines. No task may be running.
func (t *team) close() {
	t.closed.Store(true)
	t.rouse()
}
