package jpeg

import (
	"bytes"
	"encoding/binary"
)

// Markers.
const (
	markSOF0 = 0xc0 // baseline
	markSOF1 = 0xc1 // extended sequential
	markSOF2 = 0xc2 // progressive
	markDHT  = 0xc4
	markTEM  = 0x01
	markRST0 = 0xd0
	markRST7 = 0xd7
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markDQT  = 0xdb
	markDRI  = 0xdd
	markAPP0 = 0xe0
	markAPPF = 0xef
	markCOM  = 0xfe
)

// maxComponents is the most that a picture may have; it has 1, 3 or 4.
const maxComponents = 4

// maxMCUBlocks is libjpeg's limit to the blocks of an interleaved MCU.
const maxMCUBlocks = 10

// component is one of the picture's, and the part of it that is wanted.
type component struct {
	id, h, v int // h×v blocks an MCU
	tall     int // v as the frame has it, also where each block is an MCU
	quant    int // number of its table
	decoded  bool

	across, down int // blocks that hold samples
	x0, x1       int // columns of blocks that are decoded
	y0, y1       int // rows of blocks that are decoded
	plane        Plane
	coefs        []int16 // a row of MCUs, v rows of blocks; of a progressive picture all
	dcTable      *table
	acTable      *table
	stride       int // coefficients from row to row of blocks

	progress progress // of a progressive picture
}

// frame is what the segments before a scan say.
type frame struct {
	width, height int
	progressive   bool
	scans         int // so far
	count         int // of components
	comps         [maxComponents]component
	hMax, vMax    int
	restart       int // MCUs between restart markers; 0 is none
	quant         [4][64]uint16
	hasQuant      [4]bool
	dc, ac        [4]*table
}

// segments reads from at to behind the next start-of-scan header, which it
// returns. done tells that the picture ended instead.
func (d *Decoder) segments(at int) (sos []byte, next int, done bool, err error) {
	for {
		mark, body, next, ok := segment(d.data, at)
		switch {
		case !ok:
			return nil, 0, false, ErrShort
		case mark == markEOI:
			return nil, next, true, nil
		case mark == markSOS:
			return body, next, false, nil
		case mark == markSOF0 || mark == markSOF1 || mark == markSOF2:
			d.frame.progressive = mark == markSOF2
			err = d.frame.parse(body)
		case mark == markDQT:
			err = d.frame.parseQuant(body)
		case mark == markDHT:
			err = d.parseHuffman(body)
		case mark == markDRI:
			if len(body) != 2 {
				return nil, 0, false, ErrForeign
			}
			d.frame.restart = int(binary.BigEndian.Uint16(body))
		case mark >= markAPP0 && mark <= markAPPF || mark == markCOM:
		default:
			err = ErrForeign
		}
		if err != nil {
			return nil, 0, false, err
		}
		at = next
	}
}

// segment reads the next marker from an offset on, and the segment that belongs to it. As
// libjpeg does, it skips bytes that belong to no marker, and markers that stand alone.
func segment(data []byte, at int) (mark byte, body []byte, next int, ok bool) {
	for alone := true; alone; alone = mark == 0 || mark == 0xff || mark == markTEM || mark >= markRST0 && mark <= markRST7 {
		i := bytes.IndexByte(data[min(at, len(data)):], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return 0, nil, 0, false
		}
		at += i + 1
		if mark = data[at]; mark != 0xff {
			at++
		}
	}
	if mark == markEOI {
		return mark, nil, at, true
	}
	if at+2 > len(data) {
		return 0, nil, 0, false
	}
	n := int(binary.BigEndian.Uint16(data[at:]))
	if n < 2 || at+n > len(data) {
		return 0, nil, 0, false
	}
	return mark, data[at+2 : at+n], at + n, true
}

// parse reads a frame header.
func (f *frame) parse(body []byte) error {
	if f.count != 0 || len(body) < 6 || body[0] != 8 || len(body) != 6+3*int(body[5]) {
		return ErrForeign
	}
	f.height, f.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	n := int(body[5])
	if f.height == 0 || f.width == 0 || n != 1 && n != 3 && n != 4 {
		return ErrForeign
	}
	f.hMax, f.vMax = 1, 1
	for i := range n {
		b := body[6+3*i:]
		c := &f.comps[i]
		*c = component{id: int(b[0]), h: int(b[1] >> 4), v: int(b[1] & 15), quant: int(b[2]), coefs: c.coefs, plane: Plane{Pix: c.plane.Pix}, progress: progress{set: c.progress.set}}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return ErrForeign
		}
		c.tall = c.v
		if n == 1 {
			c.h, c.v = 1, 1
		}
		for j := range i {
			if f.comps[j].id == c.id {
				return ErrForeign
			}
		}
		f.hMax, f.vMax = max(f.hMax, c.h), max(f.vMax, c.v)
	}
	for i := range n {
		if c := &f.comps[i]; f.hMax%c.h != 0 || f.vMax%c.v != 0 {
			return ErrForeign // a sample is no whole number of pixels wide or high
		}
	}
	f.count = n
	return nil
}

// mcus returns how many MCUs of all components there are.
func (f *frame) mcus() (across, down int) {
	return (f.width + 8*f.hMax - 1) / (8 * f.hMax), (f.height + 8*f.vMax - 1) / (8 * f.vMax)
}

// parseQuant reads quantisation tables, into the order of rows.
func (f *frame) parseQuant(body []byte) error {
	for len(body) > 0 {
		wide, n := int(body[0]>>4), int(body[0]&15)
		body = body[1:]
		if wide > 1 || n > 3 || len(body) < 64*(wide+1) {
			return ErrForeign
		}
		for k := range 64 {
			if wide == 1 {
				f.quant[n][zigzag[k]] = binary.BigEndian.Uint16(body[2*k:])
			} else {
				f.quant[n][zigzag[k]] = uint16(body[k])
			}
		}
		f.hasQuant[n] = true
		body = body[64*(wide+1):]
	}
	return nil
}

// zigzag gives the place, row by row, of a coefficient of the bit stream.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
