package imaging

import (
	"encoding/binary"

	"icebox/extract/format"
)

// Redecoded is the number of times that what is made of some kinds of image has changed while
// the pixels of all others stayed, so that Version did, too.
//
//  1. The kinds that [IsRedecoded] tells get other pixels.
//  2. TIFFs are read that were refused: of CMYK, JPEG, separate planes, 64-bit offsets, 2, 4 or
//     12 bits, and others. No pixels change.
const Redecoded = 2

// Redrawn is the last of them with which pixels changed.
const Redrawn = 1

// IsRedecoded tells whether an image, of which head is the beginning, is of a kind that older
// versions, of before Redrawn, read with other pixels: a JPEG that is progressive or has four components or
// sampling factors of 3. known is false where head ends too early to say.
func IsRedecoded(head []byte) (is, known bool) {
	if format.Sniff(head) != format.JPEG {
		return false, true
	}
	for at := 2; ; {
		mark, next := nextMarker(head, at)
		if next+2 > len(head) {
			return false, false
		}
		end := next + max(int(binary.BigEndian.Uint16(head[next:])), 2)
		switch {
		case mark == markSOS:
			return false, true
		case isFrame(mark) && end > len(head):
			return false, false
		case isFrame(mark):
			var h header
			if h.parseFrame(mark, head[next+2:end]) != nil {
				return false, true // which no version reads
			}
			is = h.jpeg.progressive || h.jpeg.components == 4
			for _, f := range h.jpeg.factors {
				is = is || f.h == 3 || f.v == 3
			}
			return is, true
		}
		at = end
	}
}
