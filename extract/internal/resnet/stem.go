package resnet

import (
	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

// stem is the 7×7 convolution, ReLU and the max-pooling, a row of tiles at a time.
//
// The strip holds the seven rows that a row of tiles reads, each pixel being 2×2
// image pixels. The ring holds five rows of the convolution's output: the last of
// the row of tiles before, then four new ones; its column 0 stays zero.
type stem struct {
	lut     *[3][256]float32
	weights packed
	bias    []float32
}

const (
	stripPitch = stemSide + 3
	stripRows  = 7
	stemTiles  = stemSide / 4 // in a row, and rows
	ringPitch  = stemSide + 1
	ringRows   = 5
	poolSide   = stemSide / 2
)

// The distances of the planes of a row of tiles, in floats.
const (
	stemPlaneV = stemTiles*stemChannels + planePad
	stemPlaneM = stemTiles*stemOutputs + planePad
)

// run writes the pooled rows of rows of tiles from … to-1, two each, of an image to
// dst.
func (s *stem) run(on isa.ISA, ws *Workspace, dst grid, pixels []uint8, from, to int) {
	const stripRow, ringRow = stripPitch * stemChannels, ringPitch * stemOutputs
	first := max(0, from-1) // for its last row
	clear(ws.ring[:ringRow])
	for y := range 3 {
		s.fill(ws.strip[(4+y)*stripRow:][:stripRow], pixels, 4*first+y)
	}
	for t := first; t < to; t++ {
		copy(ws.strip[:3*stripRow], ws.strip[4*stripRow:])
		for y := 3; y < stripRows; y++ {
			s.fill(ws.strip[y*stripRow:][:stripRow], pixels, 4*t+y)
		}
		s.convolve(on, ws)
		if t >= from {
			s.pool(on, ws, dst, t)
		}
		copy(ws.ring[:ringRow], ws.ring[4*ringRow:])
	}
}

// pool writes the two pooled rows of row of tiles t.
func (s *stem) pool(on isa.ISA, ws *Workspace, dst grid, t int) {
	const ringRow = ringPitch * stemOutputs
	for y := range 2 {
		p := kernel.Pool{
			Src: ws.ring[2*y*ringRow:], Dst: dst.from(0, 1+2*t+y, 1),
			Pixel: stemOutputs, Row: ringRow, Pixels: poolSide, Channels: stemOutputs,
		}
		p.Run(on)
	}
}

// convolve takes the strip to rows 1 to 4 of the ring.
func (s *stem) convolve(on isa.ISA, ws *Workspace) {
	in, g, out := s.steps(ws)
	in.Run(on)
	g.Run(on)
	out.Run(on)
}

// steps are those of convolve.
func (s *stem) steps(ws *Workspace) (kernel.Input, kernel.GEMM, kernel.Output) {
	in := kernel.Input{
		Scheme: kernel.F44, Src: ws.strip, Pixel: stemChannels, Row: stripPitch * stemChannels,
		Dst: ws.v.floats, Width: stemChannels, Plane: stemPlaneV,
		Tiles: stemTiles, Channels: stemChannels, Scratch: ws.scratch,
	}
	g := kernel.GEMM{
		A: ws.v.floats, B: s.weights.data, C: ws.m, LDA: stemChannels, LDC: stemOutputs,
		APlane: stemPlaneV, CPlane: stemPlaneM,
		Planes: kernel.F44.Planes(), Rows: stemTiles, Columns: stemOutputs, K: stemInputs,
	}
	out := kernel.Output{
		Scheme: kernel.F44, M: ws.m, Plane: stemPlaneM, Bias: s.bias,
		Dst: ws.ring[(ringPitch+1)*stemOutputs:], Pixel: stemOutputs, Row: ringPitch * stemOutputs,
		Tiles: stemTiles, Channels: stemOutputs, Rows: 4, LastColumns: 4, Scratch: ws.scratch,
	}
	return in, g, out
}

// fill writes row y of the strip's image: of the normalised image, padded by three
// zeros, rows 2y and 2y+1, and columns 2x and 2x+1 in pixel x. The last four
// channels stay zero.
func (s *stem) fill(row []float32, pixels []uint8, y int) {
	const edge = stripPitch - 1
	for p := range 2 {
		at := 2*y + p - 3
		if at < 0 || at >= Side {
			for x := range stripPitch {
				clear(row[x*stemChannels+6*p:][:6])
			}
			continue
		}
		line := pixels[at*Side*3:][:Side*3]
		// Pixel 1 has only column 0 of the image, pixel edge-1 only column 223.
		for c := range 3 {
			row[stemChannels+6*p+3+c] = s.lut[c][line[c]]
			row[(edge-1)*stemChannels+6*p+c] = s.lut[c][line[(Side-1)*3+c]]
		}
		for x := 2; x < edge-1; x++ {
			from, to := line[(2*x-3)*3:][:6], row[x*stemChannels+6*p:][:6]
			to[0], to[3] = s.lut[0][from[0]], s.lut[0][from[3]]
			to[1], to[4] = s.lut[1][from[1]], s.lut[1][from[4]]
			to[2], to[5] = s.lut[2][from[2]], s.lut[2][from[5]]
		}
	}
}
