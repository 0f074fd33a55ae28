package serve

import (
	"math"
	"sync"
)

// Moments are mean and standard deviation of each feature over some images.
type Moments struct{ Mean, Std []float64 }

// MomentsOf are those of rows of dim values.
func MomentsOf(x []float32, dim int) *Moments {
	m := &Moments{make([]float64, dim), make([]float64, dim)}
	n := float64(len(x) / dim)
	for i, v := range x {
		m.Mean[i%dim] += float64(v) / n
	}
	for i, v := range x {
		d := float64(v) - m.Mean[i%dim]
		m.Std[i%dim] += d * d / n
	}
	for j := range m.Std {
		m.Std[j] = math.Sqrt(m.Std[j])
	}
	return m
}

// Drift follows how the images of a model differ from those that it has learned from. Old
// images are forgotten: the newest [driftImages] or so count.
type Drift struct {
	mu      sync.Mutex
	weight  float64 // of the images that are in the means
	unknown float64
	top     float64
	mean    []float64
}

// driftImages is how many images a mean is over.
const driftImages = 1000

// Add takes in answers and, as far as they are known, the features that they are of.
func (d *Drift) Add(answers []Answer, features []float32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dim := 0
	if len(answers) > 0 {
		dim = len(features) / len(answers)
	}
	if d.mean == nil {
		d.mean = make([]float64, dim)
	}
	for i := range answers {
		a := &answers[i]
		if a.Err != nil {
			continue
		}
		d.weight = min(d.weight+1, driftImages)
		step := 1 / d.weight
		unknown := 0.0
		if a.Unknown() {
			unknown = 1
		}
		d.unknown += step * (unknown - d.unknown)
		d.top += step * (a.Probabilities[a.Class] - d.top)
		if len(d.mean) == dim {
			for j, v := range features[i*dim : (i+1)*dim] {
				d.mean[j] += step * (float64(v) - d.mean[j])
			}
		}
	}
}

// Now returns the share of images that the head calls unknown, the mean probability of the
// likeliest class and, where training is known, how far the mean feature lies from that of
// the training images: the root of the mean squared distance, in standard deviations of the
// training images. A value that nothing is known of is NaN.
func (d *Drift) Now(training *Moments) (unknown, top, distance float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.weight == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	if training == nil || len(training.Mean) != len(d.mean) {
		return d.unknown, d.top, math.NaN()
	}
	sum, n := 0.0, 0.0
	for j, mean := range d.mean {
		if training.Std[j] > 0 {
			z := (mean - training.Mean[j]) / training.Std[j]
			sum, n = sum+z*z, n+1
		}
	}
	return d.unknown, d.top, math.Sqrt(sum / math.Max(n, 1))
}
