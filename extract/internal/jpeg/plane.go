package jpeg

import (
	"icebox/extract/internal/isa"
	"icebox/extract/internal/mem"
)

// Plane holds samples of one component, of which every one stands for H×V
// pixels. Width and Height count the component's real samples, without the
// padding of blocks; Pix begins with sample X of row Y.
type Plane struct {
	Pix           []byte
	Stride        int
	X, Y          int
	Width, Height int
	H, V          int
}

// grey makes all samples those of blocks whose coefficients are 0.
func (p *Plane) grey() {
	for i := range p.Pix {
		p.Pix[i] = 128
	}
}

// line returns the samples [x0, x1) of row y.
func (p *Plane) line(y, x0, x1 int) []byte {
	at := (y-p.Y)*p.Stride - p.X
	return p.Pix[at+x0 : at+x1]
}

// Rows makes rows of pixels from planes. The zero value is ready for use, by
// one goroutine.
type Rows struct {
	portable bool // for tests
	buf      [4][]byte
	sums     []int16
}

func (r *Rows) isa() isa.ISA {
	if r.portable {
		return isa.Portable
	}
	return native
}

// Upsample returns the columns [x0, x1) of pixel row y of component c, either
// in place or valid until the next call for c, as libjpeg-turbo's "fancy
// upsampling" does: triangle filters where a sample is 2 pixels wide or high,
// replication elsewhere. Roundings alternate between neighbours, so that they do
// not add up to a tint.
func (r *Rows) Upsample(c int, p *Plane, y, x0, x1 int) []byte {
	if p.H == 1 && p.V == 1 {
		return p.line(y, x0, x1)
	}
	c0, c1 := x0/p.H, (x1-1)/p.H+1
	r.buf[c] = mem.Grow(r.buf[c], (c1-c0)*p.H)
	out := r.buf[c]
	switch {
	case p.H == 1 && p.V == 2:
		near, far, bias := p.neighbours(y)
		blend(r.isa(), out, p.line(near, c0, c1), p.line(far, c0, c1), bias)
	case p.H == 2 && p.V <= 2 && p.Width > 2:
		r.triangle(out, p, y, c0, c1)
	default:
		row := p.line(y/p.V, c0, c1)
		for i := range out {
			out[i] = row[i/p.H]
		}
	}
	return out[x0-c0*p.H:][:x1-x0]
}

// neighbours returns the row of samples that pixel row y lies in, the row of samples
// that it lies next to, and the number to add before their sum is rounded down. Beyond
// the picture its first and last row are repeated.
func (p *Plane) neighbours(y int) (near, far int, bias int) {
	near = y / 2
	if y%2 == 0 {
		return near, max(near-1, 0), 1
	}
	return near, min(near+1, p.Height-1), 2
}

// triangle doubles the samples [c0, c1) in width: each of the two is 3/4 the sample and
// 1/4 the neighbour on its side. Beyond the picture the sample at the edge is repeated.
func (r *Rows) triangle(out []byte, p *Plane, y, c0, c1 int) {
	near, far, even, odd := y, y, 4, 8
	if p.V == 2 {
		near, far, _ = p.neighbours(y)
		even, odd = 8, 7
	}
	from, to := max(c0-1, 0), min(c1+1, p.Width)
	r.sums = mem.Grow(r.sums, c1-c0+2)
	sums := r.sums[from-(c0-1):][:to-from]
	weigh(r.isa(), sums, p.line(near, from, to), p.line(far, from, to))
	if from == c0 {
		r.sums[0] = r.sums[1]
	}
	if to == c1 {
		r.sums[c1-c0+1] = r.sums[c1-c0]
	}
	spread(r.isa(), out, r.sums, even, odd)
}

// blendPortable mixes rows 3:1.
func blendPortable(dst, near, far []byte, bias int) {
	near, far = near[:len(dst)], far[:len(dst)]
	for i := range dst {
		dst[i] = uint8((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// weighPortable sums rows 3:1.
func weighPortable(dst []int16, near, far []byte) {
	near, far = near[:len(dst)], far[:len(dst)]
	for i := range dst {
		dst[i] = 3*int16(near[i]) + int16(far[i])
	}
}

// spreadPortable makes two samples of each of the sums but the first and the last,
// which only serve as neighbours.
func spreadPortable(dst []byte, sums []int16, even, odd int) {
	for i := range len(dst) / 2 {
		last, this, next := int(sums[i]), int(sums[i+1]), int(sums[i+2])
		dst[2*i] = uint8((3*this + last + even) >> 4)
		dst[2*i+1] = uint8((3*this + next + odd) >> 4)
	}
}
