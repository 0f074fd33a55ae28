package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestSharesCoverEachPlaceOnce(t *testing.T) {
	for n := range 50 {
		for _, size := range []int{1, 7, 100} {
			seen := make([]atomic.Int32, n)
			err := Shares(t.Context(), n, size, func(_ context.Context, lo, hi int) error {
				if hi-lo > size || hi <= lo {
					t.Errorf("a share from %d to %d", lo, hi)
				}
				for i := lo; i < hi; i++ {
					seen[i].Add(1)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range seen {
				if c := seen[i].Load(); c != 1 {
					t.Fatalf("%d by %d: place %d was visited %d times", n, size, i, c)
				}
			}
		}
	}
}

func TestFirstErrorStopsTheRest(t *testing.T) {
	fault := errors.New("fault")
	var calls atomic.Int32
	err := Each(t.Context(), 100_000, func(context.Context, int) error {
		calls.Add(1)
		return fault
	})
	if !errors.Is(err, fault) || calls.Load() == 100_000 {
		t.Errorf("%d calls, error %v", calls.Load(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls.Store(0)
	if err := Each(ctx, 10, func(context.Context, int) error { calls.Add(1); return nil }); !errors.Is(err, context.Canceled) || calls.Load() > 0 {
		t.Errorf("%d calls after the end, error %v", calls.Load(), err)
	}
}
