package imaging

import (
	"image"
	"math"
)

// Pillow's resampling of 8-bit samples is one pass a dimension, each with
// coefficients of precisionBits fractional bits and rounded to 8 bits.
const (
	precisionBits = 32 - 8 - 2
	half          = 1 << (precisionBits - 1)
	lineBytes     = Size * 3
)

// span is what one output sample is made of: n input samples from start on,
// weighted by the n coefficients from off on.
type span struct{ start, n, off int }

// axis is the resampling of one dimension, for the outputs that the crop keeps.
type axis struct {
	spans  [Size]span
	coefs  []int32
	lo, hi int // the input samples in use
}

// plan prepares the outputs [first, first+Size) of a triangle filter that
// turns in samples to out. With mirror, the input runs backwards.
//
// The conversions to float64 forbid fused multiply-add, which some processors
// would otherwise use, and Pillow's builds do not.
func (a *axis) plan(in, out, first int, mirror bool) {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	a.coefs, a.lo, a.hi = a.coefs[:0], in, 0
	for i := range a.spans {
		center := float64((float64(first+i) + 0.5) * scale)
		start := max(int(center-support+0.5), 0)
		n := min(int(center+support+0.5), in) - start
		off := len(a.coefs)
		a.weigh(start, n, center, 1/support)
		if mirror {
			start = in - start - n
			reverse(a.coefs[off:])
		}
		a.spans[i] = span{start, n, off}
		a.lo, a.hi = min(a.lo, start), max(a.hi, start+n)
	}
}

// weigh appends the fixed-point triangle weights of n samples from start on.
func (a *axis) weigh(start, n int, center, invScale float64) {
	total := 0.0
	for x := range n {
		total += triangle(float64(start+x)-center+0.5, invScale)
	}
	for x := range n {
		w := triangle(float64(start+x)-center+0.5, invScale)
		if total != 0 {
			w /= total
		}
		a.coefs = append(a.coefs, int32(0.5+w*(1<<precisionBits)))
	}
}

// widest returns the number of samples in the longest span.
func (a *axis) widest() int {
	n := 0
	for _, s := range a.spans {
		n = max(n, s.n)
	}
	return n
}

func triangle(x, invScale float64) float64 {
	return max(0, 1-math.Abs(float64(x*invScale)))
}

func reverse(s []int32) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

// fitted returns the lengths that Resize(256) gives an image: the shorter side
// exactly, the longer one rounded down.
func fitted(w, h int) (int, int) {
	if w <= h {
		return resizedSide, int(float64(resizedSide*h) / float64(w))
	}
	return int(float64(resizedSide*w) / float64(h)), resizedSide
}

// centred returns where CenterCrop begins, with Python's rounding to even.
func centred(length int) int {
	return int(math.RoundToEven(float64(length-Size) / 2))
}

// downFirst tells whether Pillow (since 13) resamples w×h to rw×rh down before
// across: where that loses many more rows than the other way loses columns.
func downFirst(w, h, rw, rh int) bool {
	return rh < h && h-rh > 2*(w-rw)
}

// resizer holds the scratch memory of a resampling.
//
// It works on the rows as they are stored: "along" them and "across" them,
// which in a transposed picture are its height and width. The pass that Pillow
// makes first, on the upright picture, decides where the first of the two
// roundings to 8 bits falls:
//
//	along first:  every stored row ──along──▶ line ──┐
//	                                  lines ──across─┴▶ one output line
//	across first: stored rows ──across──▶ one row ──along──▶ one output line
type resizer struct {
	along, across axis
	transposed    bool
	firstAlong    bool    // along is the first pass
	rows          []byte  // lines, or a ring of stored rows
	held          []int   // which stored row each place of the ring holds
	row           []byte  // one stored row
	sums          []int32 // one row of weighted sums
	line          [lineBytes]byte
}

// crop resizes src, turned upright by o, and writes the middle of it to dst.
func (r *resizer) crop(dst *Pixels, src raster, o orientation) {
	w, h := src.size()
	r.plan(w, h, o)
	r.draw(dst, src)
}

