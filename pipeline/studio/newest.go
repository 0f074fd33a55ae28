package studio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
)

// answering computes the features of new pictures, one after another. What it needs is
// opened when the first comes.
type answering struct {
	open func(context.Context) (*extract.Single, error)
	mu   sync.Mutex
	x    *extract.Single
}

// ErrNoAnswer is returned for a picture that cannot be answered.
var ErrNoAnswer = errors.New("no answer")

// NewPicture is what is known of a picture that is not of the dataset.
type NewPicture struct {
	Probabilities []Probability // the likeliest first; nil where there is no head
	Nearest       []Neighbour   // of each class
	Cards         []Card        // of these
}

// Answer answers for an encoded picture, of which nothing is kept. Errors of the picture and
// of what answers are an [ErrNoAnswer].
func (s *Session) Answer(ctx context.Context, picture []byte) (*NewPicture, error) {
	x, err := s.newest.feature(ctx, picture)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	v := s.view()
	p := &NewPicture{Probabilities: probabilities(s.Numbers().Head, x), Nearest: v.nearest(x, -1)}
	for _, n := range p.Nearest {
		p.Cards = append(p.Cards, s.Cards([]int{n.Item})...)
	}
	return p, nil
}

func (a *answering) feature(ctx context.Context, picture []byte) ([]float32, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		return nil, errors.New("nothing here computes features")
	}
	if a.x == nil {
		var err error
		if a.x, err = a.open(ctx); err != nil {
			return nil, err
		}
	}
	x := make([]float32, dim)
	fault, err := a.x.Feature(ctx, x, picture)
	return x, cmp.Or(err, fault)
}

func (a *answering) close() error {
	if a.x == nil {
		return nil
	}
	return a.x.Close()
}

// probabilities are what a head says of a feature; nil is no head.
func probabilities(h *headtrain.Head, x []float32) []Probability {
	if h == nil {
		return nil
	}
	logits, p := make([]float32, len(h.Classes)), make([]float64, len(h.Classes))
	h.Logits(logits, x, 1)
	judge.Softmax(p, logits, 1)
	all := make([]Probability, len(p))
	for c := range p {
		all[c] = Probability{h.Classes[c], p[c]}
	}
	slices.SortStableFunc(all, func(a, b Probability) int { return cmp.Compare(b.P, a.P) })
	return all
}
