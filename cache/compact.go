package cache

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// CompactOptions tune Compact. The zero value is the default.
type CompactOptions struct {
	Options

	// Salvage keeps what is sound of a damaged file. Without it, all that [Verify] calls
	// a fault is an error (ErrCorrupt), and the file stays as it is.
	Salvage bool
}

// CompactReport says what Compact did.
type CompactReport struct {
	Before int64   `json:"before"` // bytes of the file
	After  int64   `json:"after"`
	Rows   int     `json:"rows"`
	Lost   []Fault `json:"lost"` // what was not kept; always empty without Salvage
}

// Compact copies a cache into a new file, without free pages and with full blocks,
// and puts it in the place of the old one. No writer may be at work (ErrLocked);
// readers may, they see the new file with their next call. Where the disk has no room for
// both files it does not begin (ErrFull); see [ForecastCompact].
func Compact(path string, o CompactOptions) (CompactReport, error) {
	r := &rewrite{path: path, opts: o.Options, gather: gatherState}
	if o.Salvage {
		r.gather = gatherSound
	}
	return r.run()
}

// Tidy compacts the file where that pays, after added rows were put, and reports whether
// it did: if more than a two-hundredth of the file and 64 KiB are free, and if a sixteenth
// of the rows or more are new, so that copying all of them is little beside making the new
// ones. Frequent commits, and documents that grow, leave that much free. The error is
// that of [Compact]; the file is then as it was.
func (c *Cache) Tidy(added int) (bool, error) {
	st, err := c.Stat()
	if err != nil {
		return false, err
	}
	rows := 0
	for _, s := range st.Spaces {
		rows += s.Rows
	}
	if added*16 < rows || st.FreeBytes*200 < st.FileBytes || st.FreeBytes < 64<<10 {
		return false, nil
	}
	o := c.opts
	o.ClaimWait = 0 // it can as well be left to the next one
	if _, err := Compact(c.path, CompactOptions{Options: o}); err != nil {
		return false, err
	}
	return true, c.Refresh()
}

// Drop removes a space, and the documents that belong to it: those with its ID between two
// slashes of their names. All else is kept, as by Compact. ErrNoSpace if there is none.
func Drop(path, space string, o Options) error {
	r := &rewrite{path: path, opts: o, gather: func(f *os.File) (*contents, error) {
		c, err := gatherState(f)
		if err != nil {
			return nil, err
		}
		n := len(c.spaces)
		c.spaces = slices.DeleteFunc(c.spaces, func(s Space) bool { return s.ID == space })
		if len(c.spaces) == n {
			return nil, fmt.Errorf("%w: %.12s", ErrNoSpace, space)
		}
		maps.DeleteFunc(c.docs, func(name string, _ docRef) bool { return ofSpace(name, space) })
		return c, nil
	}}
	_, err := r.run()
	return err
}

// contents is what is to be copied of a file.
type contents struct {
	next   uint64 // sequence number not used yet
	spaces []Space
	blocks []block // sound or not; those of other spaces are left out
	docs   map[string]docRef
	rows   map[string]int // that each space should have
	lost   []Fault
}

// gatherState takes everything, and fails on damage, that of a meta page too: what the last
// commit added may still lie in the file, and only a search finds it.
func gatherState(f *os.File) (*contents, error) {
	s, err := load(f, nil, strict)
	if err != nil {
		return nil, err
	}
	if s.recovered != nil {
		return nil, corruptf("%w", s.recovered)
	}
	return s.contents(), nil
}

func (s *state) contents() *contents {
	c := &contents{next: s.ledger.Next, docs: s.docs, rows: map[string]int{}}
	for _, l := range s.ledger.Spaces {
		c.spaces = append(c.spaces, l.Space)
		c.blocks = append(c.blocks, s.spaces[l.ID].blocks...)
		c.rows[l.ID] = l.Rows
	}
	return c
}

// rewrite copies a cache file.
type rewrite struct {
	path   string
	opts   Options
	gather func(f *os.File) (*contents, error)
	report CompactReport
}

