package features

import "sync"

// queue hands items out to workers, size at a time.
type queue struct {
	mu            sync.Mutex
	items         []int
	size, workers int
}

// take returns the next items. What is left for the last round is shared out
// evenly.
func (q *queue) take() []int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if left := len(q.items); left <= q.size*q.workers {
		q.size, q.workers = (left+q.workers-1)/q.workers, 1
	}
	n := min(q.size, len(q.items))
	taken := q.items[:n]
	q.items = q.items[n:]
	return taken
}
