package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"sync"
)

// bbolt's file format, version 2. A page is
//
//	 id u64 | flags u16 | count u16 | overflow u32 | elements … | keys and values …
//
//	leaf element    flags u32 (1: the value is a bucket) | pos u32 | key size u32 | value size u32
//	branch element  pos u32 | key size u32 | child page u64
//	bucket          root page u64 (0: the page follows, inline) | sequence u64
//	meta            magic u32 | version u32 | page size u32 | flags u32 | root bucket | freelist page u64
//	                | pages u64 | txid u64 | FNV-1a u64
//
// with pos counted from the element, in the byte order of the machine.
const (
	pageHead    = 16
	elementSize = 16
	metaSize    = 64
	bucketSize  = 16

	branchFlag   = 0x01
	leafFlag     = 0x02
	freelistFlag = 0x10

	metaMagic   = 0xED0CDAED
	metaVersion = 2
	noFreelist  = ^uint64(0)
	maxPageSize = 1 << 20
	maxPageKey  = 32768 // bbolt's limit
)

var native = binary.NativeEndian

// meta is one of the two roots of a file; the valid one of the later commit counts.
type meta struct {
	pageSize, root, freelist, pages, txid uint64
}

var (
	errNoMeta   = errors.New("no meta page")
	errOldMeta  = errors.New("the meta page is damaged")
	errBoltNext = fmt.Errorf("%w: bbolt's own format is later", ErrNewer)
)

func parseMeta(b []byte) (meta, error) {
	if native.Uint32(b) != metaMagic {
		return meta{}, errNoMeta
	}
	sum := fnv.New64a()
	sum.Write(b[:56])
	size := native.Uint32(b[8:])
	switch {
	case sum.Sum64() != native.Uint64(b[56:]):
		return meta{}, errOldMeta
	case native.Uint32(b[4:]) != metaVersion:
		return meta{}, errBoltNext
	case size < 1024 || size > maxPageSize || size&(size-1) != 0:
		return meta{}, errOldMeta
	}
	return meta{uint64(size), native.Uint64(b[16:]), native.Uint64(b[32:]), native.Uint64(b[40:]), native.Uint64(b[48:])}, nil
}

// pages reads the pages of a bbolt file with ReadAt. Unlike bbolt, which follows
// pointers through mapped memory, it can neither fault nor panic nor run in circles
// on a damaged file: every page is visited once.
type pages struct {
	meta
	r       io.ReaderAt
	size    int64 // of the file
	badMeta error // what is wrong with the meta page not in use, if anything

	mu   sync.Mutex // protects what follows
	used []uint64   // bit set of pages visited
}

// openPages finds the newest valid meta page and checks that the file is as long as
// it says.
func openPages(r io.ReaderAt, size int64) (*pages, error) {
	p := &pages{r: r, size: size}
	m0, err0 := p.metaAt(0)
	var m1 meta
	var err1 error
	switch {
	case err0 == nil:
		m1, err1 = p.metaAt(int64(m0.pageSize))
	case !unread(err0):
		m1, err1 = p.searchMeta()
	}
	switch {
	case unread(err0):
		return nil, err0
	case unread(err1):
		return nil, err1
	case err0 == nil && (err1 != nil || m0.txid > m1.txid):
		p.meta = m0
	case err1 == nil:
		p.meta = m1
	case errors.Is(err0, errBoltNext):
		return nil, err0
	case errors.Is(err0, errOldMeta) || errors.Is(err1, errOldMeta):
		return nil, corruptf("both meta pages are damaged")
	default:
		return nil, ErrNotCache
	}
	for i, err := range []error{err0, err1} {
		if err != nil {
			p.badMeta = fmt.Errorf("meta page %d: %w; the commit of the other is in use, the next one repairs it", i, err)
		}
	}
	if p.pages < 4 || p.pages > uint64(size)/p.pageSize {
		return p, corruptf("the file has %d bytes, its meta page speaks of %d pages of %d", size, p.pages, p.pageSize)
	}
	p.used = make([]uint64, p.pages/64+1)
	return p, p.visit(0, 1)
}

// metaAt reads a meta page. A read that fails is no damage: it says nothing of the page.
func (p *pages) metaAt(off int64) (meta, error) {
	b, err := p.read(off+pageHead, metaSize)
	switch {
	case errors.Is(err, ErrCorrupt):
		return meta{}, errNoMeta
	case err != nil:
		return meta{}, err
	}
	return parseMeta(b)
}

// unread reports whether err, of metaAt, is about reading and not about what was read.
func unread(err error) bool {
	return err != nil && !errors.Is(err, errNoMeta) && !errors.Is(err, errOldMeta) && !errors.Is(err, errBoltNext)
}

// searchMeta looks for the second meta page where the first, which tells the page
// size, is damaged.
func (p *pages) searchMeta() (m meta, err error) {
	found := errNoMeta
	for size := int64(1024); size <= maxPageSize; size *= 2 {
		m, err = p.metaAt(size)
		if err == nil && int64(m.pageSize) == size {
			return m, nil
		}
		if unread(err) {
			return meta{}, err
		}
		if errors.Is(err, errOldMeta) {
			found = err
		}
	}
	return meta{}, found
}

