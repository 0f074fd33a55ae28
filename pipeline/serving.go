package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/serve"
)

// Served is a run to be served.
type Served struct {
	Name    string                 // of the model; "" is the name of the run's dataset
	Find    func() (string, error) // the run's folder, as it is now: a newer run may take its place
	Options Options                // with the cache that its features lie in
}

// Ways to decide whether a newer run takes the place of the one that is served.
const (
	PromoteNotWorse = "not-worse" // unless it is worse on the same held-out images, by more than chance
	PromoteBetter   = "better"    // if it is better there, by more than chance
	PromoteAlways   = "always"
)

// ServeOptions say how models are served.
type ServeOptions struct {
	Promote string // one of the words above; "" is PromoteNotWorse
	Queue   int    // images that may wait; 0 is the default of serve.BackboneOptions
	Exact   bool   // answers are those of [Eval], and not of a [Predictor], bit by bit
	// Corrections is the file that [Server.Learn] writes to; it need not be there.
	Corrections string
	// Reloaded hears what [Server.Learn] made of a model that was trained; nil hears nothing.
	Reloaded func(Reloaded)
	// Batched hears of each batch; see serve.BackboneOptions.
	Batched func(images int, waited time.Duration)
}

// Server serves the heads of runs.
type Server struct {
	Shelf *serve.Shelf

	o        ServeOptions
	learning sync.Mutex        // held while a head is trained
	served   map[string]Served // by the model's name
	mu       sync.Mutex        // held while models are opened and closed
	pool     map[string]*shared
	left     map[string]string // by the model's name: the newer run that did not take its place
}

// shared is a backbone, by its fingerprint, and how many models stand on it.
type shared struct {
	*serve.Backbone
	models int
}

// told tells what became of a newer run.
func (o ServeOptions) told(r Reloaded) {
	if o.Reloaded != nil {
		o.Reloaded(r)
	}
}

// significant is the chance below which a difference between two heads counts.
const significant = 0.05

// OpenServer opens the heads of runs and their backbones.
func OpenServer(ctx context.Context, all []Served, o ServeOptions) (*Server, error) {
	s := &Server{Shelf: &serve.Shelf{}, o: o, served: map[string]Served{}, pool: map[string]*shared{}, left: map[string]string{}}
	for _, one := range all {
		dir, err := one.Find()
		if err == nil {
			var m *serve.Model
			if m, err = s.open(ctx, one, dir); err == nil {
				s.served[m.Name] = one
				err = s.Shelf.Add(m)
			}
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// open opens the model of a run.
func (s *Server) open(ctx context.Context, one Served, dir string) (*serve.Model, error) {
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, err
	}
	m := &serve.Model{Name: cmp.Or(one.Name, info.Dataset, "icebox"), Version: filepath.Base(dir), Dir: dir, Head: head}
	m.Training = trainingMoments(ctx, one.Options, head, info)
	if info.Features != "" {
		return m, nil
	}
	m.Backbone, err = s.backbone(ctx, head, one.Options.adopt(info))
	return m, err
}

// backbone returns the backbone of a head, which another one may have opened.
func (s *Server) backbone(ctx context.Context, head *headtrain.Head, o Options) (*serve.Backbone, error) {
	if b := s.pool[head.Fingerprint]; b != nil {
		b.models++
		return b.Backbone, nil
	}
	b, err := serve.OpenBackbone(ctx, serve.BackboneOptions{Extract: o.extractOptions(), Queue: s.o.Queue, Exact: s.o.Exact, Batched: s.o.Batched})
	if err != nil {
		return nil, err
	}
	if err := head.Check(b.Space(o.Cache.DType), extract.Dim); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	s.pool[head.Fingerprint] = &shared{b, 1}
	return b, nil
}

// trainingMoments are those of the images that a head has learned from; nil where their
// features are not at hand.
func trainingMoments(ctx context.Context, o Options, head *headtrain.Head, info runs.HeadInfo) *serve.Moments {
	src, err := runSource(ctx, o, Choice{}, head, info, journal.New(Silent, nil))
	if err != nil {
		return nil
	}
	defer src.Close()
	var m *serve.Moments
	err = src.Guard(func() error {
		rows, err := src.Rows(features.OfPart(dataset.Train))
		if err == nil && rows.Len() > 0 {
			m = serve.MomentsOf(rows.Data.X, rows.Data.Dim)
		}
		return err
	})
	if err != nil {
		return nil
	}
	return m
}

// Reloaded is what became of a model whose run is another one by now.
type Reloaded struct {
	Name     string
	From, To string // versions
	Promoted bool
	Why      string // the test that decided; "" where none was asked for
	Err      error  // why the newer run cannot be served, or could not be compared
}

// Reload looks for newer runs, and has each take the place of the one that is served, if it
// may. Requests that are being answered end with the model that they began with. It returns
// what it found to be another run; a run that it has found before is looked at once more only
// where again is set.
func (s *Server) Reload(ctx context.Context, again bool) []Reloaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	if again {
		clear(s.left)
	}
	var all []Reloaded
	for _, name := range s.Shelf.Names() {
		place, err := s.Shelf.Find(name, "")
		if err != nil {
			continue
		}
		old := place.Model()
		dir, err := s.served[name].Find()
		if err != nil || dir == old.Dir || dir == s.left[name] {
			continue // a folder that went away is served on
		}
		r := Reloaded{Name: name, From: old.Version, To: filepath.Base(dir)}
		if r.Promoted, r.Why, r.Err = s.replace(ctx, place, dir); !r.Promoted {
			s.left[name] = dir
		}
		all = append(all, r)
	}
	return all
}

// replace puts the run in dir into a place, if it may stand there.
func (s *Server) replace(ctx context.Context, place *serve.Place, dir string) (promoted bool, why string, err error) {
	old := place.Model()
	one := s.served[old.Name]
	if s.o.Promote != PromoteAlways {
		c, err := Compare(ctx, Compared{old.Dir, one.Options}, Compared{dir, one.Options}, Silent)
		if err != nil {
			return false, "", fmt.Errorf("the two cannot be compared: %w", err)
		}
		promoted, why = mayFollow(c.Paired, s.o.Promote)
		why = fmt.Sprintf("%s on %d %s images", why, c.Rows, c.Part)
		if !promoted {
			return false, why, nil
		}
	}
	one.Name = old.Name // whatever its dataset is called
	fresh, err := s.open(ctx, one, dir)
	if err != nil {
		return false, why, err
	}
	place.Put(fresh)
	return true, why, s.release(old)
}

// mayFollow says whether the second of two heads may take the place of the first.
func mayFollow(p judge.Paired, rule string) (bool, string) {
	surely := p.P < significant
	text := fmt.Sprintf("%+.2f points, p = %.3f", 100*p.Difference, p.P)
	if rule == PromoteBetter {
		return surely && p.Difference > 0, text
	}
	return !surely || p.Difference >= 0, text
}

// release lets go of a model that stands nowhere any more.
func (s *Server) release(m *serve.Model) error {
	b := s.pool[m.Head.Fingerprint]
	if m.Backbone == nil || b == nil {
		return nil
	}
	if b.models--; b.models > 0 {
		return nil
	}
	delete(s.pool, m.Head.Fingerprint)
	return b.Close() // once what waits is answered
}

// Close waits for images that wait, and lets go of all backbones.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for id, b := range s.pool {
		errs = append(errs, b.Close())
		delete(s.pool, id)
	}
	return errors.Join(errs...)
}
