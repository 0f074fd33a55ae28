package probe

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"icebox/headtrain"
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/softmax"
	"icebox/headtrain/internal/team"
	"icebox/headtrain/internal/testkit"
)

// TestDiscriminantsEqualTheTextbook compares with Gaussians of one covariance,
// written down plainly.
func TestDiscriminantsEqualTheTextbook(t *testing.T) {
	const n, d, k, folds, share = 200, 7, 3, 4, 0.1
	data := clusters(n, d, k, 4)
	data.Labels[11] = -1
	fold := make([]int, n)
	for r := range fold {
		fold[r] = r % folds
	}
	x, err := newDiscriminants(t.Context(), labelled.Of((*labelled.Matrix)(data)), fold, folds)
	if err != nil {
		t.Fatal(err)
	}
	for f := range folds {
		heads, err := x.without(t.Context(), f, []float64{0.9, share})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, n*k)
		heads[1].Logits(got, data.X, n)
		if off := testkit.Worst(got, textbook(t, data, fold, f, share)); off > 1e-3 {
			t.Errorf("without fold %d: a logit is off by %v", f, off)
		}
	}
}

// textbook returns the logits of all rows by the labelled rows outside of a fold.
func textbook(t *testing.T, data *headtrain.Dataset, fold []int, without int, share float64) []float32 {
	t.Helper()
	d, k := data.Dim, len(data.Classes)
	mean, std := moments(t, data)
	at := func(r, j int) float64 { return (float64(data.Row(r)[j]) - mean[j]) / std[j] }
	centre, count, total := make([]float64, k*d), make([]float64, k), 0.0
	var rows []int
	for r, y := range data.Labels {
		if y >= 0 && fold[r] != without {
			rows = append(rows, r)
			count[y]++
			total++
		}
	}
	for _, r := range rows {
		for j := range d {
			centre[int(data.Labels[r])*d+j] += at(r, j) / count[data.Labels[r]]
		}
	}
	cov, trace := make([]float64, d*d), 0.0
	for _, r := range rows {
		c := centre[int(data.Labels[r])*d:]
		for i := range d {
			for j := range d {
				cov[i*d+j] += (at(r, i) - c[i]) * (at(r, j) - c[j]) / total
			}
			trace += (at(r, i) - c[i]) * (at(r, i) - c[i]) / total
		}
	}
	for i := range cov {
		cov[i] *= 1 - share
		if i%(d+1) == 0 {
			cov[i] += share * trace / float64(d)
		}
	}
	var out []float32
	for r := range data.Labels {
		for c := range k {
			m := centre[c*d : (c+1)*d]
			w := eliminate(cov, m)
			z := math.Log(count[c] / total)
			for j := range d {
				z += w[j] * (at(r, j) - m[j]/2)
			}
			out = append(out, float32(z))
		}
	}
	return out
}

// eliminate solves a·x = b by Gauss and Jordan.
func eliminate(a, b []float64) []float64 {
	a, b = slices.Clone(a), slices.Clone(b)
	d := len(b)
	for p := range d {
		for i := range d {
			if i == p {
				continue
			}
			factor := a[i*d+p] / a[p*d+p]
			for j := range d {
				a[i*d+j] -= factor * a[p*d+j]
			}
			b[i] -= factor * b[p]
		}
	}
	for i := range b {
		b[i] /= a[i*d+i]
	}
	return b
}

// TestNoiseOfLabelsIsFound draws labels as the model says they come about.
func TestNoiseOfLabelsIsFound(t *testing.T) {
	const n = 20_000
	for _, c := range []struct {
		k                int
		sharpness, share float64
	}{{2, 1, 0.05}, {10, 0.05, 0}, {10, 0.05, 0.01}, {10, 2, 0.1}, {50, 0.5, 0.02}} {
		r := rand.New(rand.NewPCG(7, uint64(c.k)))
		logits, labels, p := make([]float32, n*c.k), make([]int32, n), make([]float64, c.k)
		for i := range labels {
			z := logits[i*c.k : (i+1)*c.k]
			for j := range z {
				z[j] = float32(3 * r.NormFloat64() / c.sharpness)
			}
			softmax.Into(p, z, 1/c.sharpness)
			u, y := r.Float64(), 0
			for ; y < c.k-1 && u > p[y]; y++ {
				u -= p[y]
			}
			if r.Float64() < c.share {
				y = (y + 1 + r.IntN(c.k-1)) % c.k
			}
			labels[i] = int32(y)
		}
		got, err := fitNoise(t.Context(), headtrain.GivenLogits(logits, c.k), labels)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(got.sharpness/c.sharpness-1) <= 0.06) || !(math.Abs(got.share-c.share) <= 0.006+0.1*c.share) {
			t.Errorf("%+v: found %+v", c, got)
		}
	}
}

