package headtrain

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/rng"
	"icebox/headtrain/internal/testkit"
)

func smallMLP(d, hidden, k int) *Head {
	r := rand.New(rand.NewPCG(3, uint64(d)))
	values := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	return &Head{
		Classes: testkit.Names(k), Dim: d, W: values(k * hidden), B: values(k), Fingerprint: "f",
		Hidden: &Layer{In: d, Out: hidden, W: values(hidden * d), B: values(hidden)},
	}
}

// An MLP's logits are those of its definition, in float64, whatever the shape.
func TestMLPPredictsByItsDefinition(t *testing.T) {
	for _, shape := range [][3]int{{1, 1, 1}, {7, 3, 2}, {16, 16, 16}, {33, 70, 18}} {
		d, hidden, k := shape[0], shape[1], shape[2]
		h := smallMLP(d, hidden, k)
		for _, in := range []string{"", InputL2} {
			h.Input = in
			const n = 2*kernel.Block + 3
			x := clusters(n, d, k, 1).X
			got := make([]float32, n*k)
			h.Logits(got, x, n)
			for r := range n {
				row := x[r*d : (r+1)*d]
				scale := 1.0
				if in == InputL2 {
					scale = float64(labelled.UnitScale(row))
				}
				for c := range k {
					z := float64(h.B[c])
					for u := range hidden {
						a := float64(h.Hidden.B[u])
						for j, v := range row {
							a += float64(h.Hidden.W[u*d+j]) * float64(v) * scale
						}
						z += float64(h.W[c*hidden+u]) * max(a, 0)
					}
					if !(math.Abs(float64(got[r*k+c])-z) <= 1e-4*max(1, math.Abs(z))) {
						t.Fatalf("%v, input %q: logit of row %d, class %d is %v, want %v", shape, in, r, c, got[r*k+c], z)
					}
				}
			}
		}
	}
}

func TestSavedMLPLoadsUnchanged(t *testing.T) {
	h := smallMLP(5, 4, 3)
	h.Input = InputL2
	data, err := h.encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"fc1.weight":{"dtype":"F32","shape":[4,5]`, `"fc1.bias"`, `"fc2.weight":{"dtype":"F32","shape":[3,4]`, `"fc2.bias"`, `\"kind\":\"mlp\"`} {
		if !strings.Contains(string(data), name) {
			t.Errorf("the file lacks %s", name)
		}
	}
	got, err := DecodeHead(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(h, got); d != "" {
		t.Errorf("-saved +loaded:\n%s", d)
	}
}

func TestMalformedMLPFilesAreRefused(t *testing.T) {
	for says, change := range map[string]func(h *Head){
		"the hidden layer has no units":                    func(h *Head) { h.Hidden.Out, h.Hidden.W, h.Hidden.B, h.W = 0, nil, nil, nil },
		"weights and 3 biases do not make 3 outputs of 4 ": func(h *Head) { h.W = h.W[1:] },
		"19 weights and 4 biases do not make 4 outputs":    func(h *Head) { h.Hidden.W = h.Hidden.W[1:] },
		"the hidden layer takes 5 features, the head 6":    func(h *Head) { h.Dim = 6 },
		"a weight is not finite":                           func(h *Head) { h.Hidden.B[0] = float32(math.Inf(1)) },
	} {
		h := smallMLP(5, 4, 3)
		change(h)
		if _, err := h.encode(); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), says) {
			t.Errorf("error lacks %q: %v", says, err)
		}
	}
	good, err := smallMLP(5, 4, 3).encode()
	if err != nil {
		t.Fatal(err)
	}
	for says, swap := range map[string][2]string{
		"no tensor fc1.bias":                      {`"fc1.bias"`, `"fc1.bibs"`},
		"fc2.weight is F32 [3 4], want F32 [2 4]": {`\"class 1\",`, ``},
		"fc1.bias is F32 [4], want F32 [5]":       {"[4,5]", "[5,4]"},
		"no tensor fc.weight":                     {`"kind\":\"mlp\"`, `"kind\":\"linear\"`},
		"fc2.weight is F32 [4 3], want F32 [3 3]": {"[3,4]", "[4,3]"},
	} {
		_, err := DecodeHead(rewrite(t, good, swap[0], swap[1]))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), says) {
			t.Errorf("error lacks %q: %v", says, err)
		}
	}
}

// rewrite replaces text in the header of a safetensors file.
func rewrite(t *testing.T, data []byte, old, new string) []byte {
	t.Helper()
	header := string(data[8 : 8+(int(data[0])|int(data[1])<<8)])
	if !strings.Contains(header, old) {
		t.Fatalf("the header lacks %s", old)
	}
	rest := data[8+len(header):]
	header = strings.Replace(header, old, new, 1)
	return append(craft(header, 0), rest...)
}

