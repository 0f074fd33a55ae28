package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Options tune a Cache. The zero value is the default.
type Options struct {
	// BlockRows is the number of rows in a full block, 256 by default, 65536 at most.
	// Files with differing numbers read alike.
	BlockRows int

	// FlushEvery is the longest time that a row put stays uncommitted, 5 s by default.
	FlushEvery time.Duration

	// LockWait is how long to wait while another process reads or commits, 10 s by
	// default.
	LockWait time.Duration

	// ClaimWait is how long to wait for another writer to end before ErrLocked is
	// returned; 0, the default, is not at all.
	ClaimWait time.Duration

	// Context, if it is not nil, ends a wait for other processes early: its error is then
	// in the one returned. With it, a commit waits for readers as long as they live,
	// whatever LockWait is; once it is done, a second longer.
	Context context.Context

	// Waiting, if it is not nil, is told why a writer waits, once the wait is long. It must
	// not call the Cache or the Writer.
	Waiting func(why string)
}

// commitWait is the wait of a commit.
func (o Options) commitWait() *wait {
	limit := o.LockWait
	if o.Context != nil {
		limit = -1
	}
	return newWait(o.Context, limit, o.Waiting)
}

// Validate reports every fault of the options at once.
func (o Options) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("cache options: "+format, args...))
		}
	}
	check(o.BlockRows >= 0 && o.BlockRows <= maxBlockRows, "BlockRows (%d) must be from 1 to %d, or 0 for 256", o.BlockRows, maxBlockRows)
	check(o.FlushEvery >= 0, "FlushEvery (%v) must not be negative", o.FlushEvery)
	check(o.LockWait >= 0, "LockWait (%v) must not be negative", o.LockWait)
	check(o.ClaimWait >= 0, "ClaimWait (%v) must not be negative", o.ClaimWait)
	return errors.Join(errs...)
}

// withDefaults returns a copy whose zeros are filled.
func (o Options) withDefaults() Options {
	if o.BlockRows == 0 {
		o.BlockRows = 256
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = 5 * time.Second
	}
	if o.LockWait == 0 {
		o.LockWait = 10 * time.Second
	}
	return o
}
