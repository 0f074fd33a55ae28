package resnet

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

// BenchmarkSteps splits the time of each layer among the steps of Winograd's method, in
// microseconds an image, and prints the medians of the benchmark's last run with the share of the peak that
// the products alone reach.
func BenchmarkSteps(b *testing.B) {
	const batch = 16
	weights := recipeWeights()
	var pixels []uint8
	for i := range batch {
		pixels = append(pixels, recipeImage(i)...)
	}
	for _, on := range kernel.Available() {
		if on == isa.Portable {
			continue
		}
		b.Run(on.String(), func(b *testing.B) {
			net, err := New(weights, Options{LUT: recipeLUT(), ISA: on.String()})
			if err != nil {
				b.Fatal(err)
			}
			s := steps{net: net, ws: net.NewWorkspace(), features: make([]float32, batch*Dim), spent: make([]layerSteps, len(net.layers))}
			s.forward(pixels, batch)
			clear(s.spent)
			var rounds [][]layerSteps
			for b.Loop() {
				s.forward(pixels, batch)
				rounds = append(rounds, slices.Clone(s.spent))
				clear(s.spent)
			}
			b.StopTimer()
			s.print(rounds, batch, kernel.Peak(on, false))
		})
	}
}

// layerSteps is the time of a layer's fill (the stem's pixels), input transform, products,
// output transform and pooling.
type layerSteps [5]time.Duration

// steps is Forward with a clock at each step.
type steps struct {
	net      *Net
	ws       *Workspace
	features []float32
	spent    []layerSteps
	last     time.Time
}

func (s *steps) lap(layer, step int) {
	now := time.Now()
	s.spent[layer][step] += now.Sub(s.last)
	s.last = now
}

func (s *steps) forward(pixels []uint8, images int) {
	n, ws := s.net, s.ws
	s.last = time.Now()
	all := ws.x[1]
	for i := range images {
		ws.x[1] = all.image(i)
		s.stem(pixels[i*PixelBytes:][:PixelBytes])
		for b := range earlyBlocks {
			s.block(b, 1)
		}
	}
	ws.x[1] = all
	for b := earlyBlocks; b < len(n.blocks); b++ {
		s.block(b, images)
	}
	average(s.features, ws.x[3])
	s.lap(len(n.layers)-1, 2)
}

func (s *steps) stem(pixels []uint8) {
	n, ws, m := s.net, s.ws, &s.net.stem
	const stripRow, ringRow = stripPitch * stemChannels, ringPitch * stemOutputs
	clear(ws.ring[:ringRow])
	for y := range 3 {
		m.fill(ws.strip[(4+y)*stripRow:][:stripRow], pixels, y)
	}
	for t := range stemTiles {
		copy(ws.strip[:3*stripRow], ws.strip[4*stripRow:])
		for y := 3; y < stripRows; y++ {
			m.fill(ws.strip[y*stripRow:][:stripRow], pixels, 4*t+y)
		}
		s.lap(0, 0)
		in, g, out := m.steps(ws)
		in.Run(n.isa)
		s.lap(0, 1)
		g.Run(n.isa)
		s.lap(0, 2)
		out.Run(n.isa)
		s.lap(0, 3)
		m.pool(n.isa, ws, ws.x[0], t)
		copy(ws.ring[:ringRow], ws.ring[4*ringRow:])
		s.lap(0, 4)
	}
}

func (s *steps) block(b, images int) {
	k := &s.net.blocks[b]
	x, y := s.ws.x[k.stage], s.ws.y[k.stage]
	from := x
	if k.down != nil {
		from = s.ws.x[k.stage-1]
		k.down.run(s.net.isa, s.ws, from, x, images, 0, k.down.side)
		s.lap(k.layer+2, 2)
	}
	s.conv(&k.conv1, k.layer, from, y, images, false)
	s.conv(&k.conv2, k.layer+1, y, x, images, true)
}

func (s *steps) conv(c *conv, layer int, src, dst grid, images int, residual bool) {
	total := images * c.across() * c.across()
	chunks := (total + c.tiles - 1) / c.tiles
	for i := range chunks {
		k := c.chunk(s.net.isa, s.ws, total*i/chunks, total*(i+1)/chunks)
		k.input(src, k.lo, k.hi)
		s.lap(layer, 1)
		k.multiply()
		s.lap(layer, 2)
		k.output(dst, residual)
		s.lap(layer, 3)
	}
}

func (s *steps) print(rounds [][]layerSteps, batch int, peak float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "layer\tfill\tinput\tproduct\toutput\tpool\tµs/image\tproduct of peak\tlayer of peak\t\n")
	var sum [5]float64
	row := func(name string, us [5]float64, done int64) {
		all := 0.0
		fmt.Fprintf(w, "%s\t", name)
		for _, t := range us {
			fmt.Fprintf(w, "%.0f\t", t)
			all += t
		}
		fmt.Fprintf(w, "%.0f\t%.0f\t%.0f\t\n", all, 100*2*float64(done)/us[2]*1e6/peak, 100*2*float64(done)/all*1e6/peak)
	}
	done := int64(0)
	for i, l := range s.net.layers {
		var us [5]float64
		for j := range us {
			var d []time.Duration
			for _, r := range rounds {
				d = append(d, r[i][j])
			}
			slices.Sort(d)
			us[j] = float64(d[len(d)/2].Nanoseconds()) / 1e3 / float64(batch)
			sum[j] += us[j]
		}
		row(l.Name, us, l.Done)
		done += l.Done
	}
	row("all", sum, done)
	fmt.Fprintf(w, "peak %.1f GFLOP/s\n", peak/1e9)
	w.Flush()
}
