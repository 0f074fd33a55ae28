package imaging

import (
	"image"
	"math"
	"slices"

	"icebox/extract/internal/imaging/resample"
	"icebox/extract/internal/isa"
	"icebox/extract/internal/mem"
)

const lineBytes = Size * 3

// resamplesOn is the instruction set that the resampling uses.
var resamplesOn = isa.Best(resample.Available())

// span is what one output sample is made of: n input samples from start on.
type span struct{ start, n int }

// axis is the resampling of one dimension, for the outputs that the crop keeps, in
// Pillow's fixed-point numbers.
type axis struct {
	spans   [Size]span
	filter  resample.Filter // from lo on
	lo, hi  int             // the input samples in use
	widest  int             // the most samples of a span
	weights []float64       // scratch memory of one output
	fixed   []int32
}

// plan prepares the outputs [first, first+Size) of a triangle filter that
// turns in samples to out. With mirror, the input runs backwards. Outputs
// beyond the ends are those at the ends: they are padding, and drawn over.
//
// The conversions to float64 forbid fused multiply-add, which some processors
// would otherwise use, and Pillow's builds do not.
func (a *axis) plan(in, out, first int, mirror bool) {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	a.lo, a.hi, a.widest = in, 0, 0
	for i := range a.spans {
		center := a.center(first+i, out, scale)
		start := max(int(center-support+0.5), 0)
		n := min(int(center+support+0.5), in) - start
		a.spans[i] = span{start, n}
		a.widest = max(a.widest, n)
		if mirror {
			start = in - start - n
		}
		a.lo, a.hi = min(a.lo, start), max(a.hi, start+n)
	}
	a.filter.Reset(Size, a.widest)
	for i := range a.spans {
		s := &a.spans[i]
		center := a.center(first+i, out, scale)
		a.weigh(s.start, s.n, center, 1/support)
		if mirror {
			s.start = in - s.start - s.n
			slices.Reverse(a.fixed)
		}
		a.filter.Add(s.start-a.lo, a.fixed)
	}
}

// center is the place in the input of an output, of which there are as many as out.
func (a *axis) center(i, out int, scale float64) float64 {
	return float64((float64(min(max(i, 0), out-1)) + 0.5) * scale)
}

// weigh makes a.fixed the triangle weights of n samples from start on.
func (a *axis) weigh(start, n int, center, invScale float64) {
	a.weights, a.fixed = mem.Grow(a.weights, n), mem.Grow(a.fixed, n)
	total := 0.0
	for x := range a.weights {
		a.weights[x] = triangle(float64(start+x)-center+0.5, invScale)
		total += a.weights[x]
	}
	for x, w := range a.weights {
		if total != 0 {
			w /= total
		}
		a.fixed[x] = int32(0.5 + w*(1<<resample.Bits))
	}
}

func triangle(x, invScale float64) float64 {
	return max(0, 1-math.Abs(float64(x*invScale)))
}

// centred returns where CenterCrop begins, with Python's rounding to even. Where the
// picture is shorter, it begins before it.
func centred(length int) int {
	if length < Size {
		return -((Size - length) / 2)
	}
	return int(math.RoundToEven(float64(length-Size) / 2))
}

// downFirst tells whether Pillow (since 13) resamples w×h to rw×rh down before
// across: where that loses many more rows than the other way loses columns.
func downFirst(w, h, rw, rh int) bool {
	return rh < h && h-rh > 2*(w-rw)
}

// resizer holds the plan for pictures of one size, and the scratch memory of a
// resampling.
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
	fit           string  // "" is FitCrop
	fill          [3]byte // around a padded picture
	planned       plannedFor
	covered       image.Rectangle // of the crop
	along, across axis
	acrossIsFirst bool
	transposed    bool
	rows          []byte // as many as are resampled at once
	lines         []byte // rows resampled along them
	ring          []byte // stored rows
	held          []int  // which stored row each place of the ring holds
	at            []int  // where the rows that make up an output are
	turning       [resample.Rows * lineBytes]byte
}

// plannedFor is what a plan depends on.
type plannedFor struct {
	width, height int
	orientation   orientation
}

// plan prepares for a stored picture of w×h, which o turns upright, and returns
// the part of it that the crop is made of: draw reads no other pixel.
func (r *resizer) plan(w, h int, o orientation) image.Rectangle {
	if p := (plannedFor{w, h, o}); r.planned != p {
		r.prepare(w, h, o)
		r.planned = p
	}
	return image.Rect(r.along.lo, r.across.lo, r.along.hi, r.across.hi)
}

