package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image/color"

	"golang.org/x/image/bmp"

	"icebox/extract/format"
)

// bmpHeader describes a BMP that golang.org/x/image/bmp does not read: one of 16 bits a pixel,
// of run lengths, with the header of OS/2, with other masks or with its pixels elsewhere.
type bmpHeader struct {
	own     bool // it is such a one; else the rest is not set
	topDown bool
	bits    int // a pixel
	runs    int // 8 or 4: run lengths of pixels of so many bits; 0 is none
	pixels  int // offset
	palette color.Palette
	masks   [4]uint32 // of red, green, blue and alpha
}

// Values of a BMP's compression.
const (
	bmpRaw    = 0
	bmpRuns8  = 1
	bmpRuns4  = 2
	bmpFields = 3
)

// bmpMasks are the layouts of pixels that Pillow reads, too. Where 16 or 24 bits are without
// masks, the last of them is meant.
var bmpMasks = map[int][][4]uint32{
	16: {{0xf800, 0x7e0, 0x1f}, {0x7c00, 0x3e0, 0x1f}},
	24: {{0xff0000, 0xff00, 0xff}},
	32: {
		{0xff000000, 0xff0000, 0xff00}, {0xff000000, 0xff00, 0xff}, {0xff000000, 0xff0000, 0xff00, 0xff}, {0xff, 0xff00, 0xff0000, 0xff000000},
		{0xff0000, 0xff00, 0xff, 0xff000000}, {0xff000000, 0xff00, 0xff, 0xff0000}, {}, {0xff0000, 0xff00, 0xff},
	},
}

func (h *header) parseBMP(data []byte) error {
	c, err := bmp.DecodeConfig(bytes.NewReader(data))
	if errors.Is(err, bmp.ErrUnsupported) {
		return h.parseOwnBMP(data)
	}
	if err != nil {
		return classify(format.BMP, err)
	}
	h.width, h.height = c.Width, c.Height
	h.rowBits = (h.width*int(binary.LittleEndian.Uint16(data[28:])) + 31) &^ 31
	return nil
}

// parseOwnBMP reads a header as Pillow does.
func (h *header) parseOwnBMP(data []byte) error {
	le, b := binary.LittleEndian, &h.bmp
	*b = bmpHeader{own: true, pixels: int(le.Uint32(data[10:]))}
	size := int(le.Uint32(data[14:]))
	if len(data) < 14+size {
		return truncated(format.BMP)
	}
	info, rest := data[14:14+size], data[14+size:]
	compression, colours, entry := uint32(bmpRaw), 0, 4
	if size == 12 {
		h.width, h.height, b.bits, entry = int(le.Uint16(info[4:])), int(le.Uint16(info[6:])), int(le.Uint16(info[10:])), 3
	} else {
		h.width, h.height = int(int32(le.Uint32(info[4:]))), int(int32(le.Uint32(info[8:])))
		if b.topDown = h.height < 0; b.topDown {
			h.height = -h.height
		}
		b.bits, compression, colours = int(le.Uint16(info[14:])), le.Uint32(info[16:]), int(le.Uint32(info[32:]))
	}
	if compression == bmpFields {
		fields := rest
		if size >= 52 {
			fields = info[40:]
		}
		for i := range b.masks {
			if i == 3 && size < 56 {
				break
			}
			if len(fields) < 4*i+4 {
				return truncated(format.BMP)
			}
			b.masks[i] = le.Uint32(fields[4*i:])
		}
	}
	if err := b.choose(compression); err != nil {
		return err
	}
	h.rowBits = (h.width*b.bits + 31) &^ 31
	if b.runs > 0 {
		h.rowBits = 0 // it may be any number
	}
	if b.bits <= 8 {
		return b.readPalette(rest, colours, entry, 14+size)
	}
	if b.pixels == 0 {
		b.pixels = 14 + size
	}
	return nil
}

// choose says how the pixels are stored, or that nobody reads them.
func (b *bmpHeader) choose(compression uint32) error {
	masks := bmpMasks[b.bits]
	switch {
	case compression == bmpRuns8 && b.bits == 8, compression == bmpRuns4 && b.bits == 4:
		b.runs = b.bits
		return nil
	case compression == bmpRaw && (b.bits == 1 || b.bits == 4 || b.bits == 8):
		return nil
	case compression == bmpRaw && len(masks) > 0:
		b.masks = masks[len(masks)-1]
		return nil
	case compression == bmpFields:
		if b.bits < 32 {
			b.masks[3] = 0
		}
		for _, m := range masks {
			if b.masks == m {
				if m == ([4]uint32{}) { // of 32 bits: the usual ones
					b.masks = [4]uint32{0xff0000, 0xff00, 0xff, 0xff000000}
				}
				return nil
			}
		}
	}
	return failf(ErrUnsupported, "this BMP is not supported: compression %d of %d bits a pixel (save it as a plain JPEG or PNG)", compression, b.bits)
}

// readPalette reads the colours, which lie at an offset and take entry bytes each.
func (b *bmpHeader) readPalette(data []byte, colours, entry, offset int) error {
	if colours == 0 {
		colours = 1 << b.bits
	}
	if colours < 0 || colours > 1<<16 {
		return failf(ErrUnsupported, "this BMP is not supported: a palette of %d colours (save it as a plain JPEG or PNG)", colours)
	}
	if b.pixels == offset || b.pixels == 0 {
		b.pixels = offset + entry*colours // an offset that forgets the palette
	}
	if entry*colours > len(data) {
		return truncated(format.BMP)
	}
	for i := range min(colours, 256) {
		bgr := data[entry*i:]
		b.palette = append(b.palette, color.NRGBA{bgr[2], bgr[1], bgr[0], 255})
	}
	return nil
}