// begin claims the cache, and tidies what a killed process left beside it.
func (r *rewrite) begin() (release func() error, err error) {
	if err := r.opts.Validate(); err != nil {
		return nil, err
	}
	r.opts = r.opts.withDefaults()
	if r.path, err = realPath(r.path); err != nil {
		return nil, err
	}
	cl, err := takeClaim(r.path, r.opts)
	if err != nil {
		return nil, err
	}
	if err := clearMaking(r.path); err != nil {
		return nil, errors.Join(err, cl.release())
	}
	return cl.release, nil
}

func (r *rewrite) run() (report CompactReport, err error) {
	release, err := r.begin()
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, release()) }()
	tmp := makingPath(r.path)
	if err := r.copy(tmp); err != nil {
		return report, errors.Join(inFile(r.path, asFull(err)), remove(tmp))
	}
	return r.report, inFile(r.path, moveInto(tmp, r.path, r.opts.LockWait))
}

// copy makes the new file at tmp, complete, checked and on the disk, with the owner and the
// permissions of the old one.
func (r *rewrite) copy(tmp string) error {
	f, err := openShared(r.path, r.opts.LockWait)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	from, err := r.gather(f)
	if err != nil {
		return err
	}
	if err := r.checkRoom(from); err != nil {
		return err
	}
	if err := writeEmpty(tmp, from.next, info.Mode().Perm()&0o700|0o600); err != nil {
		return err
	}
	if err := r.fill(tmp, f, from); err != nil {
		return err
	}
	r.report.Before = info.Size()
	if r.report.After, err = finish(tmp); err != nil {
		return err
	}
	r.report.Rows, err = checkCopy(tmp)
	r.report.Lost = append([]Fault{}, from.lost...)
	return errors.Join(err, sameOwner(tmp, info))
}

// fill copies documents and rows into the cache file at path.
func (r *rewrite) fill(path string, f *os.File, from *contents) error {
	c, err := Open(path, r.opts)
	if err != nil {
		return err
	}
	c.noSync = true
	w := newWriter(c, nil) // the claim on the old file is one on this, too
	if err = errors.Join(from.copyTo(w, f), w.Close()); err != nil {
		return err
	}
	for id, n := range from.rows {
		if got := c.Len(id); got < n && from.has(id) {
			from.lost = append(from.lost, Fault{"space " + short([]byte(id)), fmt.Sprintf("%d of %d rows are lost; an extraction computes them again", n-got, n)})
		}
	}
	slices.SortFunc(from.lost, func(a, b Fault) int { return strings.Compare(a.Where, b.Where) })
	return nil
}

func (c *contents) has(space string) bool {
	return slices.ContainsFunc(c.spaces, func(s Space) bool { return s.ID == space })
}

// copyTo copies by producer, so that blocks get full.
func (c *contents) copyTo(w *Writer, f *os.File) error {
	for name, ref := range c.docs {
		data, err := ref.read(f, name)
		if err != nil {
			return err
		}
		if err := w.PutDoc(name, data); err != nil {
			return err
		}
	}
	slices.SortStableFunc(c.blocks, func(a, b block) int {
		pa, pb := a.producer, b.producer
		return cmp.Or(strings.Compare(a.space, b.space), strings.Compare(pa.Engine, pb.Engine), strings.Compare(pa.ISA, pb.ISA),
			strings.Compare(pa.Plan, pb.Plan), cmp.Compare(pa.Version, pb.Version), cmp.Compare(a.seq, b.seq))
	})
	var buf []byte
	for _, s := range c.spaces {
		row := make([]float32, s.Dim)
		for _, b := range c.blocks {
			if b.space != s.ID {
				continue
			}
			rows, err := b.readRows(f, &buf)
			if err != nil {
				return fmt.Errorf("space %.12s, block %d: %w", s.ID, b.seq, err)
			}
			if err := w.Space(s, b.producer); err != nil {
				return err
			}
			for i, k := range b.keys {
				readRow(row, s.DType, rows[i*s.rowBytes():][:s.rowBytes()])
				if err := w.Put(s.ID, k, row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// finish cuts the room for growth off a complete file and makes it durable.
func finish(path string) (size int64, err error) {
	f, err := openPlain(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	p, err := openPages(f, info.Size())
	if err == nil {
		err = p.badMeta
	}
	if err != nil {
		return 0, err
	}
	size = int64(p.pages * p.pageSize)
	return size, errors.Join(f.Truncate(size), f.Sync())
}
