package studio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/thumbs"
)

// Options say what a session works on.
type Options struct {
	Source      *features.Cached // with labels as given; the session closes it
	Corrections string           // file to append to; it need not be there
	Trainer     headtrain.Trainer
	Recipe      Recipe // to begin with
	// Tune chooses the recipe anew by labels as they have become; nil leaves it as it is.
	Tune func(context.Context, Labelled) (Tuned, error)

	Pictures *thumbs.Store   // small pictures; nil keeps none
	Pixels   extract.Options // of the features, for pictures of images
	// Open opens what computes the feature of a new picture. It is called once, when the
	// first comes; nil takes none.
	Open func(context.Context) (*extract.Single, error)

	Runs string // folder of runs; "" is none

	// Keeper computes the features of pictures that are kept; nil keeps none. The session
	// closes it.
	Keeper Keeper

	Now func() time.Time // nil is time.Now
}

// Session is a dataset that is worked on. Its methods may be called by many goroutines.
type Session struct {
	o      Options
	ds     *dataset.Dataset // its labels are those of the book; see mu
	album  *album
	newest *answering

	keeping sync.Mutex // one picture at a time

	mu      sync.Mutex
	x       []float32 // features, a row after another; like items and rows, it only grows
	items   []int     // of the dataset, by row
	rows    []int32   // by item; -1 for one without a feature
	byHash  map[cache.Key]int
	file    string // of the corrections
	log     *corrections.Log
	book    *corrections.Book
	version int            // of the labels
	changed map[int]change // the last change of an item in this session
	undo    [][]int        // items of the changes that can be taken back, the newest last
	redo    [][]corrections.Change
	recipe  Recipe
	tuning  Tuning
	numbers *Numbers // never nil
	copies  map[int][]int
	alike   [][2]int // near copies, by row
	hearers map[chan Event]bool

	elsewhere []string

	tunedBy int           // version of the labels that chose the recipe; of the goroutine that trains alone
	wake    chan struct{} // the labels have changed
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// change is who changed an item, and when.
type change struct {
	version int
	by      string
}

// Open begins a session. It trains in the background until it is closed.
func Open(ctx context.Context, o Options) (*Session, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Session{
		o: o, ds: o.Source.Dataset(), byHash: map[cache.Key]int{}, changed: map[int]change{}, numbers: &Numbers{},
		hearers: map[chan Event]bool{}, wake: make(chan struct{}, 1), recipe: o.Recipe, tunedBy: -1,
	}
	if err := s.read(); err != nil {
		return nil, err
	}
	if err := s.openLog(); err != nil {
		return nil, err
	}
	s.copies = s.exactCopies()
	s.album, s.newest = newAlbum(o, s.ds), &answering{open: o.Open, pixels: o.Pixels}
	ctx, s.stop = context.WithCancel(ctx)
	s.done.Go(func() { s.work(ctx) })
	s.done.Go(func() { s.findCopies(ctx) })
	s.done.Go(func() { s.watch(ctx) })
	s.wake <- struct{}{}
	return s, nil
}

// read reads the features of all images.
func (s *Session) read() error {
	s.rows = slices.Repeat([]int32{-1}, len(s.ds.Items))
	s.x = headtrain.NewFeatures((s.o.Source.Found().Hits + roomToKeep) * extract.Dim)[:0]
	for chunk, err := range s.o.Source.Chunks(8192) {
		if err != nil {
			return err
		}
		for n, i := range chunk.Items {
			s.rows[i] = int32(len(s.items))
			s.items = append(s.items, i)
			s.x = append(s.x, chunk.X[n*extract.Dim:(n+1)*extract.Dim]...)
		}
	}
	if len(s.items) == 0 {
		return fmt.Errorf("%w: no image of %s has a feature", features.ErrNotExtracted, s.ds.Name)
	}
	for i := range s.ds.Items {
		if _, ok := s.byHash[s.ds.Items[i].Hash]; !ok {
			s.byHash[s.ds.Items[i].Hash] = i
		}
	}
	return nil
}

// openLog reads the corrections, and lays them over the dataset as given.
func (s *Session) openLog() error {
	log, err := corrections.Open(s.o.Corrections)
	if err != nil {
		return err
	}
	var book *corrections.Book
	err = s.ds.AsGiven(func() error {
		book = corrections.NewBook(s.ds)
		return nil
	})
	if err == nil {
		book.Add(log.Changes...)
		if err = book.Lay(); err != nil {
			err = fmt.Errorf("with the corrections in %s: %w", log.Path, err)
		}
	}
	if err != nil {
		return errors.Join(err, log.Close())
	}
	s.log, s.book, s.undo, s.redo = log, book, nil, nil
	if s.file == "" { // it stays, whoever asks meanwhile
		s.file = log.Path
	}
	for _, c := range log.Changes {
		touched := book.Of(&c)
		if len(touched) == 0 {
			continue
		}
		if c.Action != corrections.Undo {
			s.undo = append(s.undo, touched)
		} else {
			s.forget(touched)
		}
	}
	return nil
}

// forget takes the newest change of some items from those that can be taken back.
func (s *Session) forget(items []int) {
	for n := len(s.undo) - 1; n >= 0; n-- {
		if slices.Equal(s.undo[n], items) {
			s.undo = slices.Delete(s.undo, n, n+1)
			return
		}
	}
}

// Close ends the session: no method is called any more. Pictures that were made are kept.
func (s *Session) Close() error {
	s.stop()
	s.done.Wait()
	err := errors.Join(s.newest.close(), s.album.close(), s.log.Close())
	if s.o.Keeper != nil {
		err = errors.Join(err, s.o.Keeper.Close())
	}
	return errors.Join(err, s.o.Source.Close())
}

// roomToKeep is for so many kept pictures that nothing moves in memory.
const roomToKeep = 256

// Dim is the number of features of an image.
const dim = extract.Dim
