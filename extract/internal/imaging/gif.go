package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"

	"icebox/extract/format"
)

// gifHeader locates what the first frame consists of.
type gifHeader struct {
	frame       int   // offset of its image descriptor
	controls    []int // offsets of the flags of the graphic controls before it
	transparent uint8 // index that fills the canvas around the frame
	seeThrough  bool  // that index is transparent
}

const gifHasTransparent = 1

// parseGIF walks to the first frame.
func (h *header) parseGIF(data []byte) error {
	if len(data) < 13 {
		return truncated(format.GIF)
	}
	h.width = int(binary.LittleEndian.Uint16(data[6:]))
	h.height = int(binary.LittleEndian.Uint16(data[8:]))
	at := 13
	if flags := data[10]; flags&0x80 != 0 {
		at += 3 << (flags&7 + 1)
	}
	for at < len(data) {
		switch data[at] {
		case 0x2c: // image descriptor
			h.gif.frame = at
			return nil
		case 0x21: // extension
			if has(data, at, "\x21\xf9\x04") && at+7 < len(data) {
				h.gif.controls = append(h.gif.controls, at+3)
				if data[at+3]&gifHasTransparent != 0 {
					h.gif.transparent, h.gif.seeThrough = data[at+6], true
				}
			}
			for at += 2; at < len(data) && data[at] != 0; {
				at += 1 + int(data[at])
			}
			at++
		case 0x3b: // trailer
			return failf(ErrFormat, "GIF without a picture in it")
		default:
			return failf(ErrFormat, "damaged GIF: unknown block 0x%02x", data[at])
		}
	}
	return truncated(format.GIF)
}

// decodeGIF returns the first frame on its canvas. The decoder would paint
// transparent pixels black where Pillow keeps the palette's colour, so it is
// not told of them.
func (p *Preprocessor) decodeGIF(h header, data []byte) (raster, error) {
	head := bytes.Clone(data[:h.gif.frame])
	for _, at := range h.gif.controls {
		head[at] &^= gifHasTransparent
	}
	img, err := gif.Decode(p.reader(head, data[h.gif.frame:]))
	if err != nil {
		return nil, err
	}
	frame := img.(*image.Paletted)
	src, err := p.fromImage(frame)
	if err != nil {
		return nil, err
	}
	if h.gif.seeThrough {
		p.indexed.alpha[h.gif.transparent] = 0
	}
	return &framed{
		translucent: src,
		width:       h.width, height: h.height,
		x: frame.Rect.Min.X, y: frame.Rect.Min.Y,
		fill: p.indexed.palette[h.gif.transparent], around: p.indexed.alpha[h.gif.transparent],
	}, nil
}
