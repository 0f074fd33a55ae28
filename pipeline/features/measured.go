package features

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"

	"icebox/cache"
	"icebox/extract"
)

// measuredDoc is the cache's document of what engines measured, a JSON object of
// strings: the algorithms that were the quickest on a GPU.
const measuredDoc = "measured"

// measured keeps what engines measure, in the cache once it is saved.
type measured struct {
	mu    sync.Mutex
	known map[string]string
	fresh bool // there is something to save
}

var _ extract.Memo = (*measured)(nil)

func (m *measured) Recall(key string) (value string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok = m.known[key]
	return value, ok
}

func (m *measured) Keep(key, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]string{}
	}
	m.known[key], m.fresh = value, true
}

// load takes what the cache has.
func (m *measured) load(s *Store) error {
	doc, err := s.Doc(measuredDoc)
	if errors.Is(err, cache.ErrNoDoc) {
		return nil
	}
	if err != nil {
		return err
	}
	known := map[string]string{}
	if err := json.Unmarshal(doc, &known); err != nil {
		return fmt.Errorf("%w: document %s: %w", cache.ErrCorrupt, measuredDoc, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(known, m.known)
	m.known = known
	return nil
}

// save writes what is new.
func (m *measured) save(w *cache.Writer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.fresh {
		return nil
	}
	doc, err := json.Marshal(m.known)
	if err != nil {
		return err
	}
	m.fresh = false
	return w.PutDoc(measuredDoc, doc)
}
