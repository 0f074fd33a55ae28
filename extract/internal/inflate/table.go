package inflate

import (
	"math/bits"

	"icebox/extract/internal/mem"
)

// An entry of a table says what to do with the bits at hand. Its bits are, from the lowest: 8
// for how many bits code and value have together; 6 for how many the code has, or a link's
// subtable is looked up by; a mark of entries that are rare; 16 for a value to which the bits
// behind the code are added, or for the place of a subtable; a mark of literals.
const (
	entryCode  = 8
	rare       = 1 << 14
	entryValue = 15
	literal    = 1 << 31
	sixBits    = 63
	valueBits  = 1<<16 - 1

	link   = rare | 1<<6 // to a subtable: the bits that find it are to be dropped
	noCode = rare        // or a code of a symbol that does not exist
	theEnd = rare | 1<<7 // of the block
)

// table resolves codes of up to maxCode bits: its first 1<<look entries those of up to look
// bits, which the others follow in subtables.
type table struct {
	entries []uint32
	look    uint
}

// maxCode is the length of the longest code.
const maxCode = 15

// make builds the table of the lengths of codes, with the entry of each symbol, whose code's
// length is yet to be added. It returns false where the codes don't fit, or leave some bits
// without one; as in compress/flate, no code and a single one of 1 bit are allowed.
func (t *table) make(look uint, lengths []uint8, symbols []uint32) bool {
	var count [maxCode + 1]int
	longest := 0
	for _, n := range lengths {
		count[n]++
		longest = max(longest, int(n))
	}
	count[0] = 0
	var next [maxCode + 1]uint32 // code of each length
	code := uint32(0)
	for n := 1; n <= longest; n++ {
		code <<= 1
		next[n] = code
		code += uint32(count[n])
	}
	if longest > 0 && code != 1<<longest && (code != 1 || longest != 1) {
		return false
	}
	t.look = look
	t.entries = mem.Grow(t.entries, 1<<look)
	for i := range t.entries {
		t.entries[i] = noCode
	}
	for s, n := range lengths {
		if n > 0 {
			t.add(symbols[s], next[n], uint(n), uint(longest))
			next[n]++
		}
	}
	return true
}

// add enters a code of n bits at every place that begins with it.
func (t *table) add(symbol, code uint32, n, longest uint) {
	place := uint(bits.Reverse32(code) >> (32 - n)) // the first bit is the lowest
	if n <= t.look {
		for at := place; at < 1<<t.look; at += 1 << n {
			t.entries[at] = symbol + uint32(n)<<entryCode + uint32(n)
		}
		return
	}
	first := &t.entries[place&(1<<t.look-1)]
	more := longest - t.look
	if *first == noCode {
		*first = link | uint32(t.look) | uint32(more)<<entryCode | uint32(len(t.entries))<<entryValue
		for range 1 << more {
			t.entries = append(t.entries, noCode)
		}
		first = &t.entries[place&(1<<t.look-1)]
	}
	sub := t.entries[*first>>entryValue&valueBits:][:1<<more]
	n -= t.look
	for at := place >> t.look; at < 1<<more; at += 1 << n {
		sub[at] = symbol + uint32(n)<<entryCode + uint32(n)
	}
}
