package features

import (
	"context"
	"errors"
	"fmt"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// Computer opens a computer that adds to the rows of c. It returns an
// [headtrain.ErrFingerprint] where what it would compute are not such rows. The caller closes
// it before c.
func (c *Cached) Computer(ctx context.Context, backbone extract.Options, o Options, j *journal.Journal) (*Computer, error) {
	computer, err := OpenComputer(ctx, backbone, c.store, o, j)
	if err != nil {
		return nil, err
	}
	if computer.space.ID != c.space.ID {
		return nil, errors.Join(fmt.Errorf("%w: the weights at hand are not those of these features", headtrain.ErrFingerprint), computer.Close())
	}
	return computer, nil
}

// Kept returns the feature of a kept picture, and computes it where the cache has none. The
// reason says why an image has no feature.
func (c *Computer) Kept(ctx context.Context, dir, name string, hash cache.Key) (x []float32, reason string, err error) {
	src, err := c.Features(ctx, dataset.OneKept(dir, name, hash), nil, dataset.ForPrediction)
	if err != nil {
		return nil, "", err
	}
	if bad := src.found.Quarantine; len(bad) > 0 {
		return nil, bad[0].Reason, nil
	}
	x = make([]float32, extract.Dim)
	return x, "", c.store.lookUp(c.space.ID, []cache.Key{hash}, x)
}