// Weights come before biases, in one stream of the seed.
func TestInitialLayersFillTheirRange(t *testing.T) {
	const d, k = 37, 18
	o := Options{Seed: 5}.WithDefaults()
	layers := initialLayers(o, d, k)
	r := rng.New(o.Seed, initStream)
	if len(layers) != 1 {
		t.Fatalf("%d layers", len(layers))
	}
	for i, v := range append(slices.Clone(layers[0].W), layers[0].B...) {
		if want := r.Symmetric() * float32(1/math.Sqrt(d)); v != want {
			t.Fatalf("value %d is %v, want %v", i, v, want)
		}
	}
	o.Kind, o.Hidden = KindMLP, 20
	layers = initialLayers(o, d, k)
	if len(layers) != 2 || layers[0].Out != 20 || layers[1].In != 20 || layers[1].Out != k {
		t.Fatalf("layers %v", layers)
	}
	for _, l := range layers {
		bound, top := 1/math.Sqrt(float64(l.In)), 0.0
		for _, v := range append(l.W, l.B...) {
			top = max(top, math.Abs(float64(v)))
		}
		if top > bound || top < 0.9*bound {
			t.Errorf("a layer of %d inputs goes up to %v, want ±%v", l.In, top, bound)
		}
	}
}

func TestDropoutKeepsItsShareAndTheMean(t *testing.T) {
	p := &Plan{Options: Options{Dropout: 0.25, Seed: 1}, step: 1}
	a, b := make([]float32, 40_000), make([]float32, 40_000)
	p.Keep(a)
	p.Keep(b)
	if !testkit.SameBits(a, b) {
		t.Error("one step has two masks")
	}
	sum := 0.0
	for _, v := range a {
		sum += float64(v)
		if v != 0 && v != float32(1/0.75) {
			t.Fatalf("a unit is multiplied by %v", v)
		}
	}
	if !(math.Abs(sum/float64(len(a))-1) <= 0.02) {
		t.Errorf("the mean is %v", sum/float64(len(a)))
	}
	p.step++
	if p.Keep(b); testkit.SameBits(a, b) {
		t.Error("two steps have one mask")
	}
}

func TestKindOptionsAreChecked(t *testing.T) {
	if o := (Options{Kind: KindMLP}).WithDefaults(); o.Hidden != 256 {
		t.Errorf("an mlp has %d units by default", o.Hidden)
	}
	for says, o := range map[string]Options{
		`Kind "cnn" is not known: choose linear or mlp`:       {Kind: "cnn"},
		"Hidden (5) is for heads of the kind mlp, not linear": {Hidden: 5},
		"Dropout (0.5) is for heads of the kind mlp, not lin": {Dropout: 0.5},
		"Dropout (1) must be ≥ 0 and < 1":                     {Kind: KindMLP, Dropout: 1},
		"Hidden (-1) must be from 0 to 65536":                 {Kind: KindMLP, Hidden: -1},
		"Dropout (NaN) must be finite and ≥ 0 and < 1":        {Kind: KindMLP, Dropout: math.NaN()},
		"Hidden (100000) must be from 0 to 65536":             {Kind: KindMLP, Hidden: 100_000},
		"Dropout (-0.25) must be ≥ 0 and < 1":                 {Kind: KindMLP, Dropout: -0.25},
	} {
		if err := o.Validate(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), says) {
			t.Errorf("error lacks %q: %v", says, err)
		}
	}
	_, err := New().Fit(context.Background(), Job{Train: clusters(10, 3, 2, 1), Heads: []Options{{Kind: KindMLP}}})
	if want := "Kind (mlp) cannot be trained by the engine fused"; err == nil || err.Error() != want || !errors.Is(err, ErrOptions) || !errors.Is(err, ErrEngine) {
		t.Errorf("the fused engine says of an mlp: %v", err)
	}
}

func TestFoldedLayerGivesTheSameOutputs(t *testing.T) {
	d := clusters(50, 9, 3, 1)
	o := Options{}.WithDefaults()
	p := newPlan(Job{Train: d}, 0, o)
	mapped := make([]float32, 50*9)
	p.Features(mapped, p.train.Rows)
	raw := &Head{Classes: d.Classes}
	raw.setLayers([]Layer{p.Layers[0].fold(p.input)})
	onMapped := &Head{Classes: d.Classes}
	onMapped.setLayers(p.Layers)
	a, b := make([]float32, 150), make([]float32, 150)
	raw.Logits(a, d.X, 50)
	onMapped.Logits(b, mapped, 50)
	if w := testkit.Worst(a, b); w > 1e-5 {
		t.Errorf("logits differ by %v", w)
	}
	if testkit.Worst(a, make([]float32, 150)) == 0 {
		t.Error("the logits are all 0")
	}
}
