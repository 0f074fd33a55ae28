package pictures

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say which pictures to draw, and where.
type Options struct {
	Dir      string // made if need be; one seed a folder
	PerClass Counts
	Seed     uint64
	// MTime is the modification time of every file, in the past so that a stat
	// memo may trust it; zero means the start of 2024.
	MTime time.Time
}

// Counts are numbers of pictures of each class.
type Counts struct{ Train, Val, Test int }

// Total returns the number of pictures of all classes.
func (c Counts) Total() int { return len(classes) * (c.Train + c.Val + c.Test) }

// Validate reports every fault of o at once.
func (o Options) Validate() error {
	var faults []error
	if o.Dir == "" {
		faults = append(faults, errors.New("pictures: no folder given"))
	}
	for _, p := range o.parts() {
		if p.count < 0 {
			faults = append(faults, fmt.Errorf("pictures: %d %s pictures a class: must be ≥ 0", p.count, p.name))
		}
	}
	return errors.Join(faults...)
}

type part struct {
	name  string
	count int
}

func (o Options) parts() []part {
	return []part{{"train", o.PerClass.Train}, {"val", o.PerClass.Val}, {"test", o.PerClass.Test}}
}

// Draw writes the pictures of o on all cores and tells progress (which may be nil)
// after each, from one goroutine at a time. Files appear whole or not at all. A
// file that is there is kept untouched, so that an interrupted Draw goes on where
// it was and a grown set draws only what is new.
func Draw(ctx context.Context, o Options, progress func(done, total int)) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.MTime.IsZero() {
		o.MTime = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	ids, err := o.plan()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	done := 0
	drawn := func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; progress != nil {
			progress(done, len(ids))
		}
	}
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for _, id := range ids {
		workers.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := id.write(o); err != nil {
				return err
			}
			drawn()
			return nil
		})
	}
	return workers.Wait()
}

// plan lists the pictures of o and makes their folders.
func (o Options) plan() ([]identity, error) {
	ids := make([]identity, 0, o.PerClass.Total())
	for _, p := range o.parts() {
		for class, c := range classes {
			if p.count == 0 {
				continue
			}
			if err := os.MkdirAll(filepath.Join(o.Dir, p.name, c.name), 0o755); err != nil {
				return nil, err
			}
			for i := 1; i <= p.count; i++ {
				ids = append(ids, identity{seed: o.Seed, part: p.name, class: class, index: i})
			}
		}
	}
	return ids, nil
}
