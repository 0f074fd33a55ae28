package imaging

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"icebox/extract/internal/mem"
)

// Colour reads "white", "black" or "#rrggbb".
func Colour(text string) ([3]byte, error) {
	switch text {
	case "white":
		return [3]byte{255, 255, 255}, nil
	case "black":
		return [3]byte{}, nil
	}
	digits, ok := strings.CutPrefix(text, "#")
	rgb, err := hex.DecodeString(digits)
	if !ok || err != nil || len(rgb) != 3 {
		return [3]byte{}, fmt.Errorf("%q is no colour: give white, black or #rrggbb, such as #ff8000 for orange", text)
	}
	return [3]byte(rgb), nil
}

// translucent is a raster with an alpha channel.
type translucent interface {
	raster
	// opaque tells whether no pixel lets anything through.
	opaque() bool
	// alphas writes the alpha of the columns [x0, x1) of line y to dst.
	alphas(dst []byte, y, x0, x1 int)
}

// blended is a translucent raster that lies over a colour.
type blended struct {
	translucent
	over [3]byte
	line []byte
}

// row mixes each pixel with the colour in the rounding of Pillow's paste with a mask and
// of its alpha_composite over an opaque picture, which are equal: v/255 to the nearest.
func (b *blended) row(dst []byte, y, x0, x1 int) {
	b.translucent.row(dst, y, x0, x1)
	b.line = mem.Grow(b.line, x1-x0)
	b.alphas(b.line, y, x0, x1)
	for i, a := range b.line {
		if a == 255 {
			continue
		}
		px := dst[3*i:][:3]
		for c, v := range px {
			t := uint32(v)*uint32(a) + uint32(b.over[c])*uint32(255-a) + 128
			px[c] = uint8((t>>8 + t) >> 8)
		}
	}
}

func (p *packed) opaque() bool {
	if p.alpha == 0 {
		return true
	}
	for y := range p.height {
		line := p.pix[y*p.stride:][:p.width*p.step]
		for at := p.alpha; at < len(line); at += p.step {
			if line[at] != 255 {
				return false
			}
		}
	}
	return true
}

func (p *packed) alphas(dst []byte, y, x0, x1 int) {
	for i := range dst[:x1-x0] {
		dst[i] = p.pix[y*p.stride+(x0+i)*p.step+p.alpha]
	}
}

func (p *indexed) opaque() bool {
	if !slices.ContainsFunc(p.alpha[:], func(a uint8) bool { return a != 255 }) {
		return true
	}
	for y := range p.height {
		for _, v := range p.pix[y*p.stride:][:p.width] {
			if p.alpha[v] != 255 {
				return false
			}
		}
	}
	return true
}

func (p *indexed) alphas(dst []byte, y, x0, x1 int) {
	for i, v := range p.pix[y*p.stride+x0 : y*p.stride+x1] {
		dst[i] = p.alpha[v]
	}
}

// opaque looks at the canvas around the raster, too.
func (p *framed) opaque() bool {
	w, h := p.translucent.size()
	return p.translucent.opaque() && (p.around == 255 || w == p.width && h == p.height)
}

func (p *framed) alphas(dst []byte, y, x0, x1 int) {
	for i := range dst[:x1-x0] {
		dst[i] = p.around
	}
	if from, to, ok := p.inside(y, x0, x1); ok {
		p.translucent.alphas(dst[from-x0:], y-p.y, from-p.x, to-p.x)
	}
}

func (p *webpPlanes) opaque() bool {
	if p.alpha == nil {
		return true
	}
	w, h := p.size()
	for y := range h {
		for _, a := range p.alpha[y*p.alphaStride:][:w] {
			if a != 255 {
				return false
			}
		}
	}
	return true
}

func (p *webpPlanes) alphas(dst []byte, y, x0, x1 int) {
	copy(dst[:x1-x0], p.alpha[y*p.alphaStride+x0:])
}
