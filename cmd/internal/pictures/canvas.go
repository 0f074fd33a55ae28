package pictures

import (
	"image"
	"math"
)

// rgb is a colour; channels go from 0 to 1.
type rgb [3]float32

func (c rgb) mix(d rgb, t float64) rgb {
	f := float32(t)
	return rgb{c[0] + (d[0]-c[0])*f, c[1] + (d[1]-c[1])*f, c[2] + (d[2]-c[2])*f}
}

// distance weighs the channels about as the eye does.
func (c rgb) distance(d rgb) float64 {
	r, g, b := float64(c[0]-d[0]), float64(c[1]-d[1]), float64(c[2]-d[2])
	return math.Sqrt(0.3*r*r + 0.5*g*g + 0.2*b*b)
}

// hsv converts hue, saturation and value, each from 0 to 1.
func hsv(h, s, v float64) rgb {
	channel := func(n float64) float32 {
		k := math.Mod(n+6*h, 6)
		return float32(v - v*s*max(0, min(k, 4-k, 1)))
	}
	return rgb{channel(5), channel(3), channel(1)}
}

// canvas is a picture being drawn.
type canvas struct {
	w, h int
	pix  []rgb // row by row
}

func newCanvas(w, h int) *canvas { return &canvas{w, h, make([]rgb, w*h)} }

// paint is a colour, or a linear gradient between two along (dx, dy).
type paint struct {
	from, to rgb
	dx, dy   float64 // unit vector
	opacity  float64
}

// at returns the colour at a point given as a fraction of the canvas's half size.
func (p paint) at(x, y float64) rgb {
	if p.from == p.to {
		return p.from
	}
	t := 0.5 + 0.5*(x*p.dx+y*p.dy)
	return p.from.mix(p.to, max(0, min(1, t)))
}

// fill covers the canvas with p.
func (c *canvas) fill(p paint) {
	across := 2 / float64(c.w)
	for y := range c.h {
		v := 2*float64(y)/float64(c.h) - 1
		row := c.pix[y*c.w : (y+1)*c.w]
		for x := range row {
			row[x] = p.at(float64(x)*across-1, v)
		}
	}
}

// lay paints f where it is negative, with an edge that is soft pixels wide (1 is
// anti-aliasing alone).
func (c *canvas) lay(f field, at place, p paint, soft float64) {
	box := at.bounds(soft).Intersect(image.Rect(0, 0, c.w, c.h))
	scale, across := at.pixels()/soft, 2/float64(c.w)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		v := 2*float64(y)/float64(c.h) - 1
		row := c.pix[y*c.w : (y+1)*c.w]
		for x := box.Min.X; x < box.Max.X; x++ {
			cover := 0.5 - f(at.local(float64(x)+0.5, float64(y)+0.5))*scale
			if cover <= 0 {
				continue
			}
			if cover > 1 {
				cover = 1
			}
			row[x] = row[x].mix(p.at(float64(x)*across-1, v), cover*p.opacity)
		}
	}
}

// image converts the canvas to 8 bits.
func (c *canvas) image() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i, p := range c.pix {
		out := img.Pix[4*i : 4*i+4 : 4*i+4]
		for k, v := range p {
			out[k] = uint8(max(0, min(255, int32(v*255+0.5))))
		}
		out[3] = 255
	}
	return img
}

// place puts a field, whose figures are about 1 in radius, on the canvas.
type place struct {
	x, y     float64 // centre, pixels
	size     float64 // pixels of radius 1
	squash   float64 // height over width, before rotation
	sin, cos float64 // of the rotation
}

// local converts pixels to the field's units.
func (p place) local(x, y float64) (float64, float64) {
	x, y = x-p.x, y-p.y
	return (x*p.cos + y*p.sin) / p.size, (y*p.cos - x*p.sin) / (p.size * p.squash)
}

// pixels returns the length of one field unit, between its two directions.
func (p place) pixels() float64 { return p.size * (1 + p.squash) / 2 }

// bounds returns the pixels that a figure of radius 1 may touch.
func (p place) bounds(soft float64) image.Rectangle {
	reach := p.size*max(1, p.squash)*1.1 + soft + 1
	return image.Rect(int(p.x-reach), int(p.y-reach), int(p.x+reach)+1, int(p.y+reach)+1)
}
