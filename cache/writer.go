package cache

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Writer adds to a cache file, alone among all processes. Its methods may be called
// from many goroutines.
//
// Put waits while the block that it filled is committed; so in memory are the short
// blocks, one a space, and a full one for each goroutine that puts, at most.
//
// A commit that failed (a full disk, say) loses nothing: the rows stay, Put and
// PutDoc return its error, and Flush or Close try again.
type Writer struct {
	cache *Cache
	claim *claim

	commitMu sync.Mutex // one commit at a time; taken before mu

	mu     sync.Mutex // protects what follows
	tails  map[string]*tail
	queue  []*tail                     // full
	fresh  map[string]map[Key]struct{} // keys not committed, by space
	docs   map[string][]byte           // not committed; nil deletes
	timer  *time.Timer                 // runs while something is not committed
	err    error                       // of the last commit
	closed bool
}

// Writer claims the cache for writing until Close. The error is ErrLocked, and names
// the process, if another has it for longer than Options.ClaimWait; also if this one has it
// already. It removes what a killed process left of the making of a new file.
func (c *Cache) Writer() (*Writer, error) {
	cl, err := takeClaim(c.path, c.opts)
	if err != nil {
		return nil, err
	}
	_ = clearMaking(c.path) // it is in nobody's way until a file is made
	if err := c.Refresh(); err != nil {
		return nil, errors.Join(err, cl.release())
	}
	return newWriter(c, cl), nil
}

func newWriter(c *Cache, cl *claim) *Writer {
	return &Writer{
		cache: c, claim: cl, tails: map[string]*tail{}, fresh: map[string]map[Key]struct{}{}, docs: map[string][]byte{},
	}
}

// Space declares a space and who computes its rows from now on. A space that is
// there must have the same dtype and dimension (ErrSpaceMismatch); its info stays.
func (w *Writer) Space(s Space, p Producer) error {
	if err := s.validate(); err != nil {
		return err
	}
	if len(p.Engine)+len(p.ISA)+len(p.Plan) > maxName {
		return fmt.Errorf("space %.12s: the producer's names have more than %d bytes", s.ID, maxName)
	}
	if err := w.checkShape(s); err != nil {
		return err
	}
	// What another producer has computed is committed first, so that no block on the
	// disk belongs to two tails.
	if have, ok := w.producer(s.ID); ok && have != p {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	w.commitMu.Lock() // no commit may replace the block that is adopted
	defer w.commitMu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.tails[s.ID]
	switch {
	case w.closed:
		return ErrClosed
	case old != nil && old.producer == p:
		return nil
	case old != nil && old.dirty():
		w.queue = append(w.queue, old)
	}
	t, err := w.cache.adoptTail(s, p)
	if err != nil {
		return err
	}
	w.tails[s.ID] = t
	if w.fresh[s.ID] == nil {
		w.fresh[s.ID] = map[Key]struct{}{}
	}
	return nil
}

// checkShape reports ErrSpaceMismatch if the space is declared or there in another
// shape, ErrClosed after Close.
func (w *Writer) checkShape(s Space) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	if t := w.tails[s.ID]; t != nil {
		return t.space.sameShape(s)
	}
	return w.cache.checkShape(s)
}

// producer returns who computes the space's rows, if it is declared.
func (w *Writer) producer(space string) (p Producer, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tails[space]
	if t == nil {
		return p, false
	}
	return t.producer, true
}

// Put stores the row of k in a space declared before; the row is copied. A key that
// is there already keeps its row. NaN, infinities and what float16 cannot hold are
// refused (ErrValue). The row can be looked up when it is committed: when its block
// is full, after Options.FlushEvery, or by Flush.
func (w *Writer) Put(space string, k Key, row []float32) error {
	full, err := w.put(space, k, row)
	if full {
		err = w.commit(fullBlocks)
	}
	return err
}

