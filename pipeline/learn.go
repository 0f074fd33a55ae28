package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/serve"
)

// Learn writes what people say of images of a model's dataset to the file of corrections that
// o.Corrections names, trains a head as the model's was trained, from the rows in the cache, as
// a new run, and has it take the model's place if it may. Images that the dataset lacks, and
// classes that the head lacks, are left out. Where nothing is said that was not known, it
// trains only if always is set. One model learns at a time.
//
// The error is that of writing corrections, or of training; the corrections that were written
// stay.
func (s *Server) Learn(ctx context.Context, name string, said []serve.Said, always bool) (serve.Learned, error) {
	return s.learn(ctx, name, said, func(l serve.Learned) bool { return l.Changed > 0 || always && l.Known > 0 })
}

// Train is [Server.Learn] where nobody says anything: it trains by the corrections that there
// are.
func (s *Server) Train(ctx context.Context, name string) (serve.Learned, error) {
	return s.learn(ctx, name, nil, func(serve.Learned) bool { return true })
}

// learn writes what is said, and trains if it is worth it.
func (s *Server) learn(ctx context.Context, name string, said []serve.Said, worth func(serve.Learned) bool) (l serve.Learned, err error) {
	s.learning.Lock()
	defer s.learning.Unlock()
	place, err := s.Shelf.Find(name, "")
	if err != nil {
		return l, err
	}
	m := place.Model()
	head, info, err := runs.Head(m.Dir)
	if err != nil {
		return l, err
	}
	if info.Features != "" {
		return l, fmt.Errorf("%w: the run learned from a folder of features", serve.ErrNoImages)
	}
	o := s.served[m.Name].Options.adopt(info)
	if o.Head, _, err = head.Trained(); err != nil {
		return l, err
	}
	o.Refit, o.Data.Corrections = info.Refit, ""
	if l.Known, l.Changed, err = s.correct(ctx, o, head, info, said); err != nil || !worth(l) {
		return l, err
	}
	if _, err := os.Stat(s.o.Corrections); err == nil { // else nothing was ever said
		o.Data.Corrections = s.o.Corrections
	}
	sum, err := Train(ctx, o, Choice{}.ofRun(head, info), Silent)
	if err != nil {
		return l, err
	}
	l.Trained = filepath.Base(*sum.RunDir)
	for _, r := range s.Reload(ctx, false) {
		s.o.told(r)
		if r.Name == m.Name {
			l.Why, err = r.Why, errors.Join(err, r.Err)
		}
	}
	l.Promoted = place.Model().Version == l.Trained // also where somebody else has looked for it first
	return l, err
}

// correct writes what is said of images of a head's dataset, as far as it is new.
func (s *Server) correct(ctx context.Context, o Options, head *headtrain.Head, info runs.HeadInfo, said []serve.Said) (known, changed int, err error) {
	src, err := runSource(ctx, o, Choice{}, head, info, journal.New(Silent, nil))
	if err != nil {
		return 0, 0, err
	}
	defer src.Close()
	log, err := corrections.Open(s.o.Corrections)
	if errors.Is(err, corrections.ErrHeld) {
		err = fmt.Errorf("%w: %w", serve.ErrHeld, err)
	}
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	book := corrections.NewBook(src.Dataset())
	book.Add(log.Changes...)
	byHash := map[cache.Key][]int{}
	for i, it := range src.Dataset().Items {
		if it.Hashed() {
			byHash[it.Hash] = append(byHash[it.Hash], i)
		}
	}
	var lines []corrections.Change
	for _, one := range said {
		if !slices.Contains(head.Classes, one.Class) {
			continue
		}
		for _, i := range byHash[one.Image] {
			known++
			if c, isNew := saidOf(src.Dataset(), book, i, one.Class); isNew {
				book.Add(c)
				lines = append(lines, c)
			}
		}
	}
	return known, len(lines), log.Append(lines...)
}

// saidOf is the change that makes item i one of a class, and whether it changes anything.
func saidOf(ds *dataset.Dataset, book *corrections.Book, i int, class string) (c corrections.Change, isNew bool) {
	it, before := &ds.Items[i], book.State(i)
	c = corrections.Change{Action: corrections.Relabel, Path: ds.Display(it), Hash: it.Hash, Old: before.Class, New: class, When: time.Now()}
	if before.Class != class {
		return c, true
	}
	c.Action = corrections.Confirm
	return c, before.Excluded || len(book.Changes(i)) == 0
}
