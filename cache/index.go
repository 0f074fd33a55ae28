package cache

import "slices"

// block is a block of the file as the index has it.
type block struct {
	*blockHead
	off, length int64 // of the whole block, in the file
}

// at tells where a row lies: in which block of the index, and there in which place.
type at struct{ slot, row uint32 }

// index finds the rows of a space. It costs 32 bytes a row for the keys and 11 to 21
// for a table of places, open addressing with linear probing.
type index struct {
	Space
	blocks []block
	table  []at // row is one more than it is; 0: an empty place
	rows   int
}

// home is where the search for k begins. Keys are hashes, but a multiplication makes
// it right for any.
func (x *index) home(k *Key) int {
	h := native.Uint64(k[:]) ^ native.Uint64(k[8:]) ^ native.Uint64(k[16:]) ^ native.Uint64(k[24:])
	h *= 0x9e3779b97f4a7c15
	return int((h ^ h>>32) & uint64(len(x.table)-1))
}

// place returns where k is in the table, or where it would be put.
func (x *index) place(k *Key) *at {
	for i := x.home(k); ; i = (i + 1) & (len(x.table) - 1) {
		a := &x.table[i]
		if a.row == 0 || x.blocks[a.slot].keys[a.row-1] == *k {
			return a
		}
	}
}

// find returns where the row of k is.
func (x *index) find(k *Key) (at, bool) {
	if x == nil || len(x.table) == 0 {
		return at{}, false
	}
	a := *x.place(k)
	if a.row == 0 {
		return at{}, false
	}
	return at{a.slot, a.row - 1}, true
}

// add puts a block in and returns how many of its keys were there before.
func (x *index) add(b block) (twice int) {
	x.blocks = append(x.blocks, b)
	return x.enter(len(x.blocks)-1, 0)
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
func (x *index) enter(slot, first int) (twice int) {
	keys := x.blocks[slot].keys
	x.reserve(len(keys) - first)
	for row := first; row < len(keys); row++ {
		a := x.place(&keys[row])
		if a.row != 0 {
			twice++
			continue
		}
		*a = at{uint32(slot), uint32(row) + 1}
		x.rows++
	}
	return twice
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
	x.table = make([]at, size)
	for _, a := range old {
		if a.row != 0 {
			*x.place(&x.blocks[a.slot].keys[a.row-1]) = a
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
