package resnet

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"icebox/extract/internal/kernel"
)

func TestZZProfile(t *testing.T) {
	images, _ := strconv.Atoi(os.Getenv("IMAGES"))
	if images == 0 {
		t.Skip()
	}
	reps, _ := strconv.Atoi(os.Getenv("REPS"))
	var px []uint8
	for i := range images {
		px = append(px, recipeImage(i)...)
	}
	f := make([]float32, images*Dim)
	for _, isa := range kernel.Available()[1:] {
		if e := os.Getenv("ISA"); e != "" && e != isa.String() {
			continue
		}
		n, _ := New(recipeWeights(), Options{LUT: recipeLUT(), ISA: isa.String()})
		ws := n.NewWorkspace()
		best := map[string]time.Duration{}
		var order []string
		cur := map[string]time.Duration{}
		tic := func(name string, fn func()) {
			s := time.Now()
			fn()
			if _, ok := best[name]; !ok {
				best[name] = math.MaxInt64
				order = append(order, name)
			}
			cur[name] += time.Since(s)
		}
		conv := func(name string, c *conv, src, dst grid, images int, residual bool) {
			total := images * c.across() * c.across()
			chunks := (total + c.tiles - 1) / c.tiles
			for i := range chunks {
				k := chunk{conv: c, isa: isa, ws: ws, lo: total * i / chunks, hi: total * (i + 1) / chunks}
				tic(name+" in", func() { k.input(src) })
				tic(name+" gemm", func() { k.multiply() })
				tic(name+" out", func() { k.output(dst, residual) })
			}
		}
		block := func(b, images int) {
			k := &n.blocks[b]
			x, y := ws.x[k.stage], ws.y[k.stage]
			from := x
			nm := blockShapes[b].name
			if k.down != nil {
				from = ws.x[k.stage-1]
				tic(nm+" down", func() { k.down.run(isa, from, x, images) })
			}
			conv(nm+" conv1", &k.conv1, from, y, images, false)
			conv(nm+" conv2", &k.conv2, y, x, images, true)
		}
		total := time.Duration(math.MaxInt64)
		for range reps {
			clear(cur)
			for i := range images {
				all := ws.x[1]
				ws.x[1] = all.image(i)
				tic("stem", func() { n.stem.run(isa, ws, ws.x[0], px[i*PixelBytes:][:PixelBytes]) })
				for b := range 4 {
					block(b, 1)
				}
				ws.x[1] = all
			}
			for b := 4; b < 8; b++ {
				block(b, images)
			}
			tic("avg", func() { average(f, ws.x[3]) })
			for k, v := range cur {
				best[k] = min(best[k], v)
			}
			s := time.Now()
			n.Forward(ws, f, px, images)
			total = min(total, time.Since(s))
		}
		var sum time.Duration
		for _, k := range order {
			v := best[k] / time.Duration(images)
			sum += v
			fmt.Printf("%-24s %7.1f us\n", k, float64(v.Nanoseconds())/1000)
		}
		fmt.Println(isa, "sum", sum, "forward best", total/time.Duration(images), "img/s", float64(images)/total.Seconds())
		// parts of the stem
		s := &n.stem
		part := func(name string, fn func()) {
			m := time.Duration(math.MaxInt64)
			for range reps * 50 {
				t := time.Now()
				fn()
				m = min(m, time.Since(t))
			}
			fmt.Printf("stem/%s x28 %7.1f us\n", name, float64(m.Nanoseconds())*28/1000)
		}
		part("fill4", func() {
			for y := range 4 {
				s.fill(ws.strip[y*stripPitch*stemChannels:][:stripPitch*stemChannels], px, 50+y)
			}
		})
		part("conv", func() { s.convolve(isa, ws) })
	part("in", func() {
	isa.Input(&kernel.Input{
		Scheme: kernel.F44, Src: ws.strip, Pixel: stemChannels, Row: stripPitch * stemChannels,
		Dst: ws.v, Width: stemChannels, Plane: stemTiles * stemChannels,
		Tiles: stemTiles, Channels: stemChannels, Scratch: ws.scratch,
	})})
	part("gemm", func() {
	isa.GEMM(&kernel.GEMM{
		A: ws.v, B: s.weights.data, C: ws.m, LDA: stemChannels, LDC: stemOutputs,
		APlane: stemTiles * stemChannels, CPlane: stemTiles * stemOutputs,
		Planes: kernel.F44.Planes(), Rows: stemTiles, Columns: stemOutputs, K: stemInputs,
	})})
	part("out", func() {
	isa.Output(&kernel.Output{
		Scheme: kernel.F44, M: ws.m, Plane: stemTiles * stemOutputs, Bias: s.bias,
		Dst: ws.ring[(ringPitch+1)*stemOutputs:], Pixel: stemOutputs, Row: ringPitch * stemOutputs,
		Tiles: stemTiles, Channels: stemOutputs, Rows: 4, LastColumns: 4, Scratch: ws.scratch,
	})})
	part("pool1", func() {
			isa.MaxPool(&kernel.Pool{
				Src: ws.ring, Dst: ws.x[0].from(0, 1, 1),
				Pixel: stemOutputs, Row: ringPitch * stemOutputs, Pixels: poolSide, Channels: stemOutputs,
			})
	})
	part("ringcopy", func() { copy(ws.ring[:ringPitch * stemOutputs], ws.ring[4*ringPitch * stemOutputs:]) })
	part("stripcopy", func() { 		copy(ws.strip[:3*stripPitch * stemChannels], ws.strip[4*stripPitch * stemChannels:]) })
	}
}
