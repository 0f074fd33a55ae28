package resnet

import "icebox/extract/internal/kernel"

// conv is a 3×3 convolution with bias and ReLU, ready to run.
type conv struct {
	scheme  kernel.Scheme
	in, out int // channels
	side    int // of the output
	tiles   int // most tiles of a chunk
	weights packed
	bias    []float32
}

// grid holds images with a border of zeros: pixel (y, x) of image i, both from -1,
// is channels values at ((i·pitch + y+1)·pitch + x+1)·channels.
type grid struct {
	data            []float32
	pitch, channels int
}

// image returns image i alone.
func (g grid) image(i int) grid {
	n := g.pitch * g.pitch * g.channels
	g.data = g.data[i*n : (i+1)*n]
	return g
}

// from returns the data from pixel (y, x) of image i on, both counted with the
// border.
func (g grid) from(i, y, x int) []float32 {
	return g.data[((i*g.pitch+y)*g.pitch+x)*g.channels:]
}

// across is the number of tiles in a row of the output.
func (c *conv) across() int {
	n := c.scheme.Outputs()
	return (c.side + n - 1) / n
}

// run writes max(conv(src) + bias, 0) to dst or, with residual, max(conv(src) +
// bias + dst, 0).
func (c *conv) run(isa kernel.ISA, ws *Workspace, src, dst grid, images int, residual bool) {
	total := images * c.across() * c.across()
	chunks := (total + c.tiles - 1) / c.tiles
	for i := range chunks {
		k := chunk{conv: c, isa: isa, ws: ws, lo: total * i / chunks, hi: total * (i + 1) / chunks}
		k.input(src)
		k.multiply()
		k.output(dst, residual)
	}
}

// chunk is a number of tiles, counted through all images, that pass through the
// planes together.
type chunk struct {
	*conv
	isa    kernel.ISA
	ws     *Workspace
	lo, hi int
}

// stretch is a piece of a chunk: tiles beside each other in one image.
type stretch struct {
	image, y, x int // of the first tile; y and x in tiles
	tiles       int
}

// stretch returns the tiles from t on, to the end of the row of tiles or the chunk.
func (k *chunk) stretch(t int) stretch {
	across := k.across()
	r := stretch{image: t / (across * across), y: t / across % across, x: t % across}
	r.tiles = min(k.hi-t, across-r.x)
	return r
}

// width is the length of a tile's row in a plane of V.
func (c *conv) width() int { return c.scheme.MaxSlots() * c.in }

// planePad is put between planes, whose distance would else often be a multiple of
// 4 KiB, so that a tile's values in all planes met in one set of the cache.
const planePad = 16

// planeLens returns the distances of planes of V and M for a number of tiles.
func (c *conv) planeLens(tiles int) (v, m int) {
	return tiles*c.width() + planePad, tiles*c.out + planePad
}

func (k *chunk) input(src grid) {
	step := k.scheme.Step()
	plane, _ := k.planeLens(k.hi - k.lo)
	in := kernel.Input{
		Scheme: k.scheme, Pixel: src.channels, Row: src.pitch * src.channels,
		Width: k.width(), Plane: plane, Channels: k.in, Scratch: k.ws.scratch,
	}
	for t := k.lo; t < k.hi; t += in.Tiles {
		r := k.stretch(t)
		in.Tiles = r.tiles
		in.Src = src.from(r.image, r.y*step, r.x*step)
		in.Dst = k.ws.v[(t-k.lo)*in.Width:]
		k.isa.Input(&in)
	}
}

// multiply computes M = V·U for each plane.
func (k *chunk) multiply() {
	tiles := k.hi - k.lo
	v, m := k.planeLens(tiles)
	g := kernel.GEMM{
		A: k.ws.v, C: k.ws.m, LDA: k.width(), LDC: k.out,
		APlane: v, CPlane: m,
		Planes: 1, Rows: tiles, Columns: k.out,
	}
	if k.weights.uniform() {
		g.B, g.K, g.Planes = k.weights.data, k.in, k.scheme.Planes()
		k.isa.GEMM(&g)
		return
	}
	for p, plane := range k.weights.planes {
		g.C = k.ws.m[p*g.CPlane:]
		for at := 0; at < plane.k; at += g.K {
			g.A = k.ws.v[p*g.APlane+at:]
			g.B, g.K = k.weights.block(p, at)
			g.Accumulate = at > 0
			k.isa.GEMM(&g)
		}
	}
}

func (k *chunk) output(dst grid, residual bool) {
	n := k.scheme.Outputs()
	_, plane := k.planeLens(k.hi - k.lo)
	out := kernel.Output{
		Scheme: k.scheme, Plane: plane, Bias: k.bias,
		Pixel: dst.channels, Row: dst.pitch * dst.channels,
		Channels: k.out, Residual: residual, Scratch: k.ws.scratch,
	}
	for t := k.lo; t < k.hi; t += out.Tiles {
		r := k.stretch(t)
		out.Tiles = r.tiles
		out.Rows = min(n, k.side-r.y*n)
		out.LastColumns = min(n, k.side-(r.x+r.tiles-1)*n)
		out.M = k.ws.m[(t-k.lo)*k.out:]
		out.Dst = dst.from(r.image, 1+r.y*n, 1+r.x*n)
		k.isa.Output(&out)
	}
}

// downsample is a 1×1 convolution with stride 2; its bias is conv2's affair.
type downsample struct {
	in, out int // channels
	side    int // of the output
	weights packed
}

// run writes the products to dst.
func (d *downsample) run(isa kernel.ISA, src, dst grid, images int) {
	g := kernel.GEMM{
		B: d.weights.data, LDA: 2 * src.channels, LDC: dst.channels,
		Planes: 1, Rows: d.side, Columns: d.out, K: d.in,
	}
	for i := range images {
		for y := range d.side {
			g.A, g.C = src.from(i, 1+2*y, 1), dst.from(i, 1+y, 1)
			isa.GEMM(&g)
		}
	}
}
