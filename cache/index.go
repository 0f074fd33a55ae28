package cache

import (
	"runtime"
	"slices"
	"sync"
)

// block is a block of the file as the index has it.
type block struct {
	*blockHead
	off, length int64 // of the whole block, in the file
}

// at tells where a row lies: in which block of the index, and there in which place.
type at struct{ slot, row uint32 }

// cell is a place of the index's table: from the lowest bit on, 17 bits of one more than the
// row, 32 of the slot, and 15 of the key's hash, so that another key is seldom looked at. 0 is
// an empty one.
type cell uint64

const (
	rowBits  = 17
	slotBits = 32
	tagShift = rowBits + slotBits
)

func newCell(hash uint64, slot, row int) cell {
	return cell(hash>>tagShift<<tagShift | uint64(slot)<<rowBits | uint64(row+1))
}

func (c cell) at() at { return at{uint32(c >> rowBits), uint32(c&(1<<rowBits-1)) - 1} }

// index finds the rows of a space. It costs 32 bytes a row for the keys and 11 to 21
// for a table of places, open addressing with linear probing.
type index struct {
	Space
	blocks []block
	table  []cell
	rows   int
}

// hashOf spreads keys. They are hashes, but a multiplication makes it right for any.
func hashOf(k *Key) uint64 {
	h := native.Uint64(k[:]) ^ native.Uint64(k[8:]) ^ native.Uint64(k[16:]) ^ native.Uint64(k[24:])
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// holds reports whether k, with this hash, is the key of a cell that is not empty.
func (x *index) holds(c cell, hash uint64, k *Key) bool {
	if uint64(c)>>tagShift != hash>>tagShift {
		return false
	}
	a := c.at()
	return x.blocks[a.slot].keys[a.row] == *k
}

// place returns where k is in the table, or where it would be put.
func (x *index) place(hash uint64, k *Key) *cell {
	for i := hash & uint64(len(x.table)-1); ; i = (i + 1) & uint64(len(x.table)-1) {
		c := &x.table[i]
		if *c == 0 || x.holds(*c, hash, k) {
			return c
		}
	}
}

// find returns where the row of k is.
func (x *index) find(k *Key) (at, bool) {
	if x == nil || len(x.table) == 0 {
		return at{}, false
	}
	c := *x.place(hashOf(k), k)
	if c == 0 {
		return at{}, false
	}
	return c.at(), true
}

// add puts a block in.
func (x *index) add(b block) {
	x.blocks = append(x.blocks, b)
	x.enter(len(x.blocks)-1, 0)
}

// replace puts b in the place of the block with sequence number old; b's first keys
// are those of the old block.
func (x *index) replace(old uint64, b block) {
	slot := x.slot(old)
	was := len(x.blocks[slot].keys)
	x.blocks[slot] = b
	x.enter(slot, was)
}

// slot returns the place of the block with the given sequence number, -1 if none.
func (x *index) slot(seq uint64) int {
	return slices.IndexFunc(x.blocks, func(b block) bool { return b.seq == seq })
}

// enter puts the keys of a block, but for the first few, into the table.
func (x *index) enter(slot, first int) {
	keys := x.blocks[slot].keys
	x.reserve(len(keys) - first)
	for row := first; row < len(keys); row++ {
		x.put(slot, row)
	}
}

// put puts a key into the table, which has room, and reports whether it was there.
func (x *index) put(slot, row int) (twice bool) {
	k := &x.blocks[slot].keys[row]
	hash := hashOf(k)
	c := x.place(hash, k)
	if *c != 0 {
		return true
	}
	*c = newCell(hash, slot, row)
	x.rows++
	return false
}

// build makes the table of all blocks anew, on all processors, and returns how many of the
// keys of a block are in one before it, too, by slot.
func (x *index) build() (twice map[int]int) {
	n := 0
	for _, b := range x.blocks {
		n += len(b.keys)
	}
	x.table, x.rows = nil, 0
	x.reserve(n)
	workers := max(1, min(runtime.GOMAXPROCS(0), 8, n>>14))
	parts := make([]tablePart, workers)
	var g sync.WaitGroup
	for w := range parts {
		p := &parts[w]
		p.index, p.twice = x, map[int]int{}
		p.from, p.to = uint64(w*len(x.table)/workers), uint64((w+1)*len(x.table)/workers)
		g.Go(p.fill)
	}
	g.Wait()
	twice = map[int]int{}
	for i := range parts {
		x.rows += parts[i].rows
		for slot, n := range parts[i].twice {
			twice[slot] += n
		}
	}
	for _, p := range parts {
		for _, a := range p.over {
			if x.put(int(a.slot), int(a.row)) {
				twice[int(a.slot)]++
			}
		}
	}
	return twice
}

// tablePart is the part of a table that one goroutine fills.
type tablePart struct {
	*index
	from, to uint64
	rows     int
	twice    map[int]int
	over     []at // what the end of the part has no place for: it goes on in the next one
}

// fill puts those keys in whose search begins in the part. Equal keys meet in one part.
func (p *tablePart) fill() {
	mask := uint64(len(p.table) - 1)
	for slot := range p.blocks {
		keys := p.blocks[slot].keys
		for row := range keys {
			hash := hashOf(&keys[row])
			i := hash & mask
			if i < p.from || i >= p.to {
				continue
			}
			for i < p.to && p.table[i] != 0 && !p.holds(p.table[i], hash, &keys[row]) {
				i++
			}
			switch {
			case i == p.to:
				p.over = append(p.over, at{uint32(slot), uint32(row)})
			case p.table[i] != 0:
				p.twice[slot]++
			default:
				p.table[i] = newCell(hash, slot, row)
				p.rows++
			}
		}
	}
}

// reserve makes room for n more keys, so that at most three quarters are taken.
func (x *index) reserve(n int) {
	if (x.rows+n)*4 <= len(x.table)*3 {
		return
	}
	size := max(64, len(x.table))
	for (x.rows+n)*4 > size*3 {
		size *= 2
	}
	old := x.table
	x.table = make([]cell, size)
	for _, c := range old {
		if c != 0 {
			a := c.at()
			k := &x.blocks[a.slot].keys[a.row]
			*x.place(hashOf(k), k) = c
		}
	}
}

// account returns what the ledger must say of the space.
func (x *index) account() ledgerSpace {
	s := ledgerSpace{Space: x.Space, Rows: x.rows}
	for _, b := range x.blocks {
		s.Blocks.add(b.seq, b.crc)
	}
	return s
}

func (x *index) bytes() (n int64) {
	for _, b := range x.blocks {
		n += b.length
	}
	return n
}