// The share is where the likelihood is the largest, which a grid confirms.
func TestReplacedShareIsTheLikeliest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := rapid.IntRange(2, 20).Draw(rt, "classes")
		p := rapid.SliceOfN(rapid.Float64Range(1e-9, 1), 1, 60).Draw(rt, "p")
		loss := func(share float64) (sum float64) {
			for _, v := range p {
				sum -= math.Log((1-share)*v + share*other(v, k))
			}
			return sum
		}
		best := loss(replacedShare(p, k))
		for i := range 101 {
			if l := loss(0.005*float64(i) + 1e-12); l < best-1e-6*math.Abs(best)-1e-9 {
				rt.Fatalf("share %v is likelier than %v: %v < %v", 0.005*float64(i), replacedShare(p, k), l, best)
			}
		}
	})
}

// plant gives some labels of overlapping classes another class.
func plant(n, wrong int, seed uint64) (d *headtrain.Dataset, planted map[int]bool) {
	d = clusters(n, 20, 4, seed)
	r := rand.New(rand.NewPCG(seed, 5))
	planted = map[int]bool{}
	for _, row := range r.Perm(n)[:wrong] {
		d.Labels[row] = (d.Labels[row] + 1 + int32(r.IntN(3))) % 4
		planted[row] = true
	}
	return d, planted
}

func TestPlantedLabelsAreDoubted(t *testing.T) {
	for seed := range uint64(5) {
		for _, wrong := range []int{0, 20, 100} {
			d, planted := plant(1200, wrong, seed+1)
			doubts, err := Labels(t.Context(), d, folds(1200, 5), 5)
			if err != nil {
				t.Fatal(err)
			}
			order, found, expected := make([]int, 1200), 0, 0.0
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int {
				if doubts.Rows[a].Chance > doubts.Rows[b].Chance {
					return -1
				}
				return 1
			})
			for _, r := range order[:wrong] {
				expected += doubts.Rows[r].Chance
				if planted[r] {
					found++
				}
			}
			off := math.Abs(doubts.Wrong - float64(wrong))
			if doubts.Judged != 1200 || off > 4+0.1*float64(wrong) || 10*found < 6*wrong || !(math.Abs(expected-float64(found)) <= 4+0.1*float64(wrong)) {
				t.Errorf("seed %d: %d planted, %.1f estimated; of the first %d, %d are and %.1f should be", seed, wrong, doubts.Wrong, wrong, found, expected)
			}
		}
	}
}

// What leaves nothing to judge by is not judged, and is no fault.
func TestDoubtsOfOddSets(t *testing.T) {
	same := clusters(100, 6, 2, 1)
	for i := range same.X {
		same.X[i] = 3
	}
	apart := clusters(100, 2, 2, 1)
	for r := range 100 {
		apart.X[2*r], apart.X[2*r+1] = float32(apart.Labels[r]), 5
	}
	few := clusters(60, 30, 4, 2)
	for r := range few.Labels {
		if few.Labels[r] == 3 && r > 12 { // three rows are left
			few.Labels[r] = -1
		}
	}
	for name, c := range map[string]struct {
		d      *headtrain.Dataset
		fold   []int
		judged int
	}{
		"one class":                {clusters(50, 6, 1, 1), folds(50, 5), 0},
		"all in one fold":          {clusters(50, 6, 2, 1), make([]int, 50), 0},
		"all rows equal":           {same, folds(100, 5), 100},
		"no variance in the class": {apart, folds(100, 5), 100},
		"a class of three rows":    {few, folds(60, 5), 45},
		"fewer rows than folds":    {clusters(4, 6, 2, 1), []int{0, 1, 2, 3}, 0},
	} {
		doubts, err := Labels(t.Context(), c.d, c.fold, 5)
		if err != nil || doubts.Judged != c.judged || math.IsNaN(doubts.Wrong) || doubts.Wrong > float64(c.judged) {
			t.Errorf("%s: %+v, %v", name, doubts, err)
			continue
		}
		for r, doubt := range doubts.Rows {
			v := doubt.Chance
			if !(v >= 0 && v <= 1) || c.d.Labels[r] < 0 && v != 0 {
				t.Errorf("%s: row %d has %v", name, r, v)
			}
		}
	}
	for _, fold := range [][]int{{1}, folds(100, 6)} {
		if _, err := Labels(t.Context(), same, fold, 5); !errors.Is(err, headtrain.ErrDataset) {
			t.Errorf("folds %v: %v", fold, err)
		}
	}
}

// moments returns the mean and the standard deviation of each feature.
func moments(t *testing.T, d *headtrain.Dataset) (mean, std []float64) {
	one := team.New(1)
	t.Cleanup(one.Close)
	return affine.Moments(labelled.Of((*labelled.Matrix)(d)), one)
}
