package pipeline

import (
	"context"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
)

// keeper computes the features of pictures that are kept in a studio. What it needs is opened
// when the first comes.
type keeper struct {
	source   *features.Cached
	backbone extract.Options
	options  features.Options
	words    func(journal.Step) string
	x        *features.Computer
}

// Feature implements [studio.Keeper].
func (k *keeper) Feature(ctx context.Context, dir, name string, hash cache.Key) ([]float32, string, error) {
	if k.x == nil {
		x, err := k.source.Computer(context.WithoutCancel(ctx), k.backbone, k.options, journal.New(Silent, k.words))
		if err != nil {
			return nil, "", err
		}
		k.x = x
	}
	return k.x.Kept(ctx, dir, name, hash)
}

// Close implements [studio.Keeper].
func (k *keeper) Close() error {
	if k.x == nil {
		return nil
	}
	return k.x.Close()
}
