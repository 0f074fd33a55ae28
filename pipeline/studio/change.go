package studio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// Request asks for a change of some images.
type Request struct {
	Items  []int // of the dataset, by index
	Action corrections.Action
	Class  string // of a relabel
	// Seen is the version of the labels that the person saw, and By who that is: a change
	// holds whoever else has changed an image since, and both are told.
	Seen int
	By   string
}

// ErrRequest is returned for a change that makes no sense.
var ErrRequest = errors.New("this change cannot be made")

// Change makes a change, and returns the event that all hear. It is written when Change
// returns; where that fails, nothing has changed. Errors are an [ErrRequest], a
// [dataset.ErrAlike] or those of [corrections.Log.Append].
func (s *Session) Change(r Request) (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(&r); err != nil {
		return Event{}, err
	}
	lines := make([]corrections.Change, len(r.Items))
	for n, i := range r.Items {
		lines[n] = s.line(r.Action, i, r.Class)
	}
	text := s.said(r)
	if others := s.overruled(r); others != "" {
		text += "; " + others
	}
	touched, err := s.apply(lines)
	if err != nil {
		return Event{}, err
	}
	s.undo, s.redo = append(s.undo, r.Items), nil
	return s.publish(touched, r.By, text), nil
}

// check completes a request.
func (s *Session) check(r *Request) error {
	if !slices.Contains(s.ds.Classes, r.Class) {
		r.Class = strings.TrimSpace(r.Class) // as somebody typed it
	}
	r.Items = slices.Compact(slices.Sorted(slices.Values(r.Items)))
	if len(r.Items) == 0 {
		return fmt.Errorf("%w: no image is chosen", ErrRequest)
	}
	for _, i := range r.Items {
		if i < 0 || i >= len(s.ds.Items) || !s.ds.Items[i].Hashed() {
			return fmt.Errorf("%w: there is no image %d", ErrRequest, i)
		}
	}
	switch r.Action {
	case corrections.Relabel:
		if r.Class == "" {
			return fmt.Errorf("%w: no class is named", ErrRequest)
		}
		if err := corrections.CheckClass(r.Class); err != nil {
			return fmt.Errorf("%w: %w", ErrRequest, err)
		}
		if !slices.Contains(s.ds.Classes, r.Class) {
			return dataset.CheckAlike(append(slices.Clone(s.ds.Classes), r.Class))
		}
	case corrections.Confirm:
		if slices.ContainsFunc(r.Items, func(i int) bool { return s.book.State(i).Class == "" }) {
			return fmt.Errorf("%w: an image without a label has none to confirm", ErrRequest)
		}
	case corrections.Exclude:
	default:
		return fmt.Errorf("%w: %q is no action", ErrRequest, r.Action)
	}
	return nil
}

// line is a line of the file about item i.
func (s *Session) line(a corrections.Action, i int, class string) corrections.Change {
	it, before := &s.ds.Items[i], s.book.State(i)
	c := corrections.Change{Action: a, Path: s.ds.Display(it), Hash: it.Hash, Old: before.Class, When: s.o.Now()}
	if before.Excluded {
		c.Old = ""
	}
	switch a {
	case corrections.Relabel:
		c.New = class
	case corrections.Confirm:
		c.New = before.Class
	}
	return c
}

// said is what a change is, for people.
func (s *Session) said(r Request) string {
	what := words.Count(len(r.Items), "image")
	if len(r.Items) == 1 {
		what = words.Name(s.ds.Display(&s.ds.Items[r.Items[0]]))
	}
	switch r.Action {
	case corrections.Relabel:
		return what + " → " + r.Class
	case corrections.Confirm:
		return what + " confirmed"
	}
	return what + " left out"
}

// overruled says which of the images of a request somebody else has changed since it was
// seen; "" if none.
func (s *Session) overruled(r Request) string {
	n, last := 0, 0
	for _, i := range r.Items {
		if c, ok := s.changed[i]; ok && c.version > r.Seen && c.by != r.By {
			n, last = n+1, i
		}
	}
	if n == 0 {
		return ""
	}
	text := words.Count(n, "image")
	if n == 1 {
		text = words.Name(s.ds.Display(&s.ds.Items[last]))
	}
	return text + " was changed in another window meanwhile: the later change holds"
}

// apply writes changes, and lays them over the dataset. It returns the items that they are
// of.
func (s *Session) apply(lines []corrections.Change) ([]int, error) {
	err := s.log.Append(lines...)
	if errors.Is(err, corrections.ErrChanged) {
		return nil, s.reopen(err)
	}
	if err != nil {
		return nil, err
	}
	touched := s.book.Add(lines...)
	return touched, s.book.Lay()
}

// reopen reads the file anew that another program has changed.
func (s *Session) reopen(why error) error {
	held := s.log
	if err := held.Close(); err != nil {
		return err
	}
	if err := s.openLog(); err != nil {
		return fmt.Errorf("%w; reading it anew: %w", why, err)
	}
	s.publish(nil, "", "the file of corrections was changed by another program, and is read anew")
	return fmt.Errorf("%w: it has been read anew; the change was not made", why)
}

// Undo takes back the newest change, and Redo makes the last one again that was taken back.
func (s *Session) Undo(by string) (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.undo) - 1
	if n < 0 {
		return Event{}, fmt.Errorf("%w: there is nothing to undo", ErrRequest)
	}
	items := s.undo[n]
	var lines, again []corrections.Change
	for _, i := range items {
		open := s.book.Changes(i)
		if len(open) == 0 {
			continue
		}
		again = append(again, open[len(open)-1])
		c := s.line(corrections.Undo, i, "")
		if before := s.book.Before(i); !before.Excluded {
			c.New = before.Class
		}
		lines = append(lines, c)
	}
	touched, err := s.apply(lines)
	if err != nil {
		return Event{}, err
	}
	s.undo, s.redo = s.undo[:n], append(s.redo, again)
	return s.publish(touched, by, "undone: "+words.Count(len(touched), "image")), nil
}

// Redo is described at [Session.Undo].
func (s *Session) Redo(by string) (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.redo) - 1
	if n < 0 {
		return Event{}, fmt.Errorf("%w: there is nothing to redo", ErrRequest)
	}
	lines := slices.Clone(s.redo[n])
	for i := range lines {
		lines[i].When = s.o.Now()
	}
	touched, err := s.apply(lines)
	if err != nil {
		return Event{}, err
	}
	s.undo, s.redo = append(s.undo, touched), s.redo[:n]
	return s.publish(touched, by, "done again: "+words.Count(len(touched), "image")), nil
}