func (p *pages) read(off, n int64) ([]byte, error) {
	if err := p.inFile(off, n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	return b, p.readInto(b, off)
}

// inFile refuses bytes that the file has not.
func (p *pages) inFile(off, n int64) error {
	if off < 0 || n < 0 || off > p.size-n {
		return corruptf("bytes %d to %d lie past the end of the file (%d)", off, off+n, p.size)
	}
	return nil
}

// readInto fills b.
func (p *pages) readInto(b []byte, off int64) error {
	err := p.inFile(off, int64(len(b)))
	if err == nil {
		_, err = p.r.ReadAt(b, off)
	}
	if errors.Is(err, io.EOF) {
		err = corruptf("the file became shorter while it was read")
	}
	return err
}

// visit marks n pages and reports damage if one of them was marked before.
func (p *pages) visit(id, overflow uint64) error {
	if id >= p.pages || overflow >= p.pages-id {
		return corruptf("page %d (+%d) lies past the last, %d", id, overflow, p.pages-1)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := id; i <= id+overflow; i++ {
		if p.used[i/64]>>(i%64)&1 != 0 {
			return corruptf("page %d is in use twice", i)
		}
		p.used[i/64] |= 1 << (i % 64)
	}
	return nil
}

// node is a leaf or branch page, or one inlined in a bucket's value.
type node struct {
	p         *pages
	off, size int64
	begin     []byte // the first bytes, as many as are read at once
	flags     uint16
	count     int64
}

// pageNode reads and marks a page of the tree.
func (p *pages) pageNode(id uint64) (*node, error) {
	if id >= p.pages {
		return nil, corruptf("page %d lies past the last, %d", id, p.pages-1)
	}
	n := &node{p: p, off: int64(id * p.pageSize)}
	var err error
	if n.begin, err = p.read(n.off, int64(p.pageSize)); err != nil {
		return nil, err
	}
	overflow := uint64(native.Uint32(n.begin[12:]))
	if got := native.Uint64(n.begin); got != id {
		return nil, corruptf("page %d says it is page %d", id, got)
	}
	if err := p.visit(id, overflow); err != nil {
		return nil, err
	}
	n.size = int64((overflow + 1) * p.pageSize)
	return n, n.parse()
}

// inlineNode reads a page that is part of a bucket's value.
func (p *pages) inlineNode(off, size int64) (*node, error) {
	if size < pageHead {
		return nil, corruptf("a bucket of %d bytes cannot hold a page", size)
	}
	n := &node{p: p, off: off, size: size}
	var err error
	if n.begin, err = p.read(off, min(size, int64(p.pageSize))); err != nil {
		return nil, err
	}
	return n, n.parse()
}

func (n *node) parse() error {
	n.flags, n.count = native.Uint16(n.begin[8:]), int64(native.Uint16(n.begin[10:]))
	if n.flags != leafFlag && n.flags != branchFlag {
		return corruptf("page at byte %d is of kind %#x, neither leaf nor branch", n.off, n.flags)
	}
	if n.flags == branchFlag && n.count == 0 {
		return corruptf("branch page at byte %d is empty", n.off)
	}
	return nil
}

// bytes returns n bytes of the page from at.
func (n *node) bytes(at, size int64) ([]byte, error) {
	if at < 0 || size < 0 || at > n.size-size {
		return nil, corruptf("page at byte %d: element past its end", n.off)
	}
	if at+size <= int64(len(n.begin)) {
		return n.begin[at : at+size], nil
	}
	return n.p.read(n.off+at, size)
}

// entry is a key of a bucket and where its value lies in the file.
type entry struct {
	key       []byte
	off, size int64
	isBucket  bool
	ref       []byte // of a bucket: its beginning
}

// leaf returns element i of a leaf page.
func (n *node) leaf(i int64) (entry, error) {
	at := pageHead + i*elementSize
	e, err := n.bytes(at, elementSize)
	if err != nil {
		return entry{}, err
	}
	pos, keySize, valueSize := int64(native.Uint32(e[4:])), int64(native.Uint32(e[8:])), int64(native.Uint32(e[12:]))
	key, err := n.key(at+pos, keySize)
	if err != nil {
		return entry{}, err
	}
	if at+pos+keySize > n.size-valueSize || native.Uint32(e) > 1 {
		return entry{}, corruptf("page at byte %d: value of %q past its end", n.off, key)
	}
	found := entry{key: key, off: n.off + at + pos + keySize, size: valueSize, isBucket: native.Uint32(e) == 1}
	if found.isBucket {
		found.ref, err = n.bytes(at+pos+keySize, min(valueSize, bucketSize))
	}
	return found, err
}

// branch returns the key and page of child i of a branch page.
func (n *node) branch(i int64) ([]byte, uint64, error) {
	at := pageHead + i*elementSize
	e, err := n.bytes(at, elementSize)
	if err != nil {
		return nil, 0, err
	}
	key, err := n.key(at+int64(native.Uint32(e)), int64(native.Uint32(e[4:])))
	return key, native.Uint64(e[8:]), err
}

func (n *node) key(at, size int64) ([]byte, error) {
	if size == 0 || size > maxPageKey {
		return nil, corruptf("page at byte %d: key of %d bytes", n.off, size)
	}
	return n.bytes(at, size)
}
