package cache

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var together = flag.Duration("together", 2*time.Second, "how long two writers and a reader work on one cache")

// shared is what two writers have promised of a cache: rows that were committed, by space,
// and the highest number in a document.
type shared struct {
	mu        sync.Mutex
	committed map[string]map[int]bool
	doc       int
}

func (m *shared) commit(space string, keys []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		m.committed[space][k] = true
	}
}

func (m *shared) promised(space string) (keys []Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.committed[space] {
		keys = append(keys, keyOf(k))
	}
	return keys
}

// Two writers, each with a cache of its own on one file, put rows, write a document and
// compact in turn, while a reader opens it again and again: every row that was promised is
// there and is its key's, no other row is ever seen, and the file is sound at the end.
func TestTwoWritersAndAReaderAgree(t *testing.T) {
	t.Parallel()
	path := newCache(t, quick()).path
	m := &shared{committed: map[string]map[int]bool{space8.ID: {}, spaceHalf.ID: {}}}
	ctx, cancel := context.WithTimeout(t.Context(), *together)
	defer cancel()
	var writes, reads, compared atomic.Int64
	var wg sync.WaitGroup
	for n := range 2 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 3))
			for ctx.Err() == nil {
				if err := m.write(path, rng, n); err != nil {
					t.Error(err)
					return
				}
				writes.Add(1)
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil && !t.Failed() {
			n, err := m.look(path)
			if err != nil {
				t.Error(err)
				return
			}
			reads.Add(1)
			compared.Add(int64(n))
		}
	})
	wg.Wait()
	if _, err := m.look(path); err != nil {
		t.Error(err)
	}
	wantSound(t, path)
	t.Logf("%d operations of writers, %d readings, %d rows compared", writes.Load(), reads.Load(), compared.Load())
	if writes.Load() == 0 || reads.Load() == 0 {
		t.Error("one of them did nothing")
	}
}

// write does one operation of a writer.
func (m *shared) write(path string, rng *rand.Rand, n int) error {
	o := quick()
	o.ClaimWait = time.Minute
	if rng.IntN(20) == 0 {
		_, err := Compact(path, CompactOptions{Options: o})
		return err
	}
	c, err := OpenOrCreate(path, o)
	if err != nil {
		return err
	}
	defer c.Close()
	w, err := c.Writer()
	if err != nil {
		return err
	}
	s := []Space{space8, spaceHalf}[rng.IntN(2)]
	if err := w.Space(s, native1); err != nil {
		return errors.Join(err, w.Close())
	}
	var keys []int
	for range 1 + rng.IntN(40) {
		k := rng.IntN(4000)
		if err := w.Put(s.ID, keyOf(k), rowOf(s, keyOf(k))); err != nil {
			return errors.Join(err, w.Close())
		}
		keys = append(keys, k)
	}
	m.mu.Lock()
	m.doc++ // the writer has the cache: its number is the highest
	number := m.doc
	m.mu.Unlock()
	if err := w.PutDoc("number", fmt.Append(nil, number)); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Close(); err != nil {
		return err
	}
	m.commit(s.ID, keys)
	return nil
}

// look compares what a reader sees with what was promised before it began.
func (m *shared) look(path string) (compared int, err error) {
	before := map[string][]Key{space8.ID: m.promised(space8.ID), spaceHalf.ID: m.promised(spaceHalf.ID)}
	c, err := Open(path, quick())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for _, s := range []Space{space8, spaceHalf} {
		keys := before[s.ID]
		for k := range c.Keys(s.ID) {
			keys = append(keys, k)
		}
		if len(keys) == 0 {
			continue
		}
		rows := make([]float32, len(keys)*s.Dim)
		missing, err := c.Lookup(s.ID, keys, rows)
		if err != nil {
			return 0, err
		}
		if len(missing) > 0 {
			return 0, fmt.Errorf("%d of %d rows of %s are missing", len(missing), len(keys), s.ID)
		}
		if i := wrongRow(s, keys, rows); i >= 0 {
			return 0, fmt.Errorf("row %d of %s is another's", i, s.ID)
		}
		compared += len(keys)
	}
	return compared, nil
}
