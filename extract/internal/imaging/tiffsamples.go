package imaging

import (
	"encoding/binary"
	"math"

	"icebox/extract/internal/imaging/unfilter"
	"icebox/extract/internal/mem"
)

// bytes makes a byte of each sample of a row: of more than 8 bits the upper 8, of fewer a
// level of 0 to 255, or the number of a colour of a palette. Signed numbers, floating point
// and numbers of 32 bits are levels already, and are clipped, as Pillow does.
func (t *tiffHeader) bytes(dst, row []byte) {
	switch {
	case t.depth == 8:
		copy(dst, row)
	case t.depth < 8:
		t.spread(dst, row)
	case t.depth == 12:
		for i := range dst {
			bit := 12 * i
			dst[i] = uint8(binary.BigEndian.Uint16(row[bit/8:]) >> (8 - bit%8))
		}
	case t.depth == 16 && t.format == tiffSigned:
		for i := range dst {
			dst[i] = clip(int32(int16(t.order.Uint16(row[2*i:]))))
		}
	case t.depth == 16:
		for i := range dst {
			dst[i] = uint8(t.order.Uint16(row[2*i:]) >> 8)
		}
	case t.format == tiffFloat:
		for i := range dst {
			if v := math.Float32frombits(t.order.Uint32(row[4*i:])); v > 0 { // not a NaN
				dst[i] = uint8(min(v, 255))
			} else {
				dst[i] = 0
			}
		}
	default:
		for i := range dst {
			dst[i] = clip(int32(t.order.Uint32(row[4*i:])))
		}
	}
}

// spread makes bytes of samples of 1, 2 or 4 bits, the first of which is in the upper bits.
func (t *tiffHeader) spread(dst, row []byte) {
	most := byte(1<<t.depth - 1)
	scale := 255 / most
	if t.photometric == tiffPalette {
		scale = 1
	}
	each := 8 / t.depth
	for i := range dst {
		dst[i] = row[i/each] >> (8 - t.depth - i%each*t.depth) & most * scale
	}
}

// undo undoes the predictor of a block, in place. Scratch grows to a row.
func (t *tiffHeader) undo(block []byte, scratch *[]byte) {
	n, size := t.together(), t.depth/8
	for rowBytes := int(t.rowBytes()); len(block) >= rowBytes; block = block[rowBytes:] {
		row := block[:rowBytes]
		switch {
		case t.predictor == tiffFloatDifferences:
			addBytes(row, n)
			*scratch = mem.Grow(*scratch, rowBytes)
			copy(*scratch, row)
			t.gather(row, *scratch)
		case t.predictor != tiffDifferences:
			return
		case size == 1:
			addBytes(row, n)
		case size == 2:
			for i := 2 * n; i < rowBytes; i += 2 {
				t.order.PutUint16(row[i:], t.order.Uint16(row[i:])+t.order.Uint16(row[i-2*n:]))
			}
		default:
			for i := 4 * n; i < rowBytes; i += 4 {
				t.order.PutUint32(row[i:], t.order.Uint32(row[i:])+t.order.Uint32(row[i-4*n:]))
			}
		}
	}
}

// addBytes adds to each byte the one n before it.
func addBytes(row []byte, n int) {
	const most = 8 // that package unfilter knows
	if n <= most {
		unfilter.Row(unfilter.Sub, n, row, row)
		return
	}
	for i := n; i < len(row); i++ {
		row[i] += row[i-n]
	}
}

// gather puts the bytes of numbers of 4 bytes together, of which the highest bytes of all come
// first.
func (t *tiffHeader) gather(row, apart []byte) {
	n := len(apart) / 4
	for i := range n {
		t.order.PutUint32(row[4*i:], uint32(apart[i])<<24|uint32(apart[n+i])<<16|uint32(apart[2*n+i])<<8|uint32(apart[3*n+i]))
	}
}
