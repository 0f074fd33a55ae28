package imaging

import (
	"encoding/binary"

	"icebox/extract/format"
)

// lzw unpacks the LZW of TIFF 6.0, section 13: codes of 9 to 12 bits, the highest bit first,
// which become longer one code early. A string that a code stands for is one that has been
// written before, and so is a place in what has been unpacked.
type lzw struct {
	start, length [1 << lzwMost]uint32
}

const (
	lzwLeast, lzwMost = 9, 12 // bits of a code

	lzwClear = 256 // forget all strings
	lzwEnd   = 257
	lzwFirst = 258 // of the codes that stand for strings
)

// lzwAtOnce is how many bytes are unpacked between two questions whether to go on.
const lzwAtOnce = 1 << 20

// unpack fills dst, of less than 4 GB. What does not fit is left out. Interrupted is asked now
// and then; if it returns an error, unpack returns it.
func (l *lzw) unpack(dst, src []byte, interrupted func() error) error {
	if len(src) > 1 && src[0] == 0 && src[1]&1 != 0 {
		return unsupportedTIFF("LZW in the way of before TIFF 6.0")
	}
	var acc uint64 // the next bits, from the highest on
	n, pos := uint(0), 0
	width, next := uint(lzwLeast), lzwFirst
	last, lastLen := 0, 0 // the string before; of length 0 where there is none
	for out, ask := 0, lzwAtOnce; out < len(dst); {
		if out >= ask {
			if err := interrupted(); err != nil {
				return err
			}
			ask = out + lzwAtOnce
		}
		if n < width {
			if len(src)-pos >= 8 {
				acc |= binary.BigEndian.Uint64(src[pos:]) >> n
				pos += int((63 - n) >> 3)
				n |= 56
			} else {
				for ; n <= 48 && pos < len(src); pos++ {
					acc |= uint64(src[pos]) << (56 - n)
					n += 8
				}
				if n < width {
					return truncated(format.TIFF)
				}
			}
		}
		code := int(acc >> (64 - width))
		acc <<= width
		n -= width
		length := 1
		switch {
		case code < lzwClear:
			dst[out] = byte(code)
		case code == lzwClear:
			width, next, lastLen = lzwLeast, lzwFirst, 0
			continue
		case code == lzwEnd:
			return truncated(format.TIFF)
		case code < next:
			length = int(l.length[code])
			repeat(dst, out, int(l.start[code]), length)
		case code == next && lastLen > 0: // the string before, and its own first byte again
			length = lastLen + 1
			repeat(dst, out, last, length)
		default:
			return damagedTIFF("its LZW data make no sense")
		}
		if lastLen > 0 && next < 1<<lzwMost {
			l.start[next], l.length[next] = uint32(last), uint32(lastLen+1)
			if next++; next == 1<<width-1 && width < lzwMost {
				width++
			}
		}
		last, lastLen = out, length
		out += length
	}
	return nil
}

// repeat copies what begins at from, which may overlap what it becomes, as far as dst goes.
func repeat(dst []byte, out, from, length int) {
	if length > len(dst)-out-8 || out-from < 8 {
		for i := range min(length, len(dst)-out) {
			dst[out+i] = dst[from+i]
		}
		return
	}
	for end := out + length; out < end; out, from = out+8, from+8 {
		binary.LittleEndian.PutUint64(dst[out:], binary.LittleEndian.Uint64(dst[from:]))
	}
}