// put adds the row to the tail and reports whether a block is full.
func (w *Writer) put(space string, k Key, row []float32) (full bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(); err != nil {
		return false, err
	}
	t := w.tails[space]
	if t == nil {
		return false, fmt.Errorf("%w: %.12s was not declared to the writer", ErrNoSpace, space)
	}
	if len(row) != t.space.Dim {
		return false, fmt.Errorf("%w: a row of %d numbers for space %.12s, which has %d", ErrSpaceMismatch, len(row), space, t.space.Dim)
	}
	if _, ok := w.fresh[space][k]; ok || w.cache.has(space, k) {
		return false, nil
	}
	rows, err := appendRow(t.rows, t.space.DType, row)
	if err != nil {
		return false, fmt.Errorf("row of key %x… for space %.12s: %w", k[:6], space, err)
	}
	t.keys, t.rows = append(t.keys, k), rows
	w.fresh[space][k] = struct{}{}
	w.startTimer()
	if !t.full() {
		return false, nil
	}
	w.queue = append(w.queue, t)
	w.tails[space] = newTail(t.space, t.producer, w.cache.opts.BlockRows)
	return true, nil
}

// PutDoc stores a document with the next commit; nil deletes it. The writer keeps
// data until then: it must not be changed.
func (w *Writer) PutDoc(name string, data []byte) error {
	if err := validDocName(name); err != nil {
		return err
	}
	if len(data) > maxDoc {
		return fmt.Errorf("document %q: %d bytes are more than %d", name, len(data), maxDoc)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(); err != nil {
		return err
	}
	w.docs[name] = data
	w.startTimer()
	return nil
}

// ready returns the error that keeps the writer from taking more.
func (w *Writer) ready() error {
	if w.closed {
		return ErrClosed
	}
	return w.err
}

// startTimer sees to it that what was added is committed in time.
func (w *Writer) startTimer() {
	if w.timer == nil {
		w.timer = time.AfterFunc(w.cache.opts.FlushEvery, func() {
			_ = w.commit(everything) // kept in w.err
		})
	}
}

// Flush commits now.
func (w *Writer) Flush() error {
	w.mu.Lock()
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return w.commit(everything)
}

// Close commits what is left and gives up the claim, even if the commit fails.
func (w *Writer) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.closed = true
	w.mu.Unlock()
	err := w.commit(everything)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopTimer()
	w.tails, w.queue, w.docs = nil, nil, nil // a commit that waited finds nothing
	return errors.Join(err, w.claim.release())
}

func (w *Writer) stopTimer() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// extent is how much a commit takes along: short blocks would only be written again
// soon, so they wait for the timer.
type extent bool

const (
	fullBlocks extent = false
	everything extent = true
)

// commit makes what was added until now durable. Meanwhile more can be added.
func (w *Writer) commit(ext extent) error {
	w.commitMu.Lock()
	defer w.commitMu.Unlock()
	w.mu.Lock()
	if ext == everything {
		w.stopTimer()
	}
	tails, ch := w.pending(ext)
	w.mu.Unlock()
	var err error
	if len(ch.blocks)+len(ch.docs) > 0 {
		err = w.cache.commit(ch)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	if err == nil {
		w.settle(tails, ch)
	}
	return err
}

// pending collects what is not committed.
func (w *Writer) pending(ext extent) ([]*tail, change) {
	tails := slices.Clone(w.queue)
	for _, id := range slices.Sorted(maps.Keys(w.tails)) {
		if ext == everything && w.tails[id].dirty() {
			tails = append(tails, w.tails[id])
		}
	}
	ch := change{docs: maps.Clone(w.docs)}
	for _, t := range tails {
		ch.blocks = append(ch.blocks, t.pending())
	}
	return tails, ch
}

// settle forgets what was committed, but keeps what came after.
func (w *Writer) settle(tails []*tail, ch change) {
	for i, t := range tails {
		b := ch.blocks[i]
		for _, k := range b.keys[t.stored:] {
			delete(w.fresh[t.space.ID], k)
		}
		t.committed(b)
	}
	w.queue = slices.DeleteFunc(w.queue, func(t *tail) bool { return !t.dirty() })
	for name, data := range ch.docs {
		if now, ok := w.docs[name]; ok && sameSlice(now, data) {
			delete(w.docs, name)
		}
	}
}

// sameSlice reports whether a and b are one and the same, not merely equal.
func sameSlice(a, b []byte) bool {
	return len(a) == len(b) && (a == nil) == (b == nil) && (len(a) == 0 || &a[0] == &b[0])
}
