package headtrain

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/rng"
	"icebox/headtrain/internal/testkit"
)

// mixtures returns rows that are the same bits on every machine, since no function of package
// math made them: features that are mixtures of a few numbers, of which two say the class.
func mixtures(n, d int) *Dataset {
	const few = 12
	random := rng.New(3, 3)
	weights := make([]float32, d*few)
	for i := range weights {
		weights[i] = random.Symmetric() / float32(1+i%few)
	}
	to := &Dataset{X: make([]float32, n*d), Dim: d, Labels: make([]int32, n), Classes: testkit.Names(4)}
	for r := range n {
		var z [few]float32
		for l := range z {
			z[l] = random.Symmetric()
		}
		if z[0] > 0 {
			to.Labels[r]++
		}
		if z[3]+random.Symmetric() > 0 {
			to.Labels[r] += 2
		}
		for j := range d {
			sum := float32(0.0625 * random.Symmetric())
			for l, v := range z {
				sum += float32(weights[j*few+l] * v)
			}
			to.X[r*d+j] = sum
		}
	}
	return to
}

// A head that was trained elsewhere is this one. If a sum changes, so must the name of the
// order of summation (recipe.go), and then the sums below.
func TestHeadsAreTheSameBitsOnEveryMachine(t *testing.T) {
	d := mixtures(1000, 70)
	sum := func(heads ...*Head) string {
		h := sha256.New()
		for _, head := range heads {
			fmt.Fprintf(h, "%x %x", head.W, head.B)
		}
		return fmt.Sprintf("%x", h.Sum(nil)[:8])
	}
	for want, o := range map[string]Options{
		"099384f5a46dcb0e": {Optimizer: OptimizerAdam},
		"60b8c898b7d93af7": {Optimizer: OptimizerSGD, Momentum: 0.9},
		"e80b01d1fd684a83": {Optimizer: OptimizerLBFGS},
	} {
		o.WeightDecay, o.Epochs = 0.01, 30
		for _, isa := range kernel.Available() {
			results, err := linear{isa}.Fit(context.Background(), Job{Train: d, Heads: []Options{o}})
			if err != nil {
				t.Fatal(err)
			}
			if got := sum(results[0].Head); got != want {
				t.Errorf("%v, %s: the weights are %s, not %s", isa, o.Optimizer, got, want)
			}
		}
	}
	path := Path{Train: d, Options: Options{Input: InputNone}, Decays: []float64{1, 0.1, 1e-3, 1e-5}, Parts: []Part{{}}, Tolerance: 1e-5, Iterations: 200}
	if got, want := sum(pathOf(t, path)[0]...), "a101fddc0a32d706"; got != want {
		t.Errorf("path: the weights are %s, not %s", got, want)
	}
}
