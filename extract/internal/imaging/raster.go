package imaging

import (
	"encoding/binary"
	"image/color"
)

// raster is a decoded picture that gives out RGB on demand.
type raster interface {
	size() (width, height int)
	// row writes the columns [x0, x1) of line y to dst, 3 bytes a pixel. x0 < x1.
	row(dst []byte, y, x0, x1 int)
}

// packed is a raster of interleaved samples, of which the upper byte is used: 16 bits
// become 8 by v>>8.
type packed struct {
	width, height int
	pix           []byte
	stride, step  int
	rgb           [3]int // offset of each channel in a pixel
	alpha         int    // offset of alpha; 0 is none
}

func (p *packed) size() (int, int) { return p.width, p.height }

func (p *packed) row(dst []byte, y, x0, x1 int) {
	src, dst := p.pix[y*p.stride+x0*p.step:y*p.stride+x1*p.step], dst[:3*(x1-x0)]
	switch {
	case p.step == 1:
		src, dst = spreadGrey(dst, src)
	case p.step == 3:
		copy(dst, src)
		return
	case p.step == 4 && p.rgb == [3]int{0, 1, 2}:
		src, dst = dropFourth(dst, src)
	}
	r, g, b := p.rgb[0], p.rgb[1], p.rgb[2]
	for len(src) >= p.step && len(dst) >= 3 {
		dst[0], dst[1], dst[2] = src[r], src[g], src[b]
		src, dst = src[p.step:], dst[3:]
	}
}

// dropFourth copies the first three bytes of each four, two pixels at a time, while
// there is room for the whole words that it writes. It returns what is left.
func dropFourth(dst, src []byte) (restSrc, restDst []byte) {
	for len(src) >= 8 && len(dst) >= 8 {
		v := binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst, v&0xffffff|v>>8&0xffffff000000)
		src, dst = src[8:], dst[6:]
	}
	return src, dst
}

// spreadGrey writes each byte three times, while there is room for the whole words
// that it writes. It returns what is left.
func spreadGrey(dst, src []byte) (restSrc, restDst []byte) {
	for len(src) >= 1 && len(dst) >= 4 {
		binary.LittleEndian.PutUint32(dst, uint32(src[0])*0x010101)
		src, dst = src[1:], dst[3:]
	}
	return src, dst
}

// premultiplied is a packed raster whose colours are multiplied by alpha. Pillow
// divides them by it before it drops alpha.
type premultiplied struct{ packed }

func (p *premultiplied) row(dst []byte, y, x0, x1 int) {
	p.packed.row(dst, y, x0, x1)
	for x := x0; x < x1; x++ {
		a := int(p.pix[y*p.stride+x*p.step+p.alpha])
		if a == 255 {
			continue
		}
		px := dst[3*(x-x0):][:3]
		for c, v := range px {
			if a == 0 {
				px[c] = 0
			} else {
				px[c] = uint8(min(int(v)*255/a, 255))
			}
		}
	}
}

// indexed is a raster of palette indices.
type indexed struct {
	width, height int
	pix           []byte
	stride        int
	palette       [256][3]byte
	alpha         [256]uint8
}

func (p *indexed) size() (int, int) { return p.width, p.height }

func (p *indexed) row(dst []byte, y, x0, x1 int) {
	for i, v := range p.pix[y*p.stride+x0 : y*p.stride+x1] {
		*(*[3]byte)(dst[3*i:]) = p.palette[v]
	}
}

// setPalette takes the colours. Those that the file leaves out are black.
func (p *indexed) setPalette(colors color.Palette) {
	p.palette = [256][3]byte{}
	for i := range p.alpha {
		p.alpha[i] = 255
	}
	for i, c := range colors[:min(len(colors), 256)] {
		switch c := c.(type) {
		case color.NRGBA:
			p.palette[i], p.alpha[i] = [3]byte{c.R, c.G, c.B}, c.A
		default:
			r, g, b, _ := c.RGBA()
			p.palette[i] = [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}
		}
	}
}

// framed is a raster that covers a part of a canvas of one colour.
type framed struct {
	translucent
	width, height int
	x, y          int
	fill          [3]byte
	around        uint8 // alpha of the canvas
}

func (p *framed) size() (int, int) { return p.width, p.height }

func (p *framed) row(dst []byte, y, x0, x1 int) {
	for i := range x1 - x0 {
		*(*[3]byte)(dst[3*i:]) = p.fill
	}
	if from, to, ok := p.inside(y, x0, x1); ok {
		p.translucent.row(dst[3*(from-x0):], y-p.y, from-p.x, to-p.x)
	}
}

// inside returns the columns of [x0, x1) of line y that the raster covers.
func (p *framed) inside(y, x0, x1 int) (from, to int, ok bool) {
	w, h := p.translucent.size()
	from, to = max(x0, p.x), min(x1, p.x+w)
	return from, to, y >= p.y && y < p.y+h && from < to
}
