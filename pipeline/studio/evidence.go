package studio

import (
	"context"
	"fmt"
	"slices"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/evidence"
)

// Contest is the two classes of a map of evidence.
type Contest struct{ For, Against string }

// contest is what a map of an image is of: the likeliest class against the label or, where
// that is the likeliest one, against the second. It is nil where there is no head, or none
// that has maps.
func contest(h *headtrain.Head, p []Probability, label string) *Contest {
	if h == nil || evidence.Check(h) != nil {
		return nil
	}
	c := &Contest{For: p[0].Class, Against: p[1].Class}
	if label != c.For && slices.Contains(h.Classes, label) {
		c.Against = label
	}
	return c
}

// Evidence draws where in the image of item i the evidence lies that its Detail names: a JPEG
// of the crop under a map. The errors are an [ErrGone] of the image's file, and an
// [ErrNoAnswer].
func (s *Session) Evidence(ctx context.Context, i int) ([]byte, error) {
	d, ok := s.Detail(i)
	if !ok || d.Contest == nil {
		return nil, fmt.Errorf("%w: there is no map of evidence", ErrNoAnswer)
	}
	s.mu.Lock()
	it := s.ds.Items[i]
	s.mu.Unlock()
	image, err := s.album.read(ctx, &it)
	if err != nil {
		return nil, err
	}
	n, err := s.newest.look(ctx, image)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return n.draw(s.Numbers().Head, d.Contest)
}

// look is what the backbone makes of an encoded image.
type look struct {
	crop          []uint8
	feature, grid []float32
}

// look has the backbone look at an encoded image.
func (a *answering) look(ctx context.Context, image []byte) (*look, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.ready(ctx); err != nil {
		return nil, err
	}
	l := &look{make([]uint8, extract.PixelBytes), make([]float32, dim), make([]float32, extract.GridLen)}
	if _, err := a.crops.Crop(ctx, l.crop, image); err != nil {
		return nil, err
	}
	if err := a.x.Forward(ctx, l.feature, l.crop); err != nil {
		return nil, err
	}
	return l, a.x.Grid(ctx, l.grid, l.crop)
}

// draw draws a map of evidence. The head may be a newer one than that of the contest: then it
// knows the same classes, or there is no map.
func (l *look) draw(h *headtrain.Head, c *Contest) ([]byte, error) {
	of, against := slices.Index(h.Classes, c.For), slices.Index(h.Classes, c.Against)
	if of < 0 || against < 0 {
		return nil, fmt.Errorf("%w: the classes have changed", ErrNoAnswer)
	}
	return evidence.Encode(evidence.Find(h, l.grid, of, against).Over(l.crop))
}
