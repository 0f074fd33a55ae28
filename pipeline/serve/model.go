package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/predictions"
)

// ErrNoImages is returned by a model whose head was trained on features of which nobody knows
// what made them: it takes features alone.
var ErrNoImages = errors.New("the model takes features, and no images")

// Model is the head of a run, behind a name. Many goroutines may use it.
type Model struct {
	Name    string
	Version string // name of the run's folder
	Dir     string // the run's folder
	Head    *headtrain.Head
	// Backbone computes the features of images; nil: the model takes features alone.
	Backbone *Backbone
	// Training is what features of the training images are like; nil is unknown.
	Training *Moments
}

// Answer is what a model says of one image.
type Answer struct {
	Err           error     // what is wrong with the image; nil where there is an answer
	Label         string    // a class, or "unknown" where the head is less sure than its threshold
	Class         int       // the likeliest class
	Probabilities []float64 // one a class, calibrated where the head is
	Logits        []float32 // one a class, before any temperature
}

// Unknown reports that the head had better not answer.
func (a *Answer) Unknown() bool { return a.Err == nil && a.Label == predictions.Unknown }

// Ranked are the k likeliest classes, as places in Probabilities, the likeliest first; all if
// k is 0 or there are fewer.
func (a *Answer) Ranked(k int) []int {
	all := make([]int, len(a.Probabilities))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(x, y int) int {
		return cmp.Or(cmp.Compare(a.Probabilities[y], a.Probabilities[x]), cmp.Compare(a.Logits[y], a.Logits[x]))
	})
	if k > 0 && k < len(all) {
		all = all[:k]
	}
	return all
}

// Images answers for images, one an input. The error is not one image's; see
// [Backbone.Features].
func (m *Model) Images(ctx context.Context, inputs []Input) (answers []Answer, features []float32, err error) {
	if m.Backbone == nil {
		return nil, nil, fmt.Errorf("%w: model %s", ErrNoImages, m.Name)
	}
	features, faults := make([]float32, len(inputs)*extract.Dim), make([]error, len(inputs))
	if err := m.Backbone.Features(ctx, inputs, features, faults); err != nil {
		return nil, nil, err
	}
	answers = m.Features(features)
	for i, fault := range faults {
		if fault != nil {
			answers[i] = Answer{Err: fault}
		}
	}
	return answers, features, nil
}

// Features answers for rows of features, Head.Dim values each.
func (m *Model) Features(x []float32) []Answer {
	n, k := len(x)/m.Head.Dim, len(m.Head.Classes)
	logits := make([]float32, n*k)
	m.Head.Logits(logits, x, n)
	answers := make([]Answer, n)
	for i := range answers {
		a := &answers[i]
		a.Logits, a.Probabilities = logits[i*k:(i+1)*k:(i+1)*k], make([]float64, k)
		a.Class = judge.Softmax(a.Probabilities, a.Logits, cmp.Or(m.Head.Temperature, 1))
		a.Label = m.Head.Classes[a.Class]
		if a.Probabilities[a.Class] < m.Head.Threshold {
			a.Label = predictions.Unknown
		}
	}
	return answers
}
