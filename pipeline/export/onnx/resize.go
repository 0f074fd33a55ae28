package onnx

import (
	"fmt"
	"math"
)

// resize is the antialiased linear Resize of 8-bit planes to given sizes, across first and
// then down, each rounded to 8 bits: as Pillow computes it, which the operator was defined
// after.
func resize(c call) (*Tensor, error) {
	x, sizes := c.in[0], c.ints(3)
	if c.text("mode") != "linear" || c.text("coordinate_transformation_mode") != "half_pixel" || c.whole("antialias", 0) != 1 {
		return nil, fmt.Errorf("other than linear, half_pixel and antialias")
	}
	if x.Type() != Uint8 || len(sizes) != 4 || sizes[0] != int64(x.Shape[0]) || sizes[1] != int64(x.Shape[1]) || sizes[2] < 1 || sizes[3] < 1 {
		return nil, fmt.Errorf("type %d, from %v to %v", x.Type(), x.Shape, sizes)
	}
	count, h, w, oh, ow := x.Shape[0]*x.Shape[1], x.Shape[2], x.Shape[3], int(sizes[2]), int(sizes[3])
	across, down := spans(w, ow), spans(h, oh)
	t := &Tensor{Shape: []int{x.Shape[0], x.Shape[1], oh, ow}, Bytes: make([]byte, count*oh*ow)}
	parallel(count, func(p int) {
		wide := make([]byte, h*ow)
		for y := range h {
			for xo, s := range across {
				wide[y*ow+xo] = s.sum(x.Bytes[(p*h+y)*w:], 1)
			}
		}
		for y, s := range down {
			for xo := range ow {
				t.Bytes[(p*oh+y)*ow+xo] = s.sum(wide[xo:], ow)
			}
		}
	})
	return t, nil
}

// span is the samples from start on that an output is made of.
type span struct {
	start   int
	weights []int64 // of 1<<fixedBits
}

// fixedBits is how many bits of a weight are behind the point, in Pillow's arithmetic on 8
// bits.
const fixedBits = 22

// spans is the triangle filter that turns in samples to out, as wide as the scale.
func spans(in, out int) []span {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	all := make([]span, out)
	for i := range all {
		center := (float64(i) + 0.5) * scale
		s := &all[i]
		s.start = max(int(center-support+0.5), 0)
		var weights []float64
		total := 0.0
		for x := s.start; x < min(int(center+support+0.5), in); x++ {
			w := max(0, 1-math.Abs((float64(x)-center+0.5)/support))
			weights = append(weights, w)
			total += w
		}
		for _, w := range weights {
			s.weights = append(s.weights, int64(0.5+w/total*(1<<fixedBits)))
		}
	}
	return all
}

// sum is the weighted sum of samples that are step apart, to 8 bits.
func (s span) sum(samples []byte, step int) byte {
	total := int64(1) << (fixedBits - 1)
	for k, w := range s.weights {
		total += w * int64(samples[(s.start+k)*step])
	}
	return byte(min(max(total>>fixedBits, 0), 255))
}
