package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// The buckets and keys of the file: see the package comment. Keys of values have 8
// bytes, so that bbolt's headers leave the values 8-byte aligned.
const (
	metaBucket   = "icebox"
	blocksBucket = "blocks"
	docsBucket   = "docs"
	blockKey     = "rowblock"
	docKey       = "document"

	ledgerName = "" // of the document in metaBucket; PutDoc refuses it
)

// docRef is where a document lies.
type docRef struct {
	off, size int64
	seq       uint64
	crc       uint32
}

// state is what one commit of the file holds: the ledger and where everything is.
type state struct {
	info      os.FileInfo
	txid      uint64
	pageSize  int64
	free      int   // pages
	recovered error // set if a damaged meta page made an older commit count
	ledger    *ledger
	spaces    map[string]*index
	docs      map[string]docRef
}

// sink is told of a fault and returns the error to stop with, or nil to go on.
type sink func(where string, err error) error

// strict stops at the first fault.
func strict(where string, err error) error {
	if errors.Is(err, ErrCorrupt) {
		return corruptf("%s: %w", where, err)
	}
	return err
}

// loader reads a state.
type loader struct {
	*state
	p     *pages
	fault sink
	known map[uint64]*blockHead // heads read before, by sequence number
}

// load reads what f holds, all but the rows and the documents' data. Heads of blocks
// in prev, an earlier state of the same file or nil, are not read again.
func load(f *os.File, prev *state, fault sink) (*state, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := openPages(f, info.Size())
	if err != nil {
		return nil, err
	}
	l := &loader{p: p, fault: fault, known: map[uint64]*blockHead{}, state: &state{
		info: info, txid: p.txid, pageSize: int64(p.pageSize), recovered: p.badMeta,
		spaces: map[string]*index{}, docs: map[string]docRef{},
	}}
	if prev != nil && os.SameFile(info, prev.info) {
		for _, x := range prev.spaces {
			for _, b := range x.blocks {
				l.known[b.seq] = b.blockHead
			}
		}
	}
	if err := l.readTop(); err != nil {
		return nil, err
	}
	if err := l.compare(); err != nil {
		return nil, err
	}
	if l.free, err = p.checkFree(); err != nil {
		if err := fault("pages", err); err != nil {
			return nil, err
		}
	}
	return l.state, nil
}

// readTop reads the ledger first, then what it speaks of.
func (l *loader) readTop() error {
	top := map[string]entry{}
	err := l.p.each(l.p.top(), func(e entry) error {
		top[string(e.key)] = e
		return nil
	})
	if err != nil {
		return corruptf("root: %w", err)
	}
	e, ok := top[metaBucket]
	if !ok || !e.isBucket {
		return ErrNotCache
	}
	if err := l.readLedger(e); err != nil {
		return strict("ledger", err)
	}
	if e, ok := top[blocksBucket]; ok {
		if err := l.faulty(blocksBucket, l.readSpaces(e)); err != nil {
			return err
		}
	}
	if e, ok := top[docsBucket]; ok {
		return l.faulty(docsBucket, l.readDocs(e))
	}
	return nil
}

// faulty passes a fault on, if there is one.
func (l *loader) faulty(where string, err error) error {
	if err == nil {
		return nil
	}
	return l.fault(where, err)
}

func (l *loader) readLedger(parent entry) error {
	e, err := l.p.only(parent, docKey)
	if err != nil {
		return err
	}
	data, err := l.p.read(e.off, e.size)
	if err == nil {
		l.ledger, err = parseLedger(data)
	}
	return err
}

func (l *loader) readSpaces(parent entry) error {
	b, err := l.p.bucketAt(parent)
	if err != nil {
		return err
	}
	return l.p.each(b, func(e entry) error {
		return l.faulty("space "+short(e.key), l.readSpace(e))
	})
}

func (l *loader) readSpace(e entry) error {
	b, err := l.p.bucketAt(e)
	if err != nil {
		return err
	}
	account := l.ledger.space(string(e.key))
	if account == nil {
		return corruptf("the ledger does not know it")
	}
	x := &index{Space: account.Space}
	l.spaces[x.ID] = x
	var found []entry
	if err := l.p.each(b, func(e entry) error { found = append(found, e); return nil }); err != nil {
		return err
	}
	where := func(key []byte) string { return "space " + short([]byte(x.ID)) + ", block " + seqName(key) }
	blocks, errs := l.readBlocks(found, x)
	for n, err := range errs {
		if err != nil {
			if err := l.fault(where(found[n].key), err); err != nil {
				return err
			}
			continue
		}
		x.blocks = append(x.blocks, blocks[n])
	}
	twice := x.build()
	for _, slot := range slices.Sorted(maps.Keys(twice)) {
		if err := l.fault(where(seqKey(x.blocks[slot].seq)), corruptf("%d of its keys are in another block too", twice[slot])); err != nil {
			return err
		}
	}
	return nil
}

// readers is how many heads are read at once: a disk that is not idle answers several at a
// time.
const readers = 8

