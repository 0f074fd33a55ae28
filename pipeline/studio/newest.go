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
	open   func(context.Context) (*extract.Single, error)
	pixels extract.Options
	mu     sync.Mutex
	x      *extract.Single
	crops  *extract.Preprocessor
}

// ErrNoAnswer is returned for a picture that cannot be answered.
var ErrNoAnswer = errors.New("no answer")

// NewPicture is what is known of a picture that is not of the dataset.
type NewPicture struct {
	Probabilities []Probability // the likeliest first; nil where there is no head
	Nearest       []Neighbour   // of each class
	Cards         []Card        // of these
	Contest       *Contest      // of Map; nil where there is none
	Map           []byte        // where the evidence lies, over the picture: a JPEG
}

// Answer answers for an encoded picture, of which nothing is kept. Errors of the picture and
// of what answers are an [ErrNoAnswer].
func (s *Session) Answer(ctx context.Context, picture []byte) (*NewPicture, error) {
	l, err := s.newest.look(ctx, picture)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	v, head := s.view(), s.Numbers().Head
	p := &NewPicture{Probabilities: probabilities(head, l.feature), Nearest: v.nearest(l.feature, -1)}
	if p.Contest = contest(head, p.Probabilities, ""); p.Contest != nil {
		if p.Map, err = l.draw(head, p.Contest); err != nil {
			return nil, err
		}
	}
	for _, n := range p.Nearest {
		p.Cards = append(p.Cards, s.Cards([]int{n.Item})...)
	}
	return p, nil
}

// ready opens what computes features, at the first call.
func (a *answering) ready(ctx context.Context) (err error) {
	switch {
	case a.open == nil:
		return errors.New("nothing here computes features")
	case a.x != nil:
		return nil
	}
	if a.crops, err = extract.NewPreprocessor(a.pixels); err != nil {
		return err
	}
	a.x, err = a.open(ctx)
	return err
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
