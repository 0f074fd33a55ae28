package cache

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// Removal says what [Remove] takes out of a cache.
type Removal struct {
	Spaces []string                       // with all their rows, and the documents that [Drop] removes
	Rows   func(space string, k Key) bool // tells the rows of the other spaces that go; nil is none
	Docs   []string                       // they go with the last commit
}

// Removed says what a [Removal] comes to.
type Removed struct {
	Spaces []string `json:"spaces"`
	Rows   int      `json:"rows"`  // those of Spaces among them
	Bytes  int64    `json:"bytes"` // of rows and documents, about
}

// Weigh says what [Remove] would take out, and changes nothing.
func Weigh(path string, what Removal, o Options) (Removed, error) {
	c, err := Open(path, o)
	if err != nil {
		return Removed{}, err
	}
	defer c.Close()
	r, err := newRemover(c, what)
	return r.found, inFile(c.path, err)
}

// Remove takes rows and documents out of a cache, and says what it took. The file keeps its
// size: what is free now is for later rows, or for [Compact]. It needs next to no room on the
// disk. It commits every 64 MiB or so of blocks; if it is killed, what it has not come to is
// still there, the documents among that, and the same call goes on. ErrNoSpace is returned
// for a space that is not there, ErrLocked where a writer is at work.
func Remove(path string, what Removal, o Options) (done Removed, err error) {
	c, err := Open(path, o)
	if err != nil {
		return done, err
	}
	defer c.Close()
	cl, err := takeClaim(c.path, c.opts)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, cl.release()) }()
	if err := c.Refresh(); err != nil {
		return done, err
	}
	r, err := newRemover(c, what)
	if err == nil {
		err = r.run()
	}
	return r.found, inFile(c.path, asFull(err))
}

// removeBatch is how many bytes of blocks a commit of Remove takes out, about. Tests make it
// smaller.
var removeBatch int64 = 64 << 20

// remover takes rows out of c, which nobody else uses: the index of its spaces stays as it
// was in the beginning.
type remover struct {
	c     *Cache
	what  Removal
	found Removed
	hit   map[string][]block // blocks with rows that go, by space
}

// newRemover finds what there is to do.
func newRemover(c *Cache, what Removal) (*remover, error) {
	r := &remover{c: c, what: what, found: Removed{Spaces: []string{}}, hit: map[string][]block{}}
	for _, id := range what.Spaces {
		x := c.state.spaces[id]
		if x == nil {
			return r, fmt.Errorf("%w: %.12s", ErrNoSpace, id)
		}
		r.found.Spaces = append(r.found.Spaces, id)
		r.found.Rows += x.rows
		r.found.Bytes += x.bytes()
		for name := range c.state.docs {
			if ofSpace(name, id) {
				r.what.Docs = append(r.what.Docs, name)
			}
		}
	}
	for id, x := range c.state.spaces {
		if what.Rows == nil || slices.Contains(what.Spaces, id) {
			continue
		}
		for _, b := range x.blocks {
			if n := r.going(b); n > 0 {
				r.hit[id] = append(r.hit[id], b)
				r.found.Rows += n
				r.found.Bytes += int64(n * (keySize + x.rowBytes()))
			}
		}
	}
	slices.Sort(r.what.Docs)
	r.what.Docs = slices.DeleteFunc(slices.Compact(r.what.Docs), func(name string) bool {
		ref, ok := c.state.docs[name]
		r.found.Bytes += ref.size
		return !ok
	})
	return r, nil
}

// ofSpace reports whether a document belongs to a space.
func ofSpace(name, space string) bool { return strings.Contains(name, "/"+space+"/") }

// going counts the rows of a block that go.
func (r *remover) going(b block) (n int) {
	for _, k := range b.keys {
		if r.what.Rows(b.space, k) {
			n++
		}
	}
	return n
}

func (r *remover) run() error {
	for _, id := range slices.Sorted(maps.Keys(r.hit)) {
		if err := r.space(r.c.state.spaces[id]); err != nil {
			return fmt.Errorf("space %.12s: %w", id, err)
		}
	}
	last := change{dropped: r.what.Spaces, docs: map[string][]byte{}}
	for _, name := range r.what.Docs {
		last.docs[name] = nil
	}
	if len(last.dropped)+len(last.docs) == 0 {
		return nil
	}
	return r.commit(last)
}

// space takes rows out of a space. The rows that stay of a block go into new ones; short
// blocks are taken up too, so that afterwards there is one a producer, as ever.
func (r *remover) space(x *index) error {
	todo := r.hit[x.ID]
	for _, b := range x.blocks {
		same := func(o block) bool { return o.producer == b.producer }
		if r.short(b) && r.going(b) == 0 && slices.ContainsFunc(todo, same) {
			todo = append(todo, b)
		}
	}
	slices.SortStableFunc(todo, func(a, b block) int { // short ones first: no commit leaves two
		return cmp.Compare(min(1, len(a.keys)/r.c.opts.BlockRows), min(1, len(b.keys)/r.c.opts.BlockRows))
	})
	var kept []*tail  // one a producer
	var short []block // those of kept, as they are in the file
	for len(todo) > 0 {
		n, size := 0, int64(0)
		for n < len(todo) && size < removeBatch {
			size += todo[n].length
			n++
		}
		ch := change{removed: slices.Concat(short, todo[:n])}
		err := r.c.read(func(f *os.File) error {
			var err error
			kept, ch.blocks, err = r.stay(x, f, todo[:n], kept)
			return err
		})
		if err == nil {
			err = r.commit(ch)
		}
		if err != nil {
			return err
		}
		todo, short = todo[n:], short[:0]
		for _, b := range ch.blocks {
			if r.short(b.ref) {
				short = append(short, b.ref)
			}
		}
	}
	return nil
}

// short reports whether a block has room for more rows.
func (r *remover) short(b block) bool { return len(b.keys) < r.c.opts.BlockRows }

// stay returns the blocks of the rows that stay of some blocks, after those in kept. The
// tails that are not full are returned too, for the next blocks.
func (r *remover) stay(x *index, f io.ReaderAt, blocks []block, kept []*tail) (tails []*tail, out []*newBlock, err error) {
	var buf []byte
	n := x.rowBytes()
	for _, b := range blocks {
		if r.going(b) == len(b.keys) {
			continue // nobody need read it
		}
		rows, err := b.readRows(f, &buf)
		if err != nil {
			return nil, nil, fmt.Errorf("block %d: %w", b.seq, err)
		}
		at := slices.IndexFunc(kept, func(t *tail) bool { return t.producer == b.producer })
		if at < 0 {
			at, kept = len(kept), append(kept, newTail(x.Space, b.producer, r.c.opts.BlockRows))
		}
		for i, k := range b.keys {
			if r.what.Rows(x.ID, k) {
				continue
			}
			t := kept[at]
			t.keys, t.rows = append(t.keys, k), append(t.rows, rows[i*n:][:n]...)
			if t.full() {
				out = append(out, t.pending())
				kept[at] = newTail(x.Space, b.producer, r.c.opts.BlockRows)
			}
		}
	}
	for _, t := range kept {
		if len(t.keys) > 0 {
			out = append(out, t.pending())
		}
	}
	return kept, out, nil
}

// commit writes a change. The index stays as it is.
func (r *remover) commit(ch change) error {
	s := r.c.state
	t := &transaction{was: s, ledger: s.ledger.clone(), change: ch, docRefs: map[string]docRef{}}
	err := t.prepare()
	if err == nil {
		err = guard(func() error { return t.run(r.c.path, r.c.opts.commitWait()) })
	}
	if err == nil {
		t.note(s)
	}
	return err
}
