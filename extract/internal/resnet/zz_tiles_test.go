package resnet

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"icebox/extract/internal/kernel"
)

func TestYYTiles(t *testing.T) {
	if os.Getenv("TILES") == "" {
		t.Skip()
	}
	for _, isa := range kernel.Available()[1:] {
		n, _ := New(recipeWeights(), Options{LUT: recipeLUT(), ISA: isa.String()})
		for i := range n.blocks {
			n.blocks[i].conv1.tiles *= 3
		}
		ws := n.NewWorkspace()
		for b := 0; b < 8; b += 1 {
			k := &n.blocks[b]
			x, y := ws.x[k.stage], ws.y[k.stage]
			images := 1
			if b >= 4 {
				images = 16
			}
			from := x
			if k.down != nil {
				from = ws.x[k.stage-1]
			}
			sizes := [][]int{{14, 28,42}, {14, 25,49}, {36,72,144}, {32, 64}}[k.stage]
			best := make([]time.Duration, len(sizes)*2)
			for i := range best { best[i] = math.MaxInt64 }
			for range 60 {
				for i, s := range sizes {
					k.conv1.tiles, k.conv2.tiles = s, s
					t0 := time.Now()
					k.conv1.run(isa, ws, from, y, images, false)
					t1 := time.Now()
					k.conv2.run(isa, ws, y, x, images, true)
					t2 := time.Now()
					best[2*i] = min(best[2*i], t1.Sub(t0)/time.Duration(images))
					best[2*i+1] = min(best[2*i+1], t2.Sub(t1)/time.Duration(images))
				}
			}
			for i, s := range sizes {
				fmt.Println(isa, blockShapes[b].name, s, best[2*i], best[2*i+1])
			}
		}
	}
}