// plan prepares the crop of a picture of w×h pixels, turned upright by o, and
// returns the pixels that it takes.
func (r *resizer) plan(w, h int, o orientation) image.Rectangle {
	r.transposed = o.transposed()
	mirrorX, mirrorY := o.mirrored()
	if r.transposed {
		rh, rw := fitted(h, w)
		r.along.plan(w, rw, centred(rw), mirrorX)
		r.across.plan(h, rh, centred(rh), mirrorY)
		r.firstAlong = downFirst(h, w, rh, rw)
	} else {
		rw, rh := fitted(w, h)
		r.along.plan(w, rw, centred(rw), mirrorX)
		r.across.plan(h, rh, centred(rh), mirrorY)
		r.firstAlong = !downFirst(w, h, rw, rh)
	}
	return image.Rect(r.along.lo, r.across.lo, r.along.hi, r.across.hi)
}

// draw writes the planned crop of src to dst.
func (r *resizer) draw(dst *Pixels, src raster) {
	if r.firstAlong {
		r.alongFirst(dst, src)
	} else {
		r.acrossFirst(dst, src)
	}
}

func (r *resizer) alongFirst(dst *Pixels, src raster) {
	x0, x1 := r.along.lo, r.along.hi
	y0, y1 := r.across.lo, r.across.hi
	r.row = grow(r.row, 3*(x1-x0))
	r.rows = grow(r.rows, lineBytes*(y1-y0))
	r.sums = grow(r.sums, lineBytes)
	for y := y0; y < y1; y++ {
		src.row(r.row, y, x0, x1)
		r.along.resample((*[lineBytes]byte)(r.rows[lineBytes*(y-y0):]), r.row)
	}
	for i, s := range r.across.spans {
		startSums(r.sums)
		for k, c := range r.across.coefs[s.off : s.off+s.n] {
			accumulate(r.sums, r.rows[lineBytes*(s.start-y0+k):], c)
		}
		round(r.line[:], r.sums)
		r.put(dst, i)
	}
}

func (r *resizer) acrossFirst(dst *Pixels, src raster) {
	x0, x1 := r.along.lo, r.along.hi
	width, ring := 3*(x1-x0), r.across.widest()
	r.row = grow(r.row, width)
	r.rows = grow(r.rows, width*ring)
	r.sums = grow(r.sums, width)
	r.held = grow(r.held, ring)
	for i := range r.held {
		r.held[i] = -1
	}
	for i, s := range r.across.spans {
		startSums(r.sums)
		for k, c := range r.across.coefs[s.off : s.off+s.n] {
			y := s.start + k
			place := r.rows[width*(y%ring):][:width]
			if r.held[y%ring] != y {
				src.row(place, y, x0, x1)
				r.held[y%ring] = y
			}
			accumulate(r.sums, place, c)
		}
		round(r.row, r.sums)
		r.along.resample(&r.line, r.row)
		r.put(dst, i)
	}
}

// put writes output line i, which is a column if the picture is transposed.
func (r *resizer) put(dst *Pixels, i int) {
	if !r.transposed {
		copy(dst[lineBytes*i:], r.line[:])
		return
	}
	for j := range Size {
		*(*[3]byte)(dst[lineBytes*j+3*i:]) = *(*[3]byte)(r.line[3*j:])
	}
}

// resample makes a line of a row whose first pixel is input sample lo.
func (a *axis) resample(dst *[lineBytes]byte, row []byte) {
	for i := range a.spans {
		s := &a.spans[i]
		coefs := a.coefs[s.off : s.off+s.n]
		px := row[3*(s.start-a.lo):]
		px = px[:3*len(coefs)]
		red, green, blue := int32(half), int32(half), int32(half)
		for _, c := range coefs {
			if len(px) < 3 {
				break
			}
			red += int32(px[0]) * c
			green += int32(px[1]) * c
			blue += int32(px[2]) * c
			px = px[3:]
		}
		dst[3*i] = uint8(red >> precisionBits)
		dst[3*i+1] = uint8(green >> precisionBits)
		dst[3*i+2] = uint8(blue >> precisionBits)
	}
}

func startSums(sums []int32) {
	for i := range sums {
		sums[i] = half
	}
}

func accumulate(sums []int32, row []byte, coef int32) {
	row = row[:len(sums)]
	for i, v := range row {
		sums[i] += int32(v) * coef
	}
}

// round writes sums as bytes. They cannot leave the range: the weights are
// positive, and each is off by at most half a unit of 2^-22.
func round(dst []byte, sums []int32) {
	dst = dst[:len(sums)]
	for i, v := range sums {
		dst[i] = uint8(v >> precisionBits)
	}
}

// grow returns a slice of n elements, s if it is long enough; contents are
// unspecified.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
