package features

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Workers never hold more than the budget together, and all of them come to their end.
func TestABudgetIsNeverExceeded(t *testing.T) {
	const total, workers = 100, 8
	b := newBudget(total)
	var held, most atomic.Int64
	add := func(n int64) {
		now := held.Add(n)
		for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			l := &loan{of: b}
			for i := range int64(200) {
				for need := (i*7 + int64(w)*13) % 150; ; { // some are more than there is
					if err := l.exchange(context.Background(), need/3); err != nil {
						t.Error(err)
					}
					first := l.bytes
					add(first)
					if need > total || l.grow(need) {
						add(l.bytes - first)
						add(-l.bytes)
						break
					}
					add(-first)
					if err := l.exchange(context.Background(), need); err != nil {
						t.Error(err)
					}
					add(l.bytes)
					add(-l.bytes)
					break
				}
				l.release()
			}
		})
	}
	wg.Wait()
	if most.Load() > total || most.Load() < total/2 {
		t.Errorf("%d of %d bytes were held at once", most.Load(), total)
	}
	if !b.left.TryAcquire(total) {
		t.Error("some are not given back")
	}
}

func TestWaitingForMemoryEndsWithTheContext(t *testing.T) {
	b := newBudget(10)
	mine, other := &loan{of: b}, &loan{of: b}
	if err := other.exchange(context.Background(), 10); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := mine.exchange(ctx, 1); err == nil || mine.bytes != 0 {
		t.Errorf("%v, holds %d", err, mine.bytes)
	}
	other.release()
	if !b.left.TryAcquire(10) {
		t.Error("some are not given back")
	}
}
