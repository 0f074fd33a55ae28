package headtrain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/softmax"
)

// Head is a softmax classifier of raw features: a linear one or, with a hidden
// layer, an MLP. Its methods only read and may be called by many goroutines.
type Head struct {
	Classes []string
	Dim     int
	W       []float32 // len(Classes) × Dim, or × Hidden.Out, as PyTorch's fc.weight
	B       []float32 // len(Classes), as fc.bias
	Hidden  *Layer    // the layer before the ReLU of an MLP; nil for a linear head
	Input   string    // "", or InputL2: each row is scaled to length 1 first

	// Temperature divides the logits before the softmax, so that probabilities can
	// be believed; it changes no answer. It is from 0.001 to 1000, and 0 stands
	// for 1. See judge.Temperature.
	Temperature float64
	// Threshold is the probability under which an answer is better called
	// unknown, from 0, for none, to 1. See judge.Answers.
	Threshold float64

	Fingerprint   string          // names the function that made the features
	Preprocessing json.RawMessage // what that function does to an image; may be nil
	Recipe        json.RawMessage // how the head was trained; may be nil
}

// Check returns an error wrapping ErrFingerprint unless the head was trained
// on features of this fingerprint and dimension.
func (h *Head) Check(fingerprint string, dim int) error {
	switch {
	case h.Fingerprint != fingerprint:
		return fmt.Errorf("%w: the head was trained on features of %s, these are of %s", ErrFingerprint, h.Fingerprint, fingerprint)
	case h.Dim != dim:
		return fmt.Errorf("%w: the head takes %d features, not %d", ErrFingerprint, h.Dim, dim)
	default:
		return nil
	}
}

// Logits writes the logits of the n rows of x to dst, row by row: n×Dim values in,
// n×len(Classes) out. The logits of a row do not depend on the other rows. It
// panics unless x has this length and dst at least this one.
func (h *Head) Logits(dst, x []float32, n int) {
	if len(x) != n*h.Dim || len(dst) < n*len(h.Classes) {
		panic("headtrain: slices do not fit the number of rows")
	}
	h.pack().logits(dst, x, n)
}

// packed is a head and the parameters of its layers, in the layout of package kernel. Many
// goroutines may use it.
type packed struct {
	*Head
	layers []applied
}

func (h *Head) pack() packed {
	p := packed{Head: h}
	for _, l := range h.layers() {
		p.layers = append(p.layers, applied{in: l.In, out: l.Out, params: l.params()})
	}
	return p
}

// logits is Head.Logits.
func (p packed) logits(dst, x []float32, n int) {
	d, k := p.Dim, len(p.Classes)
	isa, stride := kernel.Best(), kernel.Stride(d)
	layers := slices.Clone(p.layers)
	for i := range layers {
		layers[i].z = make([]float32, layers[i].out*kernel.Block)
	}
	rows := make([]float32, kernel.Block*stride)
	for at := 0; at < n; at += kernel.Block {
		count := min(kernel.Block, n-at)
		for r := range count {
			p.gather(rows[r*stride:r*stride+d], x[(at+r)*d:(at+r+1)*d])
		}
		z := layers[0].forward(isa, rows)
		for i := range layers[1:] {
			z = layers[i+1].forward(isa, layers[i].activations())
		}
		for r := range count {
			row := dst[(at+r)*k : (at+r+1)*k]
			for c := range row {
				row[c] = z[c*kernel.Block+r]
			}
		}
	}
}

func (h *Head) gather(dst, x []float32) {
	copy(dst, x)
	if h.Input == InputL2 {
		scale := labelled.UnitScale(x)
		for j := range dst {
			dst[j] *= scale
		}
	}
}

// Prediction is one class and the probability that the head gives it.
type Prediction struct {
	Class       string  `json:"class"`
	Index       int     `json:"index"` // of the class in Head.Classes
	Probability float64 `json:"probability"`
}

// Predict returns the k most probable classes of one row of Dim features, best
// first, or all if there are fewer. Classes of equal logits come in the order of
// their index.
func (h *Head) Predict(x []float32, k int) []Prediction {
	logits := make([]float32, len(h.Classes))
	h.Logits(logits, x, 1)
	probabilities := make([]float64, len(h.Classes))
	softmax.Into(probabilities, logits, h.temperature())
	all := make([]Prediction, len(h.Classes))
	for c, name := range h.Classes {
		all[c] = Prediction{name, c, probabilities[c]}
	}
	slices.SortStableFunc(all, func(a, b Prediction) int { return cmp.Compare(logits[b.Index], logits[a.Index]) })
	return all[:min(max(k, 0), len(all))]
}

// Unknown reports whether the best of the predictions of a row, which is the first,
// is less probable than the head's threshold.
func (h *Head) Unknown(best []Prediction) bool {
	return len(best) > 0 && best[0].Probability < h.Threshold
}

func (h *Head) temperature() float64 {
	if h.Temperature == 0 {
		return 1
	}
	return h.Temperature
}
