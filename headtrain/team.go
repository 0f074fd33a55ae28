package headtrain

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// team is a set of goroutines that share out the items of one task after
// another, without an allocation a task. Who takes which item is left to
// chance, so a task's items must not depend on one another.
//
// The caller works too and never waits for a worker that has not woken up: on
// a busy machine that would take longer than the work itself.
type team struct {
	size int // the caller included
	wake []chan struct{}
	next atomic.Int64 // the first item that nobody has taken

	mu     sync.Mutex
	idle   sync.Cond    // signalled when active falls to 0
	open   bool         // workers may join
	active atomic.Int32 // workers that have joined; written under mu
	task   task
}

type task struct {
	items int
	fn    func(worker, item int)
}

func newTeam(size int) *team {
	t := &team{size: size, wake: make([]chan struct{}, size-1)}
	t.idle.L = &t.mu
	for i := range t.wake {
		t.wake[i] = make(chan struct{}, 1)
		go t.work(i + 1)
	}
	return t
}

// run calls fn(worker, item) for each item under items, on up to `workers`
// goroutines at once, and returns when all calls have. The caller is worker 0.
func (t *team) run(workers, items int, fn func(worker, item int)) {
	job := task{items, fn}
	helpers := t.wake[:max(0, min(workers, items, t.size)-1)]
	t.mu.Lock()
	t.task, t.open = job, len(helpers) > 0
	t.next.Store(0)
	t.mu.Unlock()
	for _, wake := range helpers {
		select {
		case wake <- struct{}{}:
		default: // has yet to wake up from an earlier call
		}
	}
	t.take(job, 0)
	t.mu.Lock()
	t.open = false
	t.mu.Unlock()
	t.wait()
}

// polls is how often to look before going to sleep, some 50 µs: the tasks of a
// batch follow one another faster than a sleeper wakes up.
const polls = 20_000

// poll calls ready until it says so, or gives up.
func poll(ready func() bool) bool {
	for i := range polls {
		if ready() {
			return true
		}
		if i%256 == 255 {
			runtime.Gosched()
		}
	}
	return false
}

// wait returns when no worker is active. None can join any more.
func (t *team) wait() {
	if poll(func() bool { return t.active.Load() == 0 }) {
		return
	}
	t.mu.Lock()
	for t.active.Load() > 0 {
		t.idle.Wait()
	}
	t.mu.Unlock()
}

func (t *team) take(job task, worker int) {
	for {
		item := int(t.next.Add(1)) - 1
		if item >= job.items {
			return
		}
		job.fn(worker, item)
	}
}

func (t *team) work(worker int) {
	wake := t.wake[worker-1]
	for awake(wake) {
		t.mu.Lock()
		job, joined := t.task, t.open
		if joined {
			t.active.Add(1)
		}
		t.mu.Unlock()
		if joined {
			t.take(job, worker)
			t.leave()
		}
	}
}

// awake returns true when the worker is wanted and false when the team closes.
func awake(wake <-chan struct{}) (wanted bool) {
	polled := poll(func() bool {
		select {
		case _, wanted = <-wake:
			return true
		default:
			return false
		}
	})
	if !polled {
		_, wanted = <-wake
	}
	return wanted
}

func (t *team) leave() {
	t.mu.Lock()
	if t.active.Add(-1) == 0 {
		t.idle.Signal()
	}
	t.mu.Unlock()
}

func (t *team) close() {
	for _, wake := range t.wake {
		close(wake)
	}
}
