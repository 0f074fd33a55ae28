package resnet

import (
	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

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
func (c *conv) run(on isa.ISA, ws *Workspace, src, dst grid, images int, residual bool) {
	total := images * c.across() * c.across()
	chunks := (total + c.tiles - 1) / c.tiles
	for i := range chunks {
		k := c.chunk(on, ws, total*i/chunks, total*(i+1)/chunks)
		k.input(src, k.lo, k.hi)
		k.multiply()
		k.output(dst, residual)
	}
}

// chunk is a number of tiles, counted through all images, that pass through the planes
// together, and a range of the output channels.
type chunk struct {
	*conv
	isa            isa.ISA
	v              planes
	m, scratch     []float32
	lo, hi         int
	first, columns int // of the output channels
}

// chunk returns tiles lo … hi-1, all channels.
func (c *conv) chunk(on isa.ISA, ws *Workspace, lo, hi int) chunk {
	return chunk{conv: c, isa: on, v: ws.v, m: ws.m, scratch: ws.scratch, lo: lo, hi: hi, columns: c.out}
}

// stretch is a piece of a chunk: tiles beside each other in one image.
type stretch struct {
	image, y, x int // of the first tile; y and x in tiles
	tiles       int
}

// stretch returns the tiles from t on, to the end of the row of tiles or to hi.
func (c *conv) stretch(t, hi int) stretch {
	across := c.across()
	r := stretch{image: t / (across * across), y: t / across % across, x: t % across}
	r.tiles = min(hi-t, across-r.x)
	return r
}

// width is the distance of tiles' rows in a plane of V. Were it 4 KiB, the rows that a product
// reads together would share one set of the cache, which holds 8 lines.
func (c *conv) width() int {
	n := c.scheme.MaxSlots() * c.in
	if c.weights.element != bf16 && n%1024 == 0 {
		n += planePad
	}
	return n
}

// planes is the memory of V: floats, and the same bytes as values of bfloat16.
type planes struct {
	floats []float32
	bf16   []uint16
}

// from returns V without its first n values.
func (v planes) from(n int, e element) planes {
	if e == bf16 {
		return planes{bf16: v.bf16[n:]}
	}
	return planes{floats: v.floats[n:]}
}

// planePad is a gap of one line of the cache, in floats. Without it the distance of planes would
// often be a multiple of 4 KiB, and a tile's values in all planes would share one set of the
// cache.
const planePad = 16

// planeLens returns the distances of planes of V and M for a number of tiles and
// output channels.
func (c *conv) planeLens(tiles, columns int) (v, m int) {
	v, m = tiles*c.width()+planePad, tiles*columns+planePad
	if c.weights.element == bf16 {
		v += planePad // its values are half as long
	}
	return v, m
}

// input takes tiles lo … hi-1 of the chunk to V.
func (k *chunk) input(src grid, lo, hi int) {
	step := k.scheme.Step()
	plane, _ := k.planeLens(k.hi-k.lo, k.columns)
	in := kernel.Input{
		Scheme: k.scheme, Pixel: src.channels, Row: src.pitch * src.channels,
		Width: k.width(), Plane: plane, Channels: k.in, Scratch: k.scratch,
	}
	for t := lo; t < hi; t += in.Tiles {
		r := k.stretch(t, hi)
		in.Tiles = r.tiles
		in.Src = src.from(r.image, r.y*step, r.x*step)
		to := k.v.from((t-k.lo)*in.Width, k.weights.element)
		in.Dst, in.BF16 = to.floats, to.bf16
		in.Run(k.isa)
	}
}

// multiply computes M = V·U for each plane.
func (k *chunk) multiply() {
	tiles := k.hi - k.lo
	v, m := k.planeLens(tiles, k.columns)
	g := kernel.GEMM{
		C: k.m, LDA: k.width(), LDC: k.columns,
		APlane: v, CPlane: m,
		Planes: 1, Rows: tiles, Columns: k.columns,
	}
	if k.weights.uniform() && k.columns == k.out {
		g.K, g.Planes = k.in, k.scheme.Planes()
		a := k.v.from(0, k.weights.element)
		g.A, g.ABF16 = a.floats, a.bf16
		k.weights.multiply(&g, 0, g.K*g.Planes*g.Columns)
		g.Run(k.isa)
		return
	}
	for p, plane := range k.weights.planes {
		g.C = k.m[p*g.CPlane:]
		for at := 0; at < plane.k; at += g.K {
			a := k.v.from(p*g.APlane+at, k.weights.element)
			g.A, g.ABF16 = a.floats, a.bf16
			k.weights.panels(&g, p, at, k.first)
			g.Accumulate = at > 0
			g.Run(k.isa)
		}
	}
}

func (k *chunk) output(dst grid, residual bool) {
	n := k.scheme.Outputs()
	_, plane := k.planeLens(k.hi-k.lo, k.columns)
	out := kernel.Output{
		Scheme: k.scheme, Plane: plane, Bias: k.bias[k.first:],
		Pixel: dst.channels, Row: dst.pitch * dst.channels,
		Channels: k.columns, Residual: residual, Scratch: k.scratch,
	}
	for t := k.lo; t < k.hi; t += out.Tiles {
		r := k.stretch(t, k.hi)
		out.Tiles = r.tiles
		out.Rows = min(n, k.side-r.y*n)
		out.LastColumns = min(n, k.side-(r.x+r.tiles-1)*n)
		out.M = k.m[(t-k.lo)*k.columns:]
		out.Dst = dst.from(r.image, 1+r.y*n, 1+r.x*n)[k.first:]
		out.Run(k.isa)
	}
}

// downsample is a 1×1 convolution with stride 2. Its bias is added to that of conv2.
type downsample struct {
	in, out int // channels
	side    int // of the output
	weights packed
}

// run writes the products of rows lo … hi-1 of each image to dst.
func (d *downsample) run(on isa.ISA, ws *Workspace, src, dst grid, images, lo, hi int) {
	g := kernel.GEMM{LDA: 2 * src.channels, LDC: dst.channels, Planes: 1, Rows: d.side, Columns: d.out, K: d.in}
	d.weights.multiply(&g, 0, d.in*d.out)
	for i := range images {
		for y := lo; y < hi; y++ {
			g.C = dst.from(i, 1+y, 1)
			if row := src.from(i, 1+2*y, 1); d.weights.element == bf16 {
				g.ABF16, g.LDA = d.round(on, ws, row, src.channels), d.in
			} else {
				g.A = row
			}
			g.Run(on)
		}
	}
}

// round returns every other pixel of a row in bfloat16.
func (d *downsample) round(on isa.ISA, ws *Workspace, row []float32, channels int) []uint16 {
	in := kernel.Input{
		Scheme: kernel.F11S2, Src: row, Pixel: channels, BF16: ws.v.bf16,
		Width: d.in, Plane: d.side * d.in, Tiles: d.side, Channels: d.in, Scratch: ws.scratch,
	}
	in.Run(on)
	return in.BF16
}
