package features

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// budget is memory that workers share out among themselves. Each takes what reading and
// decoding an image needs, and waits for the others where too little is left.
type budget struct {
	total int64
	left  *semaphore.Weighted
}

func newBudget(total int64) *budget { return &budget{total, semaphore.NewWeighted(total)} }

// loan is a part of a budget. A worker has one at a time, so that none waits for another
// that waits for it.
type loan struct {
	of    *budget
	bytes int64
	file  *loan // for a file that was read ahead, of a budget that nobody waits for; nil where there is none
}

// grow makes a loan n bytes, if that is possible without waiting.
func (l *loan) grow(n int64) bool {
	more := n - l.bytes
	if more > 0 && !l.of.left.TryAcquire(more) {
		return false
	}
	l.bytes += max(more, 0)
	return true
}

// exchange gives the loan back, and waits for one of n bytes. The caller has let go of what
// it used the loan for.
func (l *loan) exchange(ctx context.Context, n int64) error {
	l.release()
	n = min(n, l.of.total)
	if err := l.of.left.Acquire(ctx, n); err != nil {
		return err
	}
	l.bytes = n
	return nil
}

func (l *loan) release() {
	l.of.left.Release(l.bytes)
	l.bytes = 0
	if l.file != nil {
		l.file.release()
		l.file = nil
	}
}
