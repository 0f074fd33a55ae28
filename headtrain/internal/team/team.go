// Package team shares out the items of small tasks among goroutines that stay awake
// from one task to the next.
package team

import (
	"runtime"
	"sync/atomic"

	"icebox/headtrain/internal/faults"
)

// Team is a set of goroutines that share out the items of one task after another. A
// task takes no allocation, no lock and, as a rule, no sleep. Each worker has a share
// of its own, which is the same in all tasks of as many items and workers, so that what
// it works on stays in the cache of its core. A worker that is done with its share
// takes items of the others. So it depends on chance who does which item, and the items
// of a task must not depend on one another.
//
// The caller is one of the workers. It never waits for a worker that has not woken up:
// on a busy machine that would take longer than the work itself.
type Team struct {
	size int // the caller included

	_     [CacheLine]byte
	state atomic.Uint64 // of the task: see activeBits
	_     [CacheLine]byte

	task    task
	next    []counter     // the first item of each share that nobody has taken
	waiting atomic.Bool   // the caller sleeps until no worker is active
	idle    chan struct{} // wakes the caller
	beds    []bed         // of the other workers
	faults  faults.Catcher
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

// The state of a task is its number, how many workers may work on it, whether they may
// still join, and how many other than the caller are active.
const (
	activeBits  = 0xffff
	openBit     = 1 << 16
	workersAt   = 17
	workersBits = 0x7fff
	numberAt    = 32
	closedState = 1<<64 - 1 // the team is closed
)

// New starts a team of size goroutines, one of which is the caller. The team must be
// closed. A fault of a worker is raised on the caller, if it has faults panic when it
// calls New; see package faults.
func New(size int) *Team {
	size = min(size, workersBits)
	t := &Team{size: size, next: make([]counter, size), idle: make(chan struct{}, 1), beds: make([]bed, size-1)}
	t.faults.Begin()
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

// Share returns the items of the current task that are a worker's own.
func (t *Team) Share(worker int) (lo, hi int) { return t.task.share(worker) }

// Run calls fn(worker, item) for each item from 0 to items-1, on up to workers
// goroutines at once, and returns when all calls have returned. The caller is worker 0.
// One task runs at a time.
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
	t.faults.Raise()
}

// polls is how often a goroutine looks before it goes to sleep, which takes some 50 µs.
// The tasks of a batch follow one another faster than a sleeper wakes up.
const polls = 50_000

// wait returns when no worker is active. It is called when none can join any more.
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

// take does items that are left of the task, those of the worker's own share first. A
// fault ends it.
func (t *Team) take(worker int) { t.faults.Do(func() { t.takeItems(worker) }) }

func (t *Team) takeItems(worker int) {
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
		// This fails if another worker joined or left since s was read.
		if t.state.CompareAndSwap(s, s+1) {
			last = s >> numberAt
			t.take(worker)
			t.leave()
		}
	}
}

// await returns the state as soon as there is a task for the worker other than its last
// one, or the team is closed.
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

// calls reports whether the worker has something to do in a state.
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
