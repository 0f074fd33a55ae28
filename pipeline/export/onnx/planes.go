package onnx

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// window is how a square window moves over planes.
type window struct{ taps, stride, border int }

// window reads the attributes of a convolution or a pool; it is square here.
func (c call) window() (window, error) {
	taps, stride, pads := c.wholes("kernel_shape"), c.wholes("strides"), c.wholes("pads")
	w := window{int(taps[0]), int(stride[0]), int(pads[0])}
	same := func(all []int64, n int) bool {
		return !slices.ContainsFunc(all, func(v int64) bool { return v != int64(n) })
	}
	if !same(taps, w.taps) || !same(stride, w.stride) || !same(pads, w.border) || c.wholes("dilations") != nil || c.whole("group", 1) != 1 {
		return w, fmt.Errorf("a window that is not square")
	}
	return w, nil
}

// over is the length of what a window gives.
func (w window) over(length int) int { return (length+2*w.border-w.taps)/w.stride + 1 }

// parallel calls do for 0 to n-1 on all processors.
func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	for worker := range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := worker; i < n; i += runtime.GOMAXPROCS(0) {
				do(i)
			}
		})
	}
	wg.Wait()
}

// bordered copies planes of h×w into a border of a value.
func bordered(planes []float32, count, h, w, border int, value float32) []float32 {
	bh, bw := h+2*border, w+2*border
	out := slices.Repeat([]float32{value}, count*bh*bw)
	for p := range count {
		for y := range h {
			copy(out[(p*bh+y+border)*bw+border:], planes[(p*h+y)*w:][:w])
		}
	}
	return out
}

// conv is the convolution of x with w, and a bias an output channel.
func conv(c call) (*Tensor, error) {
	win, err := c.window()
	if err != nil {
		return nil, err
	}
	x, w, bias := c.in[0], c.in[1], c.in[2]
	if x.Shape[1] != w.Shape[1] || w.Shape[2] != win.taps || w.Shape[3] != win.taps || len(bias.Floats) != w.Shape[0] {
		return nil, fmt.Errorf("of %v and %v", x.Shape, w.Shape)
	}
	in, out, h, width := x.Shape[1], w.Shape[0], x.Shape[2], x.Shape[3]
	t := &Tensor{Shape: []int{x.Shape[0], out, win.over(h), win.over(width)}}
	t.Floats = make([]float32, size(t.Shape))
	plane, taps := t.Shape[2]*t.Shape[3], in*win.taps*win.taps
	for n := range x.Shape[0] {
		columns := win.columns(x.Floats[n*in*h*width:], in, h, width)
		sums := t.Floats[n*out*plane:][:out*plane]
		parallel((out+atOnce-1)/atOnce, func(group int) {
			k := group * atOnce
			end := min(k+atOnce, out)
			multiply(sums[k*plane:end*plane], w.Floats[k*taps:end*taps], bias.Floats[k:end], columns, plane)
		})
	}
	return t, nil
}

// columns lists, for each tap of each channel, what lies under it at every place of the
// window.
func (w window) columns(planes []float32, count, h, width int) []float32 {
	framed, bw, bh := bordered(planes, count, h, width, w.border, 0), width+2*w.border, h+2*w.border
	oh, ow := w.over(h), w.over(width)
	out := make([]float32, 0, count*w.taps*w.taps*oh*ow)
	for tap := range count * w.taps * w.taps {
		ch, ky, kx := tap/(w.taps*w.taps), tap/w.taps%w.taps, tap%w.taps
		for y := range oh {
			row := framed[(ch*bh+y*w.stride+ky)*bw+kx:]
			for x := range ow {
				out = append(out, row[x*w.stride])
			}
		}
	}
	return out
}

// atOnce is the number of output channels for which a column is read once.
const atOnce = 4

// multiply makes the sums of up to atOnce channels: the columns weighted, and a bias.
func multiply(sums, weights, bias, columns []float32, plane int) {
	taps := len(weights) / len(bias)
	for k, b := range bias {
		for i := range plane {
			sums[k*plane+i] = b
		}
	}
	if len(bias) < atOnce {
		for k := range bias {
			for tap := range taps {
				for i, v := range columns[tap*plane:][:plane] {
					sums[k*plane+i] += weights[k*taps+tap] * v
				}
			}
		}
		return
	}
	s0, s1, s2, s3 := sums[:plane], sums[plane:][:plane], sums[2*plane:][:plane], sums[3*plane:][:plane]
	for tap := range taps {
		w0, w1, w2, w3 := weights[tap], weights[taps+tap], weights[2*taps+tap], weights[3*taps+tap]
		for i, v := range columns[tap*plane:][:plane] {
			s0[i] += w0 * v
			s1[i] += w1 * v
			s2[i] += w2 * v
			s3[i] += w3 * v
		}
	}
}

func maxPool(c call) (*Tensor, error) {
	win, err := c.window()
	if err != nil {
		return nil, err
	}
	x := c.in[0]
	count, h, w := x.Shape[0]*x.Shape[1], x.Shape[2], x.Shape[3]
	t := &Tensor{Shape: []int{x.Shape[0], x.Shape[1], win.over(h), win.over(w)}}
	framed := bordered(x.Floats, count, h, w, win.border, slices.Min(x.Floats)) // which wins nowhere
	for p := range count {
		for y := range t.Shape[2] {
			for xo := range t.Shape[3] {
				at := (p*(h+2*win.border)+y*win.stride)*(w+2*win.border) + xo*win.stride
				most := framed[at]
				for ky := range win.taps {
					most = max(most, slices.Max(framed[at+ky*(w+2*win.border):][:win.taps]))
				}
				t.Floats = append(t.Floats, most)
			}
		}
	}
	return t, nil
}

func averagePool(c call) (*Tensor, error) {
	x := c.in[0]
	plane := size(x.Shape[2:])
	t := &Tensor{Shape: []int{x.Shape[0], x.Shape[1], 1, 1}}
	for p := range x.Shape[0] * x.Shape[1] {
		sum := 0.0
		for _, v := range x.Floats[p*plane:][:plane] {
			sum += float64(v)
		}
		t.Floats = append(t.Floats, float32(sum/float64(plane)))
	}
	return t, nil
}
