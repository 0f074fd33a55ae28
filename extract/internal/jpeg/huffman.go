package jpeg

// lookBits is the length of the longest codes that one look into a table resolves.
const lookBits = 10

// A code's entry says what to do with the bits at hand. Its bytes are, from the lowest:
// how many bits code and value have together; how many the code has; 63 less how many
// the value has; how many coefficients it moves on. An entry with special set is an end
// of block or, if it has no other bit, a code longer than lookBits or no code at all.
const (
	entryCode    = 8
	entryShift   = 16
	entryAdvance = 24
	special      = 1 << 31
	endOfBlock   = special | 63<<entryShift
)

// table resolves the codes of one Huffman table.
type table struct {
	look [1 << lookBits]uint32
	// Codes longer than lookBits: those of n bits, left-aligned in 16, lie
	// below limit[n], and the place of a code's entry is code + offset[n].
	limit  [17]uint32
	offset [17]int32
	long   [256]uint32
	// spec is the segment's part that it is made from: tables are the same in
	// image after image.
	spec  []byte
	built coding // what it has been made for; unbuilt if spec has changed since
}

// coding is what the symbols of a table mean.
type coding uint8

const (
	unbuilt    coding = iota
	levels            // differences of DC
	sequential        // runs and sizes of AC, with an end of block
	bands             // those of a band of AC, with ends of several blocks' bands
)

// parseHuffman reads tables of codes.
func (d *Decoder) parseHuffman(body []byte) error {
	for len(body) > 0 {
		class, n := int(body[0]>>4), int(body[0]&15)
		if class > 1 || n > 3 || len(body) < 17 {
			return ErrForeign
		}
		codes := 0
		for _, c := range body[1:17] {
			codes += int(c)
		}
		if codes > 256 || len(body) < 17+codes {
			return ErrForeign
		}
		t := &d.tables[class][n]
		if spec := body[:17+codes]; string(t.spec) != string(spec) {
			t.spec, t.built = append(t.spec[:0], spec...), unbuilt
		}
		if class == 0 {
			d.frame.dc[n] = t
		} else {
			d.frame.ac[n] = t
		}
		body = body[17+codes:]
	}
	return nil
}

// make builds the table for a coding, unless that is done. It fails where there is no table,
// the codes don't fit or a symbol is none of an 8-bit picture's.
func (t *table) make(c coding) bool {
	if t == nil {
		return false
	}
	if t.built == c {
		return true
	}
	t.built = unbuilt
	if !t.build(c, t.spec) {
		return false
	}
	t.built = c
	return true
}

// build makes the table of a class byte, 16 counts and the symbols.
func (t *table) build(c coding, spec []byte) bool {
	for i := range t.look {
		t.look[i] = special
	}
	counts, symbols := spec[1:17], spec[17:]
	code, place := uint32(0), 0
	for n := 1; n <= 16; n++ {
		t.offset[n] = int32(place) - int32(code)
		for range counts[n-1] {
			e, ok := entryOf(c, symbols[place], uint32(n))
			// libjpeg keeps the code of ones only free.
			if !ok || code >= 1<<n-1 {
				return false
			}
			t.long[place] = e
			if n <= lookBits {
				from := code << (lookBits - n)
				for i := range uint32(1) << (lookBits - n) {
					t.look[from+i] = e
				}
			}
			code++
			place++
		}
		t.limit[n] = code << (16 - n)
		code <<= 1
	}
	return true
}

// entryOf makes the entry of a symbol with a code of n bits. Differences of DC
// have up to 11 bits, other coefficients 10. The end of a band has the value's bits as the
// number of blocks that it is the end of, less 2 to the power of how many bits these are.
func entryOf(c coding, symbol uint8, n uint32) (uint32, bool) {
	run, size := uint32(symbol>>4), uint32(symbol&15)
	switch {
	case c == levels && symbol > 11, size > 11, c != levels && size > 10:
		return 0, false
	case c != levels && symbol == 0:
		return endOfBlock | n<<entryCode | n, true
	case c == sequential && size == 0 && run != 15:
		return 0, false
	case c == bands && size == 0 && run != 15:
		return special | run<<entryAdvance | (63-run)<<entryShift | n<<entryCode | n + run, true
	}
	return n<<entryCode | (63-size)<<entryShift | (run+1)<<entryAdvance | n + size, true
}

// find resolves a code longer than lookBits at the top of acc. It returns
// special alone if there is none.
func (t *table) find(acc uint64) uint32 {
	top := uint32(acc >> 48)
	for n := lookBits + 1; n <= 16; n++ {
		if top < t.limit[n] {
			return t.long[uint8(int32(top>>(16-n))+t.offset[n])]
		}
	}
	return special
}
