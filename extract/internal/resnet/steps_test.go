package resnet

import (
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

// BenchmarkSteps splits the time of each layer among the steps of Winograd's method. It prints
// medians in microseconds an image, and what share of the peak of multiply-adds the products
// alone reach, and the layer as a whole.
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
			s.check(b, pixels)
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

// The steps of a layer. The stem alone fills in pixels, and pools.
const (
	fill = iota
	input
	product
	output
	pool
	stepCount
)

// layerSteps is the time of each step of a layer.
type layerSteps [stepCount]time.Duration

// steps is Forward with a clock at each step.
type steps struct {
	net      *Net
	ws       *Workspace
	features []float32
	spent    []layerSteps
	last     time.Time
}

// check holds the features against Forward's.
func (s *steps) check(b *testing.B, pixels []uint8) {
	want := make([]float32, len(s.features))
	s.net.Forward(s.ws, want, pixels, len(want)/Dim)
	if !slices.Equal(s.features, want) {
		b.Fatal("the steps do not give Forward's features")
	}
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
	s.lap(len(n.layers)-1, output)
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
		s.lap(0, fill)
		in, g, out := m.steps(ws)
		in.Run(n.isa)
		s.lap(0, input)
		g.Run(n.isa)
		s.lap(0, product)
		out.Run(n.isa)
		s.lap(0, output)
		m.pool(n.isa, ws, ws.x[0], t)
		copy(ws.ring[:ringRow], ws.ring[4*ringRow:])
		s.lap(0, pool)
	}
}

func (s *steps) block(b, images int) {
	k := &s.net.blocks[b]
	x, y := s.ws.x[k.stage], s.ws.y[k.stage]
	from := x
	if k.down != nil {
		from = s.ws.x[k.stage-1]
		k.down.run(s.net.isa, s.ws, from, x, images, 0, k.down.side)
		s.lap(k.layer+2, product)
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
		s.lap(layer, input)
		k.multiply()
		s.lap(layer, product)
		k.output(dst, residual)
		s.lap(layer, output)
	}
}

func (s *steps) print(rounds [][]layerSteps, batch int, peak float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.AlignRight)
	defer w.Flush()
	fmt.Fprintln(w, "layer\tfill\tinput\tproduct\toutput\tpool\tall\tproduct of peak\tall of peak\t")
	var sums [stepCount]float64
	sum := int64(0)
	for i, l := range s.net.layers {
		var micros [stepCount]float64
		for j := range micros {
			var spent []time.Duration
			for _, r := range rounds {
				spent = append(spent, r[i][j])
			}
			slices.Sort(spent)
			micros[j] = spent[len(spent)/2].Seconds() * 1e6 / float64(batch)
			sums[j] += micros[j]
		}
		printSteps(w, l.Name, micros, l.Done, peak)
		sum += l.Done
	}
	printSteps(w, "all", sums, sum, peak)
}

// printSteps prints a row. A layer does so many multiplications an image.
func printSteps(w io.Writer, name string, micros [stepCount]float64, done int64, peak float64) {
	fmt.Fprintf(w, "%s\t", name)
	all := 0.0
	for _, t := range micros {
		fmt.Fprintf(w, "%.0f\t", t)
		all += t
	}
	share := func(micros float64) string {
		if done == 0 {
			return "-"
		}
		return fmt.Sprintf("%.0f %%", 100*2e6*float64(done)/(micros*peak))
	}
	fmt.Fprintf(w, "%.0f\t%s\t%s\t\n", all, share(micros[product]), share(all))
}
