package resnet

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

// gridsOf returns the grids of images.
func gridsOf(n *Net, images ...[]uint8) []float32 {
	cells := make([]float32, len(images)*GridLen)
	n.Grid(n.NewWorkspace(), cells, slices.Concat(images...), len(images))
	return cells
}

// The last block's values are those that a feature is the mean of. torch.json counts them
// in channel, row, column order.
func TestGridEqualsTorch(t *testing.T) {
	want := loadTorch(t)
	eachNet(t, func(t *testing.T, n *Net) {
		for i, image := range want.Images {
			got, last := gridsOf(n, recipeImage(i)), image.Blocks["layer4.1"]
			_, tol := n.bounds()
			sum := 0.0
			for _, v := range got {
				sum += float64(v)
			}
			if !(math.Abs(sum-last.Sum) <= tol/200*last.Sum) {
				t.Errorf("image %d: sum %v, want %v", i, sum, last.Sum)
			}
			for k, v := range last.Values {
				const cells = GridSide * GridSide
				at := k * 2654435761 % GridLen
				if x := got[at%cells*Dim+at/cells]; !(math.Abs(float64(x-v)) <= tol) {
					t.Errorf("image %d: channel %d of cell %d is %v, want %v", i, at/cells, at%cells, x, v)
				}
			}
		}
	})
}

func TestMeanOfTheGridIsTheFeature(t *testing.T) {
	eachNet(t, func(t *testing.T, n *Net) {
		count := group + 2
		if n.isa == isa.Portable {
			count = 2
		}
		var images [][]uint8
		for i := range count {
			images = append(images, recipeImage(i%3))
		}
		cells := gridsOf(n, images...)
		for i, image := range images[:min(count, 3)] {
			if d := cmp.Diff(forward(n, image), meanOf(cells[i*GridLen:][:GridLen])); d != "" {
				t.Errorf("image %d: %s", i, d)
			}
		}
		if again := cells[group%3*GridLen:][:GridLen]; count > group && !slices.Equal(cells[group*GridLen:][:GridLen], again) {
			t.Error("a grid depends on the other images of its group")
		}
		s := n.NewSingle(2)
		defer s.Close()
		alone := make([]float32, GridLen)
		if s.Grid(alone, images[1]); !slices.Equal(alone, cells[GridLen:][:GridLen]) {
			t.Error("a Single has another grid")
		}
	})
}

// meanOf is the mean of a grid over its cells, summed in their order.
func meanOf(cells []float32) []float32 {
	mean := make([]float32, Dim)
	for i, v := range cells {
		mean[i%Dim] += v
	}
	for c := range mean {
		mean[c] /= GridSide * GridSide
	}
	return mean
}

func TestGridAllocatesNothing(t *testing.T) {
	n := netOf(t, isa.Best(kernel.Available()), Winograd)
	ws, cells, pixels := n.NewWorkspace(), make([]float32, GridLen), recipeImage(0)
	if allocs := testing.AllocsPerRun(3, func() { n.Grid(ws, cells, pixels, 1) }); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
