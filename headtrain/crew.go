package headtrain

import (
	"cmp"
	"context"
	"sync/atomic"

	"icebox/headtrain/internal/parallel"
)

// crew is the threads that tasks which take long share, such as the paths of some parts:
// the fewer tasks are left, the more threads each of them may have.
type crew struct {
	threads int
	most    int          // tasks at once
	left    atomic.Int32 // tasks that are not done
}

// newCrew is for some tasks, of which room says how many the memory holds at once.
func newCrew(n, tasks, room int) *crew {
	c := &crew{threads: threads(n)}
	c.most = max(1, min(c.threads, tasks, room))
	c.left.Store(int32(tasks))
	return c
}

// now returns how many threads a task may have now.
func (c *crew) now() int { return max(1, c.threads/max(1, min(c.most, int(c.left.Load())))) }

// leave tells the crew that a task is done.
func (c *crew) leave() { c.left.Add(-1) }

// each does a task for each of some parts. Of several errors it returns the same one at all
// times.
func (c *crew) each(ctx context.Context, parts int, do func(part int) error) error {
	c.left.Store(int32(parts))
	errs := make([]error, parts)
	err := parallel.EachOn(ctx, c.most, parts, func(_ context.Context, part int) error {
		defer c.leave()
		errs[part] = do(part)
		return nil
	})
	return cmp.Or(append(errs, err)...)
}
