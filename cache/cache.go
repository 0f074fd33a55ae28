package cache

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Cache reads a cache file. It keeps where each row lies in memory, but the file open
// only while it reads. All methods may be called from many goroutines.
type Cache struct {
	path   string
	opts   Options
	noSync bool // commits need not be durable: a file that nobody knows of yet

	buffers sync.Pool // of *[]byte that hold a block

	io sync.RWMutex // readers of the file against a commit of this process; taken before mu

	mu     sync.RWMutex // protects what follows
	state  *state
	closed bool
}

// Open reads which rows and documents the file has. The error is fs.ErrNotExist if
// there is no file, else of the class ErrCorrupt, ErrNotCache, ErrNewer or ErrLocked.
func Open(path string, o Options) (*Cache, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	real, err := realPath(path)
	if err != nil {
		return nil, err
	}
	c := &Cache{path: real, opts: o.withDefaults()}
	if err := c.Refresh(); err != nil {
		return nil, err
	}
	return c, nil
}

// realPath resolves links: two names of one file must mean one lock file.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	return real, inFile(path, err)
}

// Close frees the memory. A Writer of this Cache stays usable.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

// Refresh sees what other processes have committed. It is cheap if that is nothing;
// else it reads the heads of new blocks.
func (c *Cache) Refresh() error {
	return c.read(func(*os.File) error { return nil })
}

// read opens the file, sees to it that the state is of its last commit, and runs fn,
// during which nobody commits.
func (c *Cache) read(fn func(f *os.File) error) error {
	c.io.RLock()
	defer c.io.RUnlock()
	f, err := openShared(c.path, c.opts.LockWait)
	if err != nil {
		return inFile(c.path, err)
	}
	defer f.Close()
	if err := c.update(f); err != nil {
		return inFile(c.path, err)
	}
	return inFile(c.path, fn(f))
}

// update loads the state if it is not that of f.
func (c *Cache) update(f *os.File) error {
	c.mu.RLock()
	was := c.state
	c.mu.RUnlock()
	if was != nil {
		if changed, err := was.changed(f); err != nil || !changed {
			return err
		}
	}
	s, err := load(f, was, strict)
	if err != nil && was != nil {
		// The file may be another one under the same name and number.
		s, err = load(f, nil, strict)
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.state = s
	c.mu.Unlock()
	return nil
}

// index returns the index of a space, nil if there is none. The caller holds mu.
func (c *Cache) index(space string) *index {
	if c.closed {
		return nil
	}
	return c.state.spaces[space]
}

// has is Has for a Writer, which may outlive the Cache.
func (c *Cache) has(space string, k Key) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ok := c.state.spaces[space].find(&k)
	return ok
}

// checkShape reports ErrSpaceMismatch if the cache has the space in another shape.
func (c *Cache) checkShape(s Space) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if x := c.state.spaces[s.ID]; x != nil {
		return x.sameShape(s)
	}
	return nil
}

// Has reports whether the row of k is there.
func (c *Cache) Has(space string, k Key) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, ok := c.index(space).find(&k)
	return ok
}

// Len returns the number of rows of a space.
func (c *Cache) Len(space string) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if x := c.index(space); x != nil {
		return x.rows
	}
	return 0
}

// Producer returns who computed the row of k; ok is false where it is not there.
func (c *Cache) Producer(space string, k Key) (p Producer, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	x := c.index(space)
	a, ok := x.find(&k)
	if ok {
		p = x.blocks[a.slot].producer
	}
	return p, ok
}

// Keys goes through the keys of a space, in the order of the file, as they are when
// the iteration begins.
func (c *Cache) Keys(space string) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		c.mu.RLock()
		var blocks []block
		if x := c.index(space); x != nil {
			blocks = slices.Clone(x.blocks)
		}
		c.mu.RUnlock()
		for _, b := range blocks {
			for _, k := range b.keys {
				if !yield(k) {
					return
				}
			}
		}
	}
}

// Lookup copies the rows of keys, in this order, into dst, which has a row's room for
// each. It returns the places in keys whose rows are not there; their part of dst is
// left as it was. Rows of float16 are widened. No row is used of a block whose
// checksum differs (ErrCorrupt).
func (c *Cache) Lookup(space string, keys []Key, dst []float32) (missing []int, err error) {
	err = c.read(func(f *os.File) error {
		c.mu.RLock()
		defer c.mu.RUnlock()
		x := c.index(space)
		if c.closed {
			return ErrClosed
		}
		if x == nil {
			return fmt.Errorf("%w: %.12s", ErrNoSpace, space)
		}
		if len(dst) != len(keys)*x.Dim {
			return fmt.Errorf("lookup: room for %d numbers, %d keys of space %.12s need %d", len(dst), len(keys), space, len(keys)*x.Dim)
		}
		var wanted [][]want
		wanted, missing = x.wanted(keys)
		return x.copyRows(f, wanted, dst, &c.buffers)
	})
	if err != nil {
		return nil, err
	}
	return missing, nil
}

