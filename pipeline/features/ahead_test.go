package features

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Workers of any pace get each file once, those that find no room in memory excepted, and what
// they have taken is given back.
func TestFilesAreFetchedAhead(t *testing.T) {
	const workers, size, n = 3, 5, 400
	memory := newBudget(20)
	var most, now atomic.Int64
	a := newAhead(workers, size, memory, func(_ context.Context, i int, reserve func(int64) error) fetched {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		if err := reserve(1); err != nil {
			return fetched{err: err}
		}
		time.Sleep(time.Millisecond)
		return fetched{data: fmt.Append(nil, i)}
	})
	items := make([]int, n)
	for k := range items {
		items[k] = n - k // any order
	}
	far := func(i int) bool { return i%10 != 0 }
	q := queue{items: items, size: size, workers: workers}
	var all sync.WaitGroup
	all.Go(func() { a.run(t.Context(), items, far) })
	var here, later atomic.Int64
	for w := range workers {
		all.Go(func() {
			for taken := q.take(); len(taken) > 0; taken = q.take() {
				for _, i := range taken {
					if !far(i) {
						continue
					}
					if w == 0 {
						time.Sleep(5 * time.Millisecond)
					}
					f := a.take(t.Context(), i)
					switch {
					case errors.Is(f.err, errNoRoom):
						later.Add(1)
					case f.err != nil || string(f.data) != fmt.Sprint(i):
						t.Errorf("item %d: %q, %v", i, f.data, f.err)
					default:
						here.Add(1)
					}
					f.loan.release()
				}
			}
		})
	}
	all.Wait()
	if here.Load()+later.Load() != n*9/10 || here.Load() == 0 || later.Load() == 0 || len(a.files) != 0 || len(a.places) != 0 {
		t.Errorf("%d here, %d left to workers, %d and %d still kept", here.Load(), later.Load(), len(a.files), len(a.places))
	}
	if m := most.Load(); m < workers || m > workers*(size+16) {
		t.Errorf("%d at once", m)
	}
	if !memory.left.TryAcquire(memory.total) {
		t.Error("memory is not given back")
	}
}

// An end of the work ends those that fetch and those that wait.
func TestFetchingAheadIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := newAhead(1, 1, newBudget(1), func(ctx context.Context, _ int, _ func(int64) error) fetched {
		<-ctx.Done()
		return fetched{err: ctx.Err()}
	})
	var all sync.WaitGroup
	all.Go(func() { a.run(ctx, []int{3, 1, 2, 7}, func(int) bool { return true }) })
	all.Go(func() {
		if f := a.take(ctx, 7); !errors.Is(f.err, context.Canceled) {
			t.Errorf("%v", f.err)
		}
	})
	cancel()
	all.Wait()
}
