package insight

import (
	"context"

	"icebox/headtrain/probe"
)

// Alike are rows of a set that are judged together, by heads that saw none of them: exact
// copies and images of one group, and those that are joined.
type Alike struct{ c *clusters }

// NewAlike finds the exact copies and the groups of a set.
func NewAlike(s *Set) *Alike { return &Alike{s.exactCopies(&Copies{})} }

// Join joins two rows, near copies of each other, unless that joins too many.
func (a *Alike) Join(p, q int) {
	if a.c.size(p)+a.c.size(q) <= clusterLimit {
		a.c.join(p, q)
	}
}

// Doubts judges the labels of a set, by heads that saw neither an image nor what is alike.
// Rows without a label are not judged.
func (s *Set) Doubts(ctx context.Context, a *Alike) (*probe.Doubts, error) {
	return probe.Labels(ctx, s.Data, s.deal(a.c), Folds)
}