// Visit calls fn with the rows of keys that are there, in the order of the file, each block of
// which is read once: i is a place in keys, and row is fn's until it returns. Other processes
// cannot commit meanwhile. Rows of float16 are widened. No row is given of a block whose
// checksum differs (ErrCorrupt). An error of fn ends it.
func (c *Cache) Visit(space string, keys []Key, fn func(i int, row []float32) error) error {
	return c.read(func(f *os.File) error {
		c.mu.RLock()
		defer c.mu.RUnlock()
		x := c.index(space)
		switch {
		case c.closed:
			return ErrClosed
		case x == nil:
			return fmt.Errorf("%w: %.12s", ErrNoSpace, space)
		}
		wanted, _ := x.wanted(keys)
		return x.visit(f, wanted, fn)
	})
}

// visit hands the wanted rows to fn, block by block in the order of the file.
func (x *index) visit(f io.ReaderAt, wanted [][]want, fn func(i int, row []float32) error) error {
	slots := make([]int, len(x.blocks))
	for i := range slots {
		slots[i] = i
	}
	slices.SortFunc(slots, func(a, b int) int { return cmp.Compare(x.blocks[a].off, x.blocks[b].off) })
	row, n := make([]float32, x.Dim), x.rowBytes()
	var buf []byte
	for _, slot := range slots {
		if len(wanted[slot]) == 0 {
			continue
		}
		b := x.blocks[slot]
		rows, err := b.readRows(f, &buf)
		if err != nil {
			return fmt.Errorf("space %.12s, block %d: %w", x.ID, b.seq, err)
		}
		for _, w := range wanted[slot] {
			readRow(row, x.DType, rows[int(w.row)*n:][:n])
			if err := fn(int(w.to), row); err != nil {
				return err
			}
		}
	}
	return nil
}

// want is a row of a block that a lookup wants, and where it goes.
type want struct{ row, to uint32 }

// wanted sorts a lookup by block.
func (x *index) wanted(keys []Key) (byBlock [][]want, missing []int) {
	byBlock = make([][]want, len(x.blocks))
	for i := range keys {
		a, ok := x.find(&keys[i])
		if !ok {
			missing = append(missing, i)
			continue
		}
		if byBlock[a.slot] == nil {
			byBlock[a.slot] = make([]want, 0, min(len(keys), len(x.blocks[a.slot].keys)))
		}
		byBlock[a.slot] = append(byBlock[a.slot], want{a.row, uint32(i)})
	}
	return byBlock, missing
}

// copyRows reads each block that has wanted rows, a few blocks at a time.
func (x *index) copyRows(f io.ReaderAt, wanted [][]want, dst []float32, buffers *sync.Pool) error {
	var g errgroup.Group
	g.SetLimit(min(runtime.GOMAXPROCS(0), 8))
	for slot, wants := range wanted {
		if len(wants) == 0 {
			continue
		}
		g.Go(func() error {
			buf, ok := buffers.Get().(*[]byte)
			if !ok {
				buf = new([]byte)
			}
			defer buffers.Put(buf)
			b := x.blocks[slot]
			rows, err := b.readRows(f, buf)
			if err != nil {
				return fmt.Errorf("space %.12s, block %d: %w", x.ID, b.seq, err)
			}
			n := x.rowBytes()
			for _, w := range wants {
				to := int(w.to) * x.Dim
				readRow(dst[to:to+x.Dim], x.DType, rows[int(w.row)*n:][:n])
			}
			return nil
		})
	}
	return g.Wait()
}

// readRows reads a block into buf and checks it; the rows are a part of buf.
func (b block) readRows(f io.ReaderAt, buf *[]byte) ([]byte, error) {
	*buf = slices.Grow((*buf)[:0], int(b.length))[:b.length]
	if _, err := f.ReadAt(*buf, b.off); err != nil {
		if errors.Is(err, io.EOF) {
			err = corruptf("the file ends before it")
		}
		return nil, err
	}
	return blockRows(*buf, b.blockHead)
}

// Doc returns the data of a document.
func (c *Cache) Doc(name string) (data []byte, err error) {
	err = c.read(func(f *os.File) error {
		c.mu.RLock()
		defer c.mu.RUnlock()
		if c.closed {
			return ErrClosed
		}
		ref, ok := c.state.docs[name]
		if !ok {
			return fmt.Errorf("%w: %q", ErrNoDoc, name)
		}
		data, err = ref.read(f, name)
		return err
	})
	return data, err
}

// read reads and checks a document.
func (r docRef) read(f io.ReaderAt, name string) ([]byte, error) {
	b := make([]byte, r.size)
	if _, err := f.ReadAt(b, r.off); err != nil {
		return nil, fmt.Errorf("document %q: %w", name, err)
	}
	d, err := parseDocument(b)
	if err != nil {
		return nil, fmt.Errorf("document %q: %w", name, err)
	}
	if d.name != name || d.seq != r.seq {
		return nil, fmt.Errorf("document %q: %w", name, corruptf("document %q is in its place", d.name))
	}
	return d.data, nil
}

// Docs returns the names of the documents that begin with prefix, sorted.
func (c *Cache) Docs(prefix string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var names []string
	if c.closed {
		return nil
	}
	for name := range c.state.docs {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