// decodeBMP decodes a BMP here where the library does not read it.
func (p *Preprocessor) decodeBMP(h header, data []byte) (translucent, error) {
	b := &h.bmp
	if !b.own {
		return p.decodeWith(bmp.Decode, data)
	}
	if err := p.interrupted(); err != nil {
		return nil, err
	}
	stride := h.rowBits / 8
	if b.pixels > len(data) || stride > 0 && len(data)-b.pixels < stride*h.height {
		return nil, truncated(format.BMP)
	}
	if b.bits > 8 {
		return b.unpack(h, data[b.pixels:], stride), nil
	}
	pix := make([]byte, h.width*h.height)
	if b.runs > 0 {
		if !b.unpackRuns(pix, h.width, data, b.pixels) {
			return nil, truncated(format.BMP)
		}
		if !b.topDown {
			flip(pix, h.width)
		}
	} else {
		b.unpackIndices(pix, h, data[b.pixels:], stride)
	}
	p.indexed.width, p.indexed.height, p.indexed.stride, p.indexed.pix = h.width, h.height, h.width, pix
	p.indexed.setPalette(b.palette)
	return &p.indexed, nil
}

// line returns row y of pixels, as it is to be seen.
func (b *bmpHeader) line(data []byte, y, height, stride int) []byte {
	if !b.topDown {
		y = height - 1 - y
	}
	return data[y*stride:][:stride]
}

// flip turns rows upside down.
func flip(pix []byte, width int) {
	line := make([]byte, width)
	for lo, hi := 0, len(pix)-width; lo < hi; lo, hi = lo+width, hi-width {
		copy(line, pix[lo:])
		copy(pix[lo:lo+width], pix[hi:])
		copy(pix[hi:], line)
	}
}

func (b *bmpHeader) unpackIndices(pix []byte, h header, data []byte, stride int) {
	each := 8 / b.bits // pixels a byte, the first in its upper bits
	for y := range h.height {
		line := b.line(data, y, h.height, stride)
		for x := range h.width {
			pix[y*h.width+x] = line[x/each] >> (8 - b.bits - x%each*b.bits) & (1<<b.bits - 1)
		}
	}
}

// unpack makes pixels of 16, 24 or 32 bits RGBA, in Pillow's rounding.
func (b *bmpHeader) unpack(h header, data []byte, stride int) *packed {
	at := &packed{width: h.width, height: h.height, stride: 4 * h.width, step: 4, rgb: [3]int{0, 1, 2}, pix: make([]byte, 4*h.width*h.height)}
	if b.masks[3] != 0 {
		at.alpha = 3
	}
	var shift, most [4]uint32
	for i, m := range b.masks {
		for ; m > 0 && m&1 == 0; m >>= 1 {
			shift[i]++
		}
		most[i] = max(m, 1)
	}
	out, size := at.pix, b.bits/8
	for y := range h.height {
		line := b.line(data, y, h.height, stride)
		for x := range h.width {
			v := uint32(0)
			for i, c := range line[x*size:][:size] {
				v |= uint32(c) << (8 * i)
			}
			for i, m := range b.masks {
				out[i] = uint8(v & m >> shift[i] * 255 / most[i])
			}
			out = out[4:]
		}
	}
	return at
}

// unpackRuns unpacks run lengths, row by row from the lowest on, as Pillow does: rows end where
// the file says so, and a run ends with its row. It returns false where the data end early.
func (b *bmpHeader) unpackRuns(pix []byte, width int, data []byte, at int) bool {
	out, x := 0, 0
	put := func(n int, even, odd byte) {
		n = min(n, len(pix)-out)
		for i := range n {
			pix[out+i] = even
			if i%2 == 1 {
				pix[out+i] = odd
			}
		}
		out += n
	}
	for out < len(pix) {
		if len(data)-at < 2 {
			return false
		}
		n, v := int(data[at]), data[at+1]
		at += 2
		even, odd := v, v
		if b.runs == 4 {
			even, odd = v>>4, v&15
		}
		switch {
		case n > 0:
			n = min(n, max(width-x, 0))
			put(n, even, odd)
			x += n
		case v == 0: // the end of a row
			put((width-out%width)%width, 0, 0)
			x = 0
		case v == 1: // the end of all
			return false
		case v == 2: // a step over pixels
			if len(data)-at < 2 {
				return false
			}
			put(int(data[at])+int(data[at+1])*width, 0, 0)
			at += 2
			x = out % width
		default: // pixels one by one
			var ok bool
			if at, ok = b.unpackSingle(put, min(len(pix)-out, int(v)), data, at); !ok {
				return false
			}
			x += int(v)
		}
	}
	return true
}

// unpackSingle unpacks n pixels that are no run, and returns where the next item begins: at an
// even offset.
func (b *bmpHeader) unpackSingle(put func(n int, even, odd byte), n int, data []byte, at int) (next int, ok bool) {
	each := 8 / b.runs
	size := (n + each - 1) / each
	if len(data)-at < size {
		return at, false
	}
	for _, v := range data[at : at+size] {
		if b.runs == 8 {
			put(1, v, v)
			continue
		}
		put(min(n, 2), v>>4, v&15)
		n -= 2
	}
	at += size
	return at + at%2, true
}
