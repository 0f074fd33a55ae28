package cache

import "bytes"

// bucketRef tells where a bucket begins: at a page or, inlined, in a value.
type bucketRef struct {
	root      uint64
	off, size int64 // of the inlined page if root is 0
}

// bucketAt reads the reference that an entry holds.
func (p *pages) bucketAt(e entry) (bucketRef, error) {
	if !e.isBucket || e.size < bucketSize {
		return bucketRef{}, corruptf("%q is not a bucket", e.key)
	}
	return bucketRef{native.Uint64(e.ref), e.off + bucketSize, e.size - bucketSize}, nil
}

// top is the bucket of buckets.
func (p *pages) top() bucketRef { return bucketRef{root: p.root} }

// span is the range of keys, low inclusive, high exclusive, that a page may hold; nil
// is no bound.
type span struct{ low, high []byte }

func (s span) holds(key []byte) bool {
	return (s.low == nil || bytes.Compare(key, s.low) >= 0) && (s.high == nil || bytes.Compare(key, s.high) < 0)
}

// each calls fn for the entries of a bucket in order of their keys, which it checks.
func (p *pages) each(b bucketRef, fn func(entry) error) error {
	if b.root != 0 {
		return p.eachPage(b.root, span{}, fn)
	}
	n, err := p.inlineNode(b.off, b.size)
	if err != nil {
		return err
	}
	if n.flags != leafFlag {
		return corruptf("the inlined page at byte %d is no leaf", n.off)
	}
	return n.eachLeaf(span{}, fn)
}

func (p *pages) eachPage(id uint64, s span, fn func(entry) error) error {
	n, err := p.pageNode(id)
	if err != nil {
		return err
	}
	if n.flags == leafFlag {
		return n.eachLeaf(s, fn)
	}
	key, child, err := n.branch(0)
	for i := int64(1); err == nil; i++ {
		if !s.holds(key) {
			return corruptf("page %d: key %q is out of order", id, key)
		}
		if i == n.count {
			return p.eachPage(child, span{key, s.high}, fn)
		}
		var next []byte
		var nextChild uint64
		if next, nextChild, err = n.branch(i); err != nil {
			break
		}
		if err := p.eachPage(child, span{key, next}, fn); err != nil {
			return err
		}
		key, child, s.low = next, nextChild, next
	}
	return err
}

func (n *node) eachLeaf(s span, fn func(entry) error) error {
	for i := int64(0); i < n.count; i++ {
		e, err := n.leaf(i)
		if err != nil {
			return err
		}
		if !s.holds(e.key) || i > 0 && bytes.Equal(e.key, s.low) {
			return corruptf("page at byte %d: key %q is out of order", n.off, e.key)
		}
		s.low = e.key
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

// only returns the single entry of a bucket, which must have the given key.
func (p *pages) only(parent entry, key string) (entry, error) {
	b, err := p.bucketAt(parent)
	if err != nil {
		return entry{}, err
	}
	var found entry
	n := 0
	err = p.each(b, func(e entry) error {
		found = e
		n++
		return nil
	})
	if err == nil && (n != 1 || string(found.key) != key || found.isBucket) {
		err = corruptf("the bucket does not hold just one value %q", key)
	}
	return found, err
}

// checkFree reads the list of free pages and checks that every page is either free
// or visited. A page that is both would be overwritten by the next commit.
func (p *pages) checkFree() (free int, err error) {
	if p.freelist == noFreelist {
		return 0, nil
	}
	if p.freelist >= p.pages {
		return 0, corruptf("the list of free pages is said to be page %d of %d", p.freelist, p.pages)
	}
	off := int64(p.freelist * p.pageSize)
	head, err := p.read(off, pageHead+8)
	if err != nil {
		return 0, err
	}
	if native.Uint64(head) != p.freelist || native.Uint16(head[8:]) != freelistFlag {
		return 0, corruptf("page %d is no list of free pages", p.freelist)
	}
	overflow := uint64(native.Uint32(head[12:]))
	if err := p.visit(p.freelist, overflow); err != nil {
		return 0, err
	}
	at, n := int64(pageHead), int64(native.Uint16(head[10:]))
	if n == 0xffff {
		at, n = at+8, int64(native.Uint64(head[16:]))
	}
	if n < 0 || n > (int64((overflow+1)*p.pageSize)-at)/8 {
		return 0, corruptf("the list of free pages has no room for %d", n)
	}
	ids, err := p.read(off+at, 8*n)
	if err != nil {
		return 0, err
	}
	for i := range n {
		if err := p.visit(native.Uint64(ids[8*i:]), 0); err != nil {
			return 0, corruptf("list of free pages: %w", err)
		}
	}
	return int(n), p.checkAllVisited()
}

func (p *pages) checkAllVisited() error {
	for i := range p.pages {
		if p.used[i/64]>>(i%64)&1 == 0 {
			return corruptf("page %d is neither in use nor free", i)
		}
	}
	return nil
}
