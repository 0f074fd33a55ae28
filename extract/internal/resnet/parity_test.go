package resnet

import (
	_ "embed"
	"encoding/json"
	"math"
	"sync"
	"testing"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

//go:embed testdata/torch.json
var torchJSON []byte

// torch is what PyTorch computes in float64 for recipeImage(0), (1), ….
type torch struct {
	Images []struct {
		Blocks map[string]struct {
			Sum    float64
			Values []float32
		}
		Features []float32
	}
}

func loadTorch(t *testing.T) torch {
	t.Helper()
	var f torch
	if err := json.Unmarshal(torchJSON, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// recipe keeps the weights, which take a while to make.
var recipe = sync.OnceValue(recipeWeights)

// nets keeps a network of each kind, which takes a while to pack.
var nets sync.Map // Options without LUT → func() *Net

func netOf(t testing.TB, on isa.ISA, plan string) *Net {
	return netIn(t, Options{ISA: on.String(), Plan: plan, Precision: FP32})
}

func netIn(t testing.TB, o Options) *Net {
	t.Helper()
	build, _ := nets.LoadOrStore(o, sync.OnceValue(func() *Net {
		o.LUT = recipeLUT()
		n, err := New(recipe(), o)
		if err != nil {
			panic(err)
		}
		return n
	}))
	return build.(func() *Net)()
}

// eachNet runs f for every plan and every implementation that this machine has. bf16 in
// portable code, which takes seconds an image, has a test of its own.
func eachNet(t *testing.T, f func(t *testing.T, n *Net)) {
	for _, plan := range []string{Winograd, Compact} {
		for _, on := range kernel.Available() {
			t.Run(plan+"/"+on.String(), func(t *testing.T) {
				if raceDetector && on == isa.Portable {
					t.Skip("portable code takes minutes under the race detector")
				}
				f(t, netOf(t, on, plan))
			})
			if on != isa.Portable && kernel.HasBF16(on) {
				t.Run(plan+"/"+on.String()+"/bf16", func(t *testing.T) {
					f(t, netIn(t, Options{ISA: on.String(), Plan: plan, Precision: BF16}))
				})
			}
		}
	}
}

// forward returns the features of images.
func forward(n *Net, images ...[]uint8) []float32 {
	var pixels []uint8
	for _, p := range images {
		pixels = append(pixels, p...)
	}
	features := make([]float32, len(images)*Dim)
	n.Forward(n.NewWorkspace(), features, pixels, len(images))
	return features
}

// agree fails unless got is a feature of cosine and max-abs close to want.
func agree(t *testing.T, got, want []float32, cosine, maxAbs float64) {
	t.Helper()
	var ab, aa, bb, most float64
	for i := range want {
		a, b := float64(got[i]), float64(want[i])
		ab, aa, bb = ab+a*b, aa+a*a, bb+b*b
		most = math.Max(most, math.Abs(a-b))
	}
	if c := ab / math.Sqrt(aa*bb); !(c >= cosine) || !(most <= maxAbs) {
		t.Errorf("1-cosine %.3g, largest difference %.3g; allowed are %.3g and %.3g", 1-c, most, 1-cosine, maxAbs)
	}
}

// The features of the recipe are up to 40 and have a root mean square of 11. These
// are the bounds of direct convolutions.
const (
	leastCosine = 1 - 1e-11
	mostAbs     = 2e-4
)

// bounds are the least cosine and the largest difference that a plan may show.
func (n *Net) bounds() (cosine, maxAbs float64) {
	if n.precision == BF16 { // operands have 8 bits
		return 1 - 2e-4, 3
	}
	if n.plan == Compact { // weights have 11 bits
		return 1 - 1e-7, 5e-2
	}
	return 1 - 1e-10, 1e-3
}

func TestFeaturesEqualTorch(t *testing.T) {
	want := loadTorch(t)
	eachNet(t, func(t *testing.T, n *Net) {
		for i, image := range want.Images {
			cosine, maxAbs := n.bounds()
			agree(t, forward(n, recipeImage(i)), image.Features, cosine, maxAbs)
		}
	})
}

func TestReferenceEqualsTorchAtEveryBlock(t *testing.T) {
	if raceDetector {
		t.Skip("direct convolutions take minutes under the race detector")
	}
	image := loadTorch(t).Images[0]
	seen := 0
	got := reference(recipe(), recipeLUT(), recipeImage(0), func(name string, v volume) {
		seen++
		want := image.Blocks[name]
		sum := 0.0
		for _, x := range v.data {
			sum += float64(x)
		}
		if len(want.Values) == 0 || math.Abs(sum-want.Sum) > 1e-6*want.Sum {
			t.Errorf("%s: sum %v, want %v", name, sum, want.Sum)
		}
		for i, x := range want.Values {
			if got := v.data[i*2654435761%len(v.data)]; math.Abs(float64(got-x)) > 1e-4 {
				t.Errorf("%s: sample %d is %v, want %v", name, i, got, x)
			}
		}
	})
	if seen != len(image.Blocks) {
		t.Errorf("%d blocks seen, %d in the file", seen, len(image.Blocks))
	}
	agree(t, got, image.Features, leastCosine, mostAbs)
}

func TestEveryBlockEqualsTorch(t *testing.T) {
	want := loadTorch(t)
	eachNet(t, func(t *testing.T, n *Net) {
		for i, image := range want.Images {
			ws := n.NewWorkspace()
			n.stem.run(n.isa, ws, ws.x[0], recipeImage(i), 0, stemTiles)
			_, tol := n.bounds()
			compareBlock(t, "stem", ws.x[0].image(0), stageShapes[0].side, image.Blocks["stem"].Values, image.Blocks["stem"].Sum, tol)
			for b, s := range blockShapes {
				n.block(ws, b, 1)
				compareBlock(t, s.name, ws.x[s.stage].image(0), s.side, image.Blocks[s.name].Values, image.Blocks[s.name].Sum, tol)
			}
		}
	})
}

// compareBlock compares the samples, which count in channel, row, column order, and
// the sum of an image, border included: it must be zero.
func compareBlock(t *testing.T, name string, g grid, side int, values []float32, sum, tol float64) {
	t.Helper()
	total := 0.0
	for _, x := range g.data {
		total += float64(x)
	}
	if len(values) == 0 || !(math.Abs(total-sum) <= tol/200*sum) {
		t.Errorf("%s: sum %v, want %v", name, total, sum)
	}
	for i, want := range values {
		at := i * 2654435761 % (g.channels * side * side)
		c, y, x := at/(side*side), at/side%side, at%side
		if got := g.from(0, 1+y, 1+x)[c]; !(math.Abs(float64(got-want)) <= tol) {
			t.Errorf("%s: channel %d of pixel (%d, %d) is %v, want %v", name, c, y, x, got, want)
		}
	}
}
