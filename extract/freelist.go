package extract

import "sync"

// freeList keeps values that are costly to make for the next caller. Unlike
// sync.Pool it never lets one go: an arena is as large as a garbage collection
// would like to have it, and is needed again at once.
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
