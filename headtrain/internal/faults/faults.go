// Package faults brings memory faults of workers to the goroutine that waits for them.
//
// Rows may lie in a mapped file. Whoever reads one that has been cut short gets a fault,
// which ends the process unless the goroutine has said debug.SetPanicOnFault. The one that
// asks for work can say so for itself alone, so its workers do as it does, and what they
// meet is raised once more where it waits for them.
package faults

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// Error is a fault, as the runtime panics with it.
type Error interface {
	runtime.Error
	Addr() uintptr // that could not be read
}

// Catcher catches the faults of workers.
type Catcher struct {
	on    bool // the faults of the goroutine that made it are panics
	found atomic.Pointer[Error]
}

// Begin has c catch faults of workers if those of this goroutine are panics.
func (c *Catcher) Begin() {
	c.on = debug.SetPanicOnFault(false)
	debug.SetPanicOnFault(c.on)
}

// Do calls f, on any goroutine. A fault ends f, and is kept for Raise.
func (c *Catcher) Do(f func()) {
	if !c.on {
		f()
		return
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			fault, ok := p.(Error)
			if !ok {
				panic(p)
			}
			c.found.CompareAndSwap(nil, &fault)
		}
	}()
	f()
}

// Raise panics with the first fault that was caught, if there was one. No worker may be at
// work any more.
func (c *Catcher) Raise() {
	if fault := c.found.Load(); fault != nil {
		panic(*fault)
	}
}
