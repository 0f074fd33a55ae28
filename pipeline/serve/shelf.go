package serve

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"icebox/pipeline/words"
)

var (
	// ErrNoModel is returned for a name that no model has.
	ErrNoModel = errors.New("no such model")
	// ErrNoVersion is returned for a version that is not the one that is served.
	ErrNoVersion = errors.New("no such version")
	// ErrNameTaken is returned for a second model of one name.
	ErrNameTaken = errors.New("two models have one name")
)

// Shelf holds the models that are served, by name. Many goroutines may use it.
type Shelf struct {
	mu     sync.RWMutex
	names  []string
	places map[string]*Place
}

// Place is where a model stands: another one may take its place while it is used.
type Place struct {
	Drift Drift

	mu    sync.RWMutex
	model *Model
}

// Model is the one that stands here now.
func (p *Place) Model() *Model {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.model
}

// Put replaces the model, and returns the one that stood here.
func (p *Place) Put(m *Model) (old *Model) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, p.model = p.model, m
	return old
}

// Add puts a model on the shelf under its name.
func (s *Shelf) Add(m *Model) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places[m.Name] != nil {
		return fmt.Errorf("%w: %s", ErrNameTaken, m.Name)
	}
	if s.places == nil {
		s.places = map[string]*Place{}
	}
	s.names = append(s.names, m.Name)
	s.places[m.Name] = &Place{model: m}
	return nil
}

// Names are those of the models, in the order in which they were added.
func (s *Shelf) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.names)
}

// Find returns the place of the model of a name and version. An empty name is the first
// model, an empty version the one that is served.
func (s *Shelf) Find(name, version string) (*Place, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if name == "" && len(s.names) > 0 {
		name = s.names[0]
	}
	p := s.places[name]
	if p == nil {
		return nil, fmt.Errorf("%w: %s; there is %s", ErrNoModel, words.Name(name), words.List(s.names))
	}
	if now := p.Model().Version; version != "" && version != now {
		return nil, fmt.Errorf("%w of %s: %s; %s is served", ErrNoVersion, name, words.Name(version), now)
	}
	return p, nil
}