// readBlocks reads the heads of the blocks of a space, several at a time.
func (l *loader) readBlocks(found []entry, x *index) ([]block, []error) {
	blocks, errs := make([]block, len(found)), make([]error, len(found))
	var next atomic.Int64
	var g sync.WaitGroup
	for range min(readers, len(found)) {
		g.Go(func() {
			r := headReader{p: l.p}
			for n := int(next.Add(1)) - 1; n < len(found); n = int(next.Add(1)) - 1 {
				blocks[n], errs[n] = l.readBlock(&r, found[n], x)
			}
		})
	}
	g.Wait()
	return blocks, errs
}

// readBlock reads the head of a block, unless it is known.
func (l *loader) readBlock(r *headReader, parent entry, x *index) (block, error) {
	if len(parent.key) != 8 {
		return block{}, corruptf("a block's name has %d bytes", len(parent.key))
	}
	e, err := l.p.only(parent, blockKey)
	if err != nil {
		return block{}, err
	}
	seq := binary.BigEndian.Uint64(parent.key)
	if h := l.known[seq]; h != nil && h.space == x.ID && int64(h.blockSize()) == e.size {
		return block{h, e.off, e.size}, nil
	}
	h, err := r.read(e.off, e.size)
	if err != nil {
		return block{}, err
	}
	if h.seq != seq || h.space != x.ID {
		return block{}, corruptf("block %d of space %.12s is in its place", h.seq, h.space)
	}
	if err := x.sameShape(Space{DType: h.dtype, Dim: h.dim}); err != nil {
		return block{}, corruptf("%w", err)
	}
	return block{h, e.off, e.size}, nil
}

// headReader reads heads of blocks, one at a time. They are about as long as each other, so
// that the next one is read at once.
type headReader struct {
	p   *pages
	buf []byte
}

// read reads the head of the block of size bytes at off.
func (r *headReader) read(off, size int64) (*blockHead, error) {
	if size > maxBlock+maxBlock/8 {
		return nil, corruptf("a block of %d bytes", size)
	}
	if len(r.buf) == 0 {
		r.buf = make([]byte, r.p.pageSize)
	}
	b := r.buf[:min(size, int64(len(r.buf)))]
	if err := r.p.readInto(b, off); err != nil {
		return nil, err
	}
	n, err := blockHeadSize(b, size)
	if err != nil {
		return nil, err
	}
	if n > len(b) {
		r.buf = make([]byte, n)
		if err := r.p.readInto(r.buf, off); err != nil {
			return nil, err
		}
		b = r.buf
	}
	return parseHead(b[:n], size)
}

func (l *loader) readDocs(parent entry) error {
	b, err := l.p.bucketAt(parent)
	if err != nil {
		return err
	}
	return l.p.each(b, func(e entry) error {
		name := string(e.key)
		ref, err := l.readDoc(e)
		if err != nil {
			return l.fault("document "+name, err)
		}
		l.docs[name] = ref
		return nil
	})
}

// readDoc finds a document without reading its data.
func (l *loader) readDoc(parent entry) (docRef, error) {
	e, err := l.p.only(parent, docKey)
	if err != nil {
		return docRef{}, err
	}
	if e.size < minValue {
		return docRef{}, corruptf("a document of %d bytes", e.size)
	}
	head, err := l.p.read(e.off, docFixed)
	if err != nil {
		return docRef{}, err
	}
	tail, err := l.p.read(e.off+e.size-4, 4)
	if err != nil {
		return docRef{}, err
	}
	if !bytes.Equal(head[:8], []byte(docMagic)) {
		return docRef{}, corruptf("no document is where one should be")
	}
	return docRef{e.off, e.size, binary.LittleEndian.Uint64(head[16:]), crcOf(tail)}, nil
}

// compare holds what was found against the ledger.
func (l *loader) compare() error {
	for _, want := range l.ledger.Spaces {
		x := l.spaces[want.ID]
		if x == nil {
			x = &index{Space: want.Space}
			l.spaces[want.ID] = x
		}
		if got := x.account(); got.Blocks != want.Blocks || got.Rows != want.Rows {
			err := corruptf("it has %d rows in %d blocks, the ledger speaks of %d in %d, or of other ones", got.Rows, got.Blocks.N, want.Rows, want.Blocks.N)
			if err := l.fault("space "+short([]byte(want.ID)), err); err != nil {
				return err
			}
		}
	}
	var docs tally
	for _, d := range l.docs {
		docs.add(d.seq, d.crc)
	}
	if docs != l.ledger.Docs {
		return l.faulty("docs", corruptf("there are %d documents, the ledger speaks of %d, or of other ones", docs.N, l.ledger.Docs.N))
	}
	return nil
}

// changed reports whether f is another file than the state is of, or has had a
// commit since.
func (s *state) changed(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	p, err := openPages(f, info.Size())
	if err != nil {
		return false, err
	}
	same := p.txid == s.txid && os.SameFile(info, s.info) && info.ModTime().Equal(s.info.ModTime())
	return !same, nil
}

// spaceIDs returns the IDs of the spaces, sorted.
func (s *state) spaceIDs() []string {
	var ids []string
	for id := range s.spaces {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// short shortens a space's ID for a message.
func short(id []byte) string { return string(id[:min(len(id), 12)]) }

// seqName is the name of a block in a message.
func seqName(key []byte) string {
	if len(key) != 8 {
		return "?"
	}
	return strconv.FormatUint(binary.BigEndian.Uint64(key), 10)
}
