// Package parallel spreads independent work over all processors.
package parallel

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"icebox/headtrain/internal/faults"
)

// Each calls f for every i under n, on as many goroutines as GOMAXPROCS says,
// and returns the first error. The context of f ends with that error. A call
// that has not begun when ctx ends is left out.
func Each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	return EachOn(ctx, runtime.GOMAXPROCS(0), n, f)
}

// EachOn is Each on some number of goroutines. A fault of one of them is raised on this one,
// once all have ended; see package faults.
func EachOn(ctx context.Context, goroutines, n int, f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(goroutines)
	var caught faults.Catcher
	caught.Begin()
	for i := range n {
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			caught.Do(func() { err = f(ctx, i) })
			return err
		})
	}
	err := group.Wait()
	caught.Raise()
	return err
}

// Shares is Each over the ranges lo to hi that n is cut into: size long, the
// last one perhaps shorter.
func Shares(ctx context.Context, n, size int, f func(ctx context.Context, lo, hi int) error) error {
	return Each(ctx, (n+size-1)/size, func(ctx context.Context, i int) error {
		return f(ctx, i*size, min((i+1)*size, n))
	})
}
