package resnet

import (
	"math"
	"runtime"
	"sync"
)

// Reference computes the feature of one image the plain way: direct convolutions,
// batch norm by itself, sums in float64. It shares nothing with Forward but the
// table of blocks, and takes seconds. The tensors are those that New accepts.
func Reference(tensor func(name string) []float32, lut *[3][256]float32, pixels []uint8) []float32 {
	return reference(tensor, lut, pixels, func(string, volume) {})
}

// volume is channels × side × side.
type volume struct {
	data           []float32
	channels, side int
}

func newVolume(channels, side int) volume {
	return volume{make([]float32, channels*side*side), channels, side}
}

// at is zero outside the image.
func (v volume) at(c, y, x int) float32 {
	if y < 0 || x < 0 || y >= v.side || x >= v.side {
		return 0
	}
	return v.data[(c*v.side+y)*v.side+x]
}

// reference calls seen with what comes out of the stem and of each block.
func reference(tensor Tensor, lut *[3][256]float32, pixels []uint8, seen func(string, volume)) []float32 {
	x := newVolume(3, Side)
	for i, p := range pixels[:PixelBytes] {
		x.data[i%3*Side*Side+i/3] = lut[i%3][p]
	}
	r := referenceNet{tensor}
	x = r.relu(r.conv(x, "conv1", "bn1", convShape{stemOutputs, stemTaps, 2}), volume{})
	x = r.pool(x)
	seen("stem", x)
	for _, b := range blockShapes {
		y := r.relu(r.conv(x, b.name+".conv1", b.name+".bn1", convShape{b.out, 3, b.stride}), volume{})
		y = r.conv(y, b.name+".conv2", b.name+".bn2", convShape{b.out, 3, 1})
		if b.stride > 1 {
			x = r.conv(x, b.name+".downsample.0", b.name+".downsample.1", convShape{b.out, 1, b.stride})
		}
		x = r.relu(y, x)
		seen(b.name, x)
	}
	features := make([]float32, x.channels)
	for c := range features {
		sum := 0.0
		for _, v := range x.data[c*x.side*x.side : (c+1)*x.side*x.side] {
			sum += float64(v)
		}
		features[c] = float32(sum / float64(x.side*x.side))
	}
	return features
}

type referenceNet struct {
	tensor Tensor
}

type convShape struct {
	out, taps, stride int
}

// conv is a convolution padded to keep the size, and a batch norm.
func (r referenceNet) conv(x volume, conv, norm string, s convShape) volume {
	w := r.tensor(conv + ".weight")
	gamma, beta := r.tensor(norm+".weight"), r.tensor(norm+".bias")
	mean, variance := r.tensor(norm+".running_mean"), r.tensor(norm+".running_var")
	out := newVolume(s.out, x.side/s.stride)
	size := x.channels * s.taps * s.taps
	x = x.bordered(s.taps / 2)
	var wg sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := worker * atOnce; n < s.out; n += runtime.GOMAXPROCS(0) * atOnce {
				for k, sums := range direct(x, w[n*size:][:atOnce*size], s) {
					plane := out.data[(n+k)*out.side*out.side:][:out.side*out.side]
					for i, sum := range sums {
						unit := (sum - float64(mean[n+k])) / math.Sqrt(float64(variance[n+k])+epsilon)
						plane[i] = float32(unit*float64(gamma[n+k]) + float64(beta[n+k]))
					}
				}
			}
		})
	}
	wg.Wait()
	return out
}

// atOnce is the number of output channels for which an input is read once; it
// divides the channels of every convolution.
const atOnce = 4

// direct is atOnce output channels of a convolution over x within a border of
// zeros.
func direct(x volume, w []float32, s convShape) (sums [atOnce][]float64) {
	side := (x.side-s.taps)/s.stride + 1
	for k := range sums {
		sums[k] = make([]float64, side*side)
	}
	size := x.channels * s.taps * s.taps
	for tap := range size {
		c, ky, kx := tap/(s.taps*s.taps), tap/s.taps%s.taps, tap%s.taps
		w0, w1, w2, w3 := float64(w[tap]), float64(w[size+tap]), float64(w[2*size+tap]), float64(w[3*size+tap])
		for row := range side {
			in := x.data[(c*x.side+row*s.stride+ky)*x.side+kx:]
			out0 := sums[0][row*side:][:side]
			out1, out2, out3 := sums[1][row*side:][:side], sums[2][row*side:][:side], sums[3][row*side:][:side]
			for i := range out0 {
				v := float64(in[i*s.stride])
				out0[i] += w0 * v
				out1[i] += w1 * v
				out2[i] += w2 * v
				out3[i] += w3 * v
			}
		}
	}
	return sums
}

// bordered returns v within a border of zeros.
func (v volume) bordered(width int) volume {
	out := newVolume(v.channels, v.side+2*width)
	for row := range v.channels * v.side {
		c, y := row/v.side, row%v.side
		copy(out.data[(c*out.side+y+width)*out.side+width:][:v.side], v.data[row*v.side:])
	}
	return out
}

// relu is max(x + add, 0), in place; add may be empty.
func (referenceNet) relu(x, add volume) volume {
	for i := range x.data {
		if add.data != nil {
			x.data[i] += add.data[i]
		}
		x.data[i] = max(x.data[i], 0)
	}
	return x
}

// pool is the largest of 3×3 pixels, two apart. No pixel is negative, so that a
// zero border changes nothing.
func (referenceNet) pool(x volume) volume {
	out := newVolume(x.channels, x.side/2)
	for i := range out.data {
		c, y, p := i/(out.side*out.side), i/out.side%out.side, i%out.side
		for k := range 9 {
			out.data[i] = max(out.data[i], x.at(c, 2*y+k/3-1, 2*p+k%3-1))
		}
	}
	return out
}
