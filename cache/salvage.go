package cache

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
)

// valueAt is where the value begins in a page that holds a single key of 8 bytes.
const valueAt = pageHead + elementSize + 8

// scan is what a search through all pages of a file found, whatever the tree says.
type scan struct {
	blocks []block
	docs   map[string]docRef // the latest version of each
	ledger *ledger
}

// gatherSound takes what has a right checksum. Where the tree can be read it says what
// there should be; where not, blocks and documents are taken as the pages show them,
// perhaps in the version of an earlier commit. Where a meta page is damaged the last
// commit counts as far as the search finds it.
func gatherSound(f *os.File) (*contents, error) {
	s, unreadable := load(f, nil, func(string, error) error { return nil })
	if errors.Is(unreadable, ErrNewer) {
		return nil, unreadable
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	found := scanPages(f, info.Size())
	if s == nil && found.ledger == nil && len(found.blocks) == 0 {
		if errors.Is(unreadable, ErrCorrupt) {
			return nil, ErrNotCache
		}
		return nil, unreadable
	}
	if s != nil && (s.recovered == nil || found.ledger == nil || found.ledger.Next < s.ledger.Next) {
		found.ledger = s.ledger
	}
	c := found.contents()
	if s != nil && len(s.docs) == s.ledger.Docs.N {
		if s.recovered != nil {
			s.takeLater(found.docs)
		}
		c.keepDocs(f, s.docs)
	} else {
		c.lost = append(c.lost, Fault{"documents", "their list is damaged; what was found is kept, perhaps in an earlier version"})
	}
	return c, nil
}

// contents makes of a search what is to be copied.
func (n *scan) contents() *contents {
	c := &contents{next: 1, blocks: n.blocks, docs: n.docs, rows: map[string]int{}}
	for _, b := range n.blocks {
		c.next = max(c.next, b.seq+1)
		s := Space{ID: b.space, DType: b.dtype, Dim: b.dim}
		if n.ledger == nil && !c.has(s.ID) {
			c.spaces = append(c.spaces, s)
		}
	}
	if n.ledger == nil {
		c.lost = append(c.lost, Fault{"ledger", "it is damaged: whether all rows were found is not known"})
		return c
	}
	c.next = max(c.next, n.ledger.Next)
	for _, s := range n.ledger.Spaces {
		c.spaces = append(c.spaces, s.Space)
		c.rows[s.ID] = s.Rows
	}
	c.blocks = slices.DeleteFunc(c.blocks, func(b block) bool {
		s := n.ledger.space(b.space)
		return s == nil || s.sameShape(Space{DType: b.dtype, Dim: b.dim}) != nil
	})
	return c
}

// takeLater takes the documents that a search found of commits after the one in use.
func (s *state) takeLater(found map[string]docRef) {
	for name, ref := range found {
		if ref.seq >= s.ledger.Next {
			s.docs[name] = ref
		}
	}
}

// keepDocs takes the documents that the tree lists, of a damaged one the version that
// the search found, if any.
func (c *contents) keepDocs(f *os.File, listed map[string]docRef) {
	found := c.docs
	c.docs = map[string]docRef{}
	for name, ref := range listed {
		if _, err := ref.read(f, name); err == nil {
			c.docs[name] = ref
			continue
		}
		what := "it is lost"
		if older, ok := found[name]; ok {
			c.docs[name] = older
			what = "it is damaged; an earlier version is kept"
		}
		c.lost = append(c.lost, Fault{"document " + name, what})
	}
}

// scanPages looks at every page for a block or a document.
func scanPages(f *os.File, size int64) *scan {
	n := &scan{docs: map[string]docRef{}}
	p := &pages{r: f, size: size, meta: meta{pageSize: pageSize}}
	if q, _ := openPages(f, size); q != nil {
		p.pageSize = q.pageSize
	}
	for off := int64(0); off < size; off += int64(p.pageSize) {
		head, err := p.read(off, valueAt+8)
		if err != nil {
			continue
		}
		value, length := off+valueAt, int64(native.Uint32(head[pageHead+12:]))
		switch string(head[valueAt:]) {
		case blockMagic:
			n.addBlock(p, value, length)
		case docMagic:
			n.addDoc(p, value, length)
		}
	}
	return n
}

func (n *scan) addBlock(p *pages, off, length int64) {
	h, err := (&headReader{p: p}).read(off, length)
	if err != nil {
		return
	}
	b, buf := block{h, off, length}, []byte(nil)
	if _, err := b.readRows(p.r, &buf); err == nil {
		n.blocks = append(n.blocks, b)
	}
}

func (n *scan) addDoc(p *pages, off, length int64) {
	b, err := p.read(off, length)
	if err != nil {
		return
	}
	d, err := parseDocument(b)
	if err != nil {
		return
	}
	if d.name == ledgerName {
		if l, err := parseLedger(b); err == nil && (n.ledger == nil || n.ledger.Next < l.Next) {
			n.ledger = l
		}
		return
	}
	if old, ok := n.docs[d.name]; !ok || old.seq < d.seq {
		n.docs[d.name] = docRef{off, length, d.seq, binary.LittleEndian.Uint32(b[len(b)-4:])}
	}
}
