package imaging

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/png"

	"icebox/extract/format"
	"icebox/extract/internal/imaging/unfilter"
	"icebox/extract/internal/inflate"
	"icebox/extract/internal/mem"
)

// simplePNG decodes the kinds of PNG that nearly all files are: 8 bits a sample, no palette, no
// transparent colour, not interlaced. It keeps memory between pictures.
type simplePNG struct {
	packed
	inflater inflate.Decoder
	stream   []byte // of the IDAT chunks, and what the inflater needs behind it
	rows     []byte // the picture, each row behind its filter's number
	above    []byte // zeros, which nobody changes
}

// keptPNG is the most memory of one kind that is kept.
const keptPNG = 8 << 20

// pngKinds are the samples of the pixels of each colour type that is simple.
var pngKinds = map[byte]packed{
	pngGrey: {step: 1},
	2:       {step: 3, rgb: [3]int{0, 1, 2}},
	4:       {step: 2, alpha: 1},
	6:       {step: 4, rgb: [3]int{0, 1, 2}, alpha: 3},
}

// find finds the pixels of a simple PNG. It returns false for one that is another kind or has
// a chunk out of place or with a wrong checksum: the standard library's decoder reads it, or
// says what is wrong.
func (p *simplePNG) find(h header, data []byte) bool {
	kind, ok := pngKinds[h.png.colour]
	if !ok || h.png.depth != 8 || h.png.interlaced || h.png.keyed || data[26] != 0 || data[27] != 0 {
		return false
	}
	p.packed, p.width, p.height = kind, h.width, h.height
	p.stream = mem.Grow(p.stream, len(data))[:0] // with a checksum and a name, which are more than what is added
	last := 0                                    // where the last of the pixels' chunks ends
	for at := 8; len(data)-at >= 12; {
		n := int(binary.BigEndian.Uint32(data[at:]))
		if n > len(data)-at-12 || crc32.ChecksumIEEE(data[at+4:at+8+n]) != binary.BigEndian.Uint32(data[at+8+n:]) {
			return false
		}
		name, body := string(data[at+4:at+8]), data[at+8:at+8+n]
		at += 12 + n
		switch {
		case name == "IDAT" && (last == 0 || last+12+n == at):
			p.stream, last = append(p.stream, body...), at
		case name == "IEND":
			p.stream = append(p.stream, make([]byte, inflate.Slack)...)
			return n == 0 && last > 0
		case name == "IDAT",
			name == "IHDR" && (at != 33 || n != 13),
			name == "PLTE" && (last > 0 || h.png.colour != 2 && h.png.colour != 6 || n%3 != 0 || n > 3*256):
			return false
		}
	}
	return false
}

// decode inflates the pixels that find has found, and undoes their filters.
func (p *simplePNG) decode(ctx context.Context) error {
	width := p.width * p.step
	p.stride = 1 + width
	p.rows, p.above = mem.Grow(p.rows, p.stride*p.height), mem.Grow(p.above, width)
	p.inflater.Interrupted = nil
	if ctx != nil {
		p.inflater.Interrupted = ctx.Err
	}
	if err := p.inflater.Zlib(p.rows, p.stream); err != nil {
		return err
	}
	above := p.above
	for rest := p.rows; len(rest) > 0; rest = rest[p.stride:] {
		row := rest[1:p.stride]
		if !unfilter.Row(rest[0], p.step, row, above) {
			return failf(ErrFormat, "damaged PNG: there is no filter %d", rest[0])
		}
		above = row
	}
	p.pix = p.rows[1:]
	return nil
}

// forget drops the picture, and memory that is large.
func (p *simplePNG) forget() {
	p.pix, p.inflater.Interrupted = nil, nil
	if cap(p.rows) > keptPNG {
		p.rows = nil
	}
	if cap(p.stream) > keptPNG {
		p.stream = nil
	}
}

// decodePNG decodes a simple PNG here, and any other with the standard library.
func (p *Preprocessor) decodePNG(h header, data []byte) (translucent, error) {
	if !p.png.find(h, data) {
		return p.decodeWith(png.Decode, data)
	}
	err := p.png.decode(p.ctx)
	switch {
	case errors.Is(err, inflate.ErrShort):
		err = truncated(format.PNG)
	case errors.Is(err, inflate.ErrLong):
		err = failf(ErrFormat, "damaged PNG: too much pixel data")
	}
	return &p.png, err
}