func (r *resizer) prepare(w, h int, o orientation) {
	r.transposed = o.transposed()
	mirrorX, mirrorY := o.mirrored()
	upright := image.Pt(w, h)
	if r.transposed {
		upright = image.Pt(h, w)
	}
	size := resized(r.fit, upright.X, upright.Y)
	r.covered = covered(size)
	r.acrossIsFirst = downFirst(upright.X, upright.Y, size.X, size.Y) != r.transposed
	if r.transposed {
		size = image.Pt(size.Y, size.X)
	}
	r.along.plan(w, size.X, centred(size.X), mirrorX)
	r.across.plan(h, size.Y, centred(size.Y), mirrorY)
}

// draw resizes src, for which plan has prepared, and writes the middle of it,
// upright, to dst, with the filling around it.
func (r *resizer) draw(dst *Pixels, src raster) {
	r.at = mem.Grow(r.at, r.across.widest+1)
	if r.acrossIsFirst {
		r.acrossFirst(dst, src)
	} else {
		r.alongFirst(dst, src)
	}
	if r.covered.Size() != image.Pt(Size, Size) {
		surround(dst, r.covered, r.fill)
	}
}

func (r *resizer) alongFirst(dst *Pixels, src raster) {
	x0, x1 := r.along.lo, r.along.hi
	y0, y1 := r.across.lo, r.across.hi
	stride, lineStride := r.rowStride(), r.along.filter.LineStride()
	r.rows = mem.Grow(r.rows, stride*resample.Rows)
	r.lines = mem.Grow(r.lines, lineStride*(y1-y0+resample.Rows-1))
	for y := y0; y < y1; y += resample.Rows {
		// At the end old rows take the place of missing ones, and what is computed from
		// them is never read.
		for k := range min(resample.Rows, y1-y) {
			src.row(r.rows[stride*k:][:3*(x1-x0)], y+k, x0, x1)
		}
		resample.Along(resamplesOn, r.lines[lineStride*(y-y0):], r.rows, stride, &r.along.filter)
	}
	for i, s := range r.across.spans {
		for k := range s.n {
			r.at[k] = lineStride * (s.start - y0 + k)
		}
		r.down(r.line(dst, i), r.lines, i)
		r.turn(dst, i)
	}
}

func (r *resizer) acrossFirst(dst *Pixels, src raster) {
	x0, x1 := r.along.lo, r.along.hi
	stride, ring := r.rowStride(), r.across.widest
	r.rows = mem.Grow(r.rows, stride*resample.Rows)
	r.lines = mem.Grow(r.lines, r.along.filter.LineStride()*resample.Rows)
	r.ring = mem.Grow(r.ring, stride*ring)
	r.held = mem.Grow(r.held, ring)
	for i := range r.held {
		r.held[i] = -1
	}
	for i, s := range r.across.spans {
		for k := range s.n {
			y := s.start + k
			r.at[k] = stride * (y % ring)
			if r.held[y%ring] != y {
				src.row(r.ring[r.at[k]:][:3*(x1-x0)], y, x0, x1)
				r.held[y%ring] = y
			}
		}
		place := i % resample.Rows
		r.down(r.rows[stride*place:][:stride], r.ring, i)
		if place == resample.Rows-1 {
			r.finish(dst, i-place)
		}
	}
}

// finish resamples r.rows along to the output lines from i on.
func (r *resizer) finish(dst *Pixels, i int) {
	resample.Along(resamplesOn, r.lines, r.rows, r.rowStride(), &r.along.filter)
	for k := range resample.Rows {
		copy(r.line(dst, i+k), r.lines[r.along.filter.LineStride()*k:])
		r.turn(dst, i+k)
	}
}

// rowStride is the distance between stored rows in memory.
func (r *resizer) rowStride() int {
	return resample.Stride(max(3*(r.along.hi-r.along.lo), r.along.filter.Reach()))
}

// down makes output i of the rows of src that r.at says. An odd one is paired with
// itself, and a weight of 0.
func (r *resizer) down(dst, src []byte, i int) {
	n := r.across.spans[i].n
	r.at[n] = r.at[n-1]
	resample.Across(resamplesOn, dst, src, r.at[:(n+1)/2*2], r.across.filter.Weights(i))
}

// line is where output line i is to be written; turn must follow.
func (r *resizer) line(dst *Pixels, i int) []byte {
	if r.transposed {
		return r.turning[lineBytes*(i%resample.Rows):][:lineBytes]
	}
	return dst[lineBytes*i:][:lineBytes]
}

// turn makes output lines columns if the picture is transposed, some at a time.
func (r *resizer) turn(dst *Pixels, i int) {
	if !r.transposed || i%resample.Rows != resample.Rows-1 {
		return
	}
	for j := range Size {
		px := dst[lineBytes*j+3*(i+1-resample.Rows):][:3*resample.Rows]
		for k := range resample.Rows {
			*(*[3]byte)(px[3*k:]) = *(*[3]byte)(r.turning[lineBytes*k+3*j:])
		}
	}
}
