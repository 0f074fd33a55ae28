package evidence

import (
	"bytes"
	"errors"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"icebox/extract"
	"icebox/headtrain"
)

func randomHead(rng *rand.Rand, classes int, input string) *headtrain.Head {
	h := &headtrain.Head{Dim: dim, Input: input, W: make([]float32, classes*dim), B: make([]float32, classes)}
	for i := range h.W {
		h.W[i] = float32(rng.NormFloat64())
	}
	for i := range h.B {
		h.Classes = append(h.Classes, string(rune('a'+i)))
		h.B[i] = float32(rng.NormFloat64())
	}
	return h
}

func randomGrid(rng *rand.Rand) []float32 {
	grid := make([]float32, extract.GridLen)
	for i := range grid {
		grid[i] = float32(math.Abs(rng.NormFloat64()))
	}
	return grid
}

// meanOf is the feature of a grid.
func meanOf(grid []float32) []float32 {
	x := make([]float32, dim)
	for j := range x {
		sum := 0.0
		for c := range cells {
			sum += float64(grid[c*dim+j])
		}
		x[j] = float32(sum / cells)
	}
	return x
}

// The mean of a map is what the head itself says of the feature.
func TestMeanOfAMapIsTheDifferenceOfLogits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, input := range []string{"", headtrain.InputL2} {
		for n := range 20 {
			h, grid := randomHead(rng, 2+n%5, input), randomGrid(rng)
			if n == 3 {
				clear(grid)
			}
			logits := make([]float32, len(h.Classes))
			h.Logits(logits, meanOf(grid), 1)
			of, against := n%len(h.Classes), (n+1)%len(h.Classes)
			want := float64(logits[of]) - float64(logits[against])
			m := Find(h, grid, of, against)
			if got := m.Mean(); !(math.Abs(got-want) <= 1e-4) {
				t.Errorf("input %q: the mean of the map is %v, the logits differ by %v", input, got, want)
			}
			back := Find(h, grid, against, of)
			for c := range m.Cells {
				if !(math.Abs(m.Cells[c]+back.Cells[c]) <= 1e-9) {
					t.Fatalf("what speaks for a class does not speak against the other: %v and %v", m.Cells[c], back.Cells[c])
				}
			}
		}
	}
}

// What stands in one cell changes the map there and nowhere else.
func TestCellSpeaksForItself(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	h, grid := randomHead(rng, 3, ""), randomGrid(rng)
	before := Find(h, grid, 0, 1)
	const at = 2*side + 5 // row 2, column 5
	for j := range dim {
		grid[at*dim+j] += max(0, h.W[j]-h.W[dim+j])
	}
	after := Find(h, grid, 0, 1)
	for c := range after.Cells {
		switch {
		case c == at && !(after.Cells[c] > before.Cells[c]+1):
			t.Errorf("cell %d is %v and was %v", c, after.Cells[c], before.Cells[c])
		case c != at && after.Cells[c] != before.Cells[c]:
			t.Errorf("cell %d has changed", c)
		}
	}
}

func TestHeadsWithoutAMapAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	good := randomHead(rng, 2, "")
	if err := Check(good); err != nil {
		t.Error(err)
	}
	hidden, foreign, one := *good, *good, *good
	hidden.Hidden = &headtrain.Layer{}
	foreign.Dim = 7
	one.Classes = one.Classes[:1]
	for _, h := range []*headtrain.Head{&hidden, &foreign, &one} {
		if err := Check(h); !errors.Is(err, ErrNone) {
			t.Errorf("%v", err)
		}
	}
}

// A drawing is orange over what speaks for the class, blue over what speaks against it, and
// grey elsewhere; the middle of a cell is at 16 + 32 × its place.
func TestColoursLieOverTheirCells(t *testing.T) {
	crop := make([]uint8, extract.PixelBytes)
	for i := range crop {
		crop[i] = 100
	}
	m := &Map{}
	m.Cells[1*side+2], m.Cells[5*side+4] = 3, -1.5
	out := m.Over(crop)
	at := func(x, y int) (r, g, b int) {
		i := 3 * (y*extract.Side + x)
		return int(out[i]), int(out[i+1]), int(out[i+2])
	}
	if r, _, b := at(16+32*2, 16+32*1); r < 190 || b > 40 {
		t.Errorf("the strongest cell is red %d and blue %d", r, b)
	}
	if r, _, b := at(16+32*4, 16+32*5); b < 120 || r > 80 {
		t.Errorf("the cell against it is red %d and blue %d", r, b)
	}
	if r, g, b := at(200, 20); r != 100 || g != 100 || b != 100 {
		t.Errorf("a cell of 0 is %d %d %d", r, g, b)
	}
	strong, _, _ := at(16+32*2, 16+32*1)
	if r, _, _ := at(16+32*2+16, 16+32*1); r <= 100 || r >= strong {
		t.Errorf("half a cell away, red is %d of %d", r, strong)
	}
	if flat := (&Map{}).Over(crop); !bytes.Equal(flat, crop) {
		t.Error("a map of nothing changes a grey image")
	}
}

func TestCropsStandSideBySide(t *testing.T) {
	crop := make([]uint8, extract.PixelBytes)
	for i := range crop {
		crop[i] = 100
	}
	m := &Map{}
	m.Cells[24] = 1
	data, err := Encode(crop, m.Over(crop))
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 2*extract.Side || b.Dy() != extract.Side {
		t.Fatalf("%v", b)
	}
	left, _, _, _ := img.At(112, 112).RGBA()
	right, _, _, _ := img.At(extract.Side+112, 112).RGBA()
	if left>>8 > 110 || right>>8 < 180 {
		t.Errorf("red is %d on the left and %d on the right", left>>8, right>>8)
	}
}
