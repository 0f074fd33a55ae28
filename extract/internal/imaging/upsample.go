package imaging

// plane holds the samples of one component, of which every one stands for
// h×v pixels. Width and height count the real samples, without the padding of
// a decoder's blocks.
type plane struct {
	pix           []byte
	stride        int
	width, height int
	h, v          int
}

// line returns row y, and beyond the picture its first or last row.
func (p *plane) line(y int) []byte {
	y = min(max(y, 0), p.height-1)
	return p.pix[y*p.stride:][:p.width]
}

// upsample returns the columns [x0, x1) of pixel row y, either in place or
// computed in buf, as libjpeg-turbo's "fancy upsampling" does: triangle filters
// where a sample is 2 pixels wide or high, replication elsewhere. Roundings
// alternate between neighbours, so that they do not add up to a tint.
func (p *plane) upsample(buf *[]byte, y, x0, x1 int) []byte {
	if p.h == 1 && p.v == 1 {
		return p.line(y)[x0:x1]
	}
	c0, c1 := x0/p.h, (x1-1)/p.h+1
	out := grow(*buf, (c1-c0)*p.h)
	*buf = out
	wide := p.width > 2
	switch {
	case p.h == 1 && p.v == 2:
		p.triangleDown(out, y, c0)
	case p.h == 2 && p.v == 1 && wide:
		p.triangleAcross(out, y, c0)
	case p.h == 2 && p.v == 2 && wide:
		p.triangleBoth(out, y, c0)
	default:
		for i := range out {
			out[i] = p.line(y / p.v)[c0+i/p.h]
		}
	}
	return out[x0-c0*p.h:][:x1-x0]
}

// nearest returns the sample row that pixel row y lies in and the one that it
// lies next to, and whether that is the one above.
func (p *plane) nearest(y int) (near, far []byte, above bool) {
	if y%2 == 0 {
		return p.line(y / 2), p.line(y/2 - 1), true
	}
	return p.line(y / 2), p.line(y/2 + 1), false
}

func (p *plane) triangleDown(out []byte, y, c0 int) {
	near, far, above := p.nearest(y)
	bias := 2
	if above {
		bias = 1
	}
	near, far = near[c0:][:len(out)], far[c0:][:len(out)]
	for i := range out {
		out[i] = uint8((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// At either end of a row, libjpeg's special cases equal a sample repeated.

func (p *plane) triangleAcross(out []byte, y, c0 int) {
	in := p.line(y)
	last := int(in[max(c0-1, 0)])
	this := int(in[c0])
	for i := 0; i+1 < len(out); i += 2 {
		next := int(in[min(c0+i/2+1, len(in)-1)])
		out[i] = uint8((3*this + last + 1) >> 2)
		out[i+1] = uint8((3*this + next + 2) >> 2)
		last, this = this, next
	}
}

func (p *plane) triangleBoth(out []byte, y, c0 int) {
	near, far, _ := p.nearest(y)
	far = far[:len(near)]
	sum := func(c int) int {
		c = min(max(c, 0), len(near)-1)
		return 3*int(near[c]) + int(far[c])
	}
	last, this := sum(c0-1), sum(c0)
	// The last column but one of the picture ends the part without limits.
	inner := min(len(out)/2, len(near)-1-c0)
	nearNext, farNext := near[min(c0+1, len(near)):], far[min(c0+1, len(far)):]
	i := 0
	for ; i < inner; i++ {
		next := 3*int(nearNext[i]) + int(farNext[i])
		pair := out[2*i:][:2]
		pair[0] = uint8((3*this + last + 8) >> 4)
		pair[1] = uint8((3*this + next + 7) >> 4)
		last, this = this, next
	}
	if 2*i < len(out) {
		out[2*i] = uint8((3*this + last + 8) >> 4)
		out[2*i+1] = uint8((4*this + 7) >> 4)
	}
}
