package cache

import (
	"context"
	"time"
)

const (
	// tellAfter is how long a wait lasts before anybody is told of it.
	tellAfter = 2 * time.Second

	// lastWait is what is left of a wait once its context is done.
	lastWait = time.Second

	// lockPause is the time between two tries at a lock; bbolt's own.
	lockPause = 50 * time.Millisecond
)

// wait is one wait for other processes.
type wait struct {
	ctx   context.Context // ends it early; nil never does
	begin time.Time
	limit time.Duration // negative: none
	tell  func(why string)
	late  bool // the context was done before
}

func newWait(ctx context.Context, limit time.Duration, tell func(why string)) *wait {
	w := &wait{ctx: ctx, begin: time.Now(), limit: limit, tell: tell}
	if w.late = ctx != nil && ctx.Err() != nil; w.late && (limit < 0 || limit > lastWait) {
		w.limit = lastWait
	}
	return w
}

// over reports whether the wait is over, and the error of a context that ended it. A person
// is told, once, why a wait is long.
func (w *wait) over(why string) (bool, error) {
	if !w.late && w.ctx != nil && w.ctx.Err() != nil {
		return true, w.ctx.Err()
	}
	spent := time.Since(w.begin)
	if w.tell != nil && spent >= tellAfter {
		w.tell(why)
		w.tell = nil
	}
	return w.limit >= 0 && spent >= w.limit, nil
}
