// Package team shares out the items of small tasks among goroutines that stay
// awake between them.
package team

import (
	"runtime"
	"sync/atomic"
)

// Team is a set of goroutines that share out the items of one task after
// another, without an allocation, a lock or, as a rule, a sleep a task. Each
// worker has a share of its own, the same one in tasks of as many items and
// workers, so that what it works on stays in its core's cache; whoever is done
// with that takes from the others. Who takes which item is thus left to chance,
// so a task's items must not depend on one another.
//
// The caller works too and never waits for a worker that has not woken up: on
// a busy machine that would take longer than the work itself.
type Team struct {
	size int // the caller included

	_     [CacheLine]byte
	state atomic.Uint64 // of the task: see below
	_     [CacheLine]byte

	task    task
	next    []counter     // the first item of each share that nobody has taken
	waiting atomic.Bool   // the caller sleeps until active falls to 0
	idle    chan struct{} // wakes it
	beds    []bed         // of the workers but the caller
}

type task struct {
	workers, items int
	fn             func(worker, item int)
}

// CacheLine is the size of what two cores must not write to at once.
const CacheLine = 64

type counter struct {
	atomic.Int64
	_ [CacheLine - 8]byte
}

// bed is where a worker sleeps.
type bed struct {
	asleep atomic.Bool
	wake   chan struct{}
	_      [CacheLine - 16]byte
}

// The state is a number of the task, how many workers may work on it, whether it
// is open, i.e. they may still join, and how many but the caller have.
const (
	activeBits  = 0xffff
	openBit     = 1 << 16
	workersAt   = 17
	workersBits = 0x7fff
	numberAt    = 32
	closedState = 1<<64 - 1 // the team is closed
)

// New starts a team of so many goroutines, of which the caller is one. It must be
// closed.
func New(size int) *Team {
	size = min(size, workersBits)
	t := &Team{size: size, next: make([]counter, size), idle: make(chan struct{}, 1), beds: make([]bed, size-1)}
	for i := range t.beds {
		t.beds[i].wake = make(chan struct{}, 1)
		go t.work(i + 1)
	}
	return t
}

// share returns the items of a task that are a worker's own.
func (t task) share(worker int) (lo, hi int) {
	return worker * t.items / t.workers, (worker + 1) * t.items / t.workers
}

// Size returns the number of goroutines, the caller included.
func (t *Team) Size() int { return t.size }

// Share returns the items of the task at hand that are a worker's own.
func (t *Team) Share(worker int) (lo, hi int) { return t.task.share(worker) }

// Run calls fn(worker, item) for each item under items, on up to `workers`
// goroutines at once, and returns when all calls have. The caller is worker 0.
func (t *Team) Run(workers, items int, fn func(worker, item int)) {
	t.task = task{max(1, min(workers, items, t.size)), items, fn}
	if t.task.workers == 1 {
		for item := range items {
			fn(0, item)
		}
		return
	}
	for w := range t.task.workers {
		lo, _ := t.task.share(w)
		t.next[w].Store(int64(lo))
	}
	number := t.state.Load()>>numberAt + 1
	t.state.Store(number<<numberAt | uint64(t.task.workers)<<workersAt | openBit)
	for i := range t.beds[:t.task.workers-1] {
		if b := &t.beds[i]; b.asleep.Load() && b.asleep.CompareAndSwap(true, false) {
			b.wake <- struct{}{}
		}
	}
	t.take(0)
	t.state.And(^uint64(openBit))
	t.wait()
}

// polls is how often to look before going to sleep, some 50 µs: the tasks of a
// batch follow one another faster than a sleeper wakes up.
const polls = 50_000

// wait returns when no worker is active. None can join any more.
func (t *Team) wait() {
	for i := range polls {
		if t.state.Load()&activeBits == 0 {
			return
		}
		if i%1024 == 1023 {
			runtime.Gosched()
		}
	}
	t.waiting.Store(true)
	if t.state.Load()&activeBits > 0 || !t.waiting.CompareAndSwap(true, false) {
		<-t.idle
	}
}

// take does what is left of the task, a worker's own share first.
func (t *Team) take(worker int) {
	for i := range t.task.workers {
		share := (worker + i) % t.task.workers
		_, end := t.task.share(share)
		for {
			item := int(t.next[share].Add(1)) - 1
			if item >= end {
				break
			}
			t.task.fn(worker, item)
		}
	}
}

func (t *Team) work(worker int) {
	last := uint64(0)
	for {
		s := t.await(worker, last)
		if s == closedState {
			return
		}
		// As active as it was seen, or someone else joined or left.
		if t.state.CompareAndSwap(s, s+1) {
			last = s >> numberAt
			t.take(worker)
			t.leave()
		}
	}
}

// await returns the state when there is a task for the worker that is not the
// last it had, or the team is closed.
func (t *Team) await(worker int, last uint64) uint64 {
	b := &t.beds[worker-1]
	for {
		for i := range polls {
			if s := t.state.Load(); calls(s, worker, last) {
				return s
			}
			if i%1024 == 1023 {
				runtime.Gosched()
			}
		}
		b.asleep.Store(true)
		if s := t.state.Load(); calls(s, worker, last) && b.asleep.CompareAndSwap(true, false) {
			return s
		}
		<-b.wake
	}
}

// calls reports whether the state is one for the worker to act on.
func calls(s uint64, worker int, last uint64) bool {
	return s == closedState || s&openBit != 0 && s>>numberAt != last && worker < int(s>>workersAt&workersBits)
}

func (t *Team) leave() {
	if t.state.Add(^uint64(0))&activeBits == 0 && t.waiting.CompareAndSwap(true, false) {
		t.idle <- struct{}{}
	}
}

// Close ends the goroutines. No task may be running.
func (t *Team) Close() {
	t.state.Store(closedState)
	for i := range t.beds {
		close(t.beds[i].wake)
	}
}
