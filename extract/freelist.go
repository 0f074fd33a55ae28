package extract

import "sync"

// freeList keeps values that are costly to make for the next caller. A sync.Pool
// may drop them at a garbage collection, which memory as large as an arena soon
// brings about, and the next call would have to make them again.
type freeList[T any] struct {
	make func() *T
	mu   sync.Mutex
	free []*T
}

func (l *freeList[T]) get() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		v := l.free[n-1]
		l.free = l.free[:n-1]
		return v
	}
	return l.make()
}

func (l *freeList[T]) put(v *T) {
	l.mu.Lock()
	l.free = append(l.free, v)
	l.mu.Unlock()
}
