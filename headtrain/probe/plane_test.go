package probe

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"icebox/headtrain"
)

// threeKinds are 120 rows of 8 values, of three kinds in turn.
func threeKinds() *headtrain.Dataset {
	d := &headtrain.Dataset{Dim: 8, Classes: []string{"a", "b", "c"}}
	for i := range 120 {
		for j := range d.Dim {
			d.X = append(d.X, float32(3*math.Cos(float64(i%3*7+j))+math.Sin(float64(i)*12.9898+float64(j)*78.233)))
		}
		d.Labels = append(d.Labels, int32(i%3))
	}
	return d
}

func TestPrincipal(t *testing.T) {
	points, err := Principal(context.Background(), threeKinds())
	if err != nil {
		t.Fatal(err)
	}
	var xx, yy, xy float64
	for _, p := range points {
		xx, yy, xy = xx+p.X*p.X, yy+p.Y*p.Y, xy+p.X*p.Y
	}
	// scikit-learn 1.7's PCA: explained_variance_ × (n-1).
	const wantX, wantY = 1350.5305, 304.1544
	if math.Abs(xx/wantX-1) > 1e-4 || math.Abs(yy/wantY-1) > 1e-4 {
		t.Errorf("variances %.3f and %.3f, want %.3f and %.3f", xx, yy, wantX, wantY)
	}
	if math.Abs(xy) > 1e-6*xx {
		t.Errorf("the directions are not independent: %v", xy)
	}
}

func TestPrincipalOfOddRows(t *testing.T) {
	for name, d := range map[string]*headtrain.Dataset{
		"one row":    {Dim: 3, Classes: []string{"a"}, X: []float32{1, 2, 3}, Labels: []int32{0}},
		"equal rows": {Dim: 3, Classes: []string{"a"}, X: []float32{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}, Labels: []int32{0, 0, 0, 0, 0}},
		"a line":     {Dim: 2, Classes: []string{"a"}, X: []float32{1, 1, 2, 2, 3, 3, 4, 4, 7, 7}, Labels: []int32{0, 0, 0, 0, 0}},
		"one value":  {Dim: 1, Classes: []string{"a"}, X: []float32{1, 2, 3, 4, 9}, Labels: []int32{0, 0, 0, 0, 0}},
	} {
		for _, lay := range []func(context.Context, *headtrain.Dataset) ([]Point, error){Principal, Neighbourly} {
			points, err := lay(context.Background(), d)
			if err != nil || len(points) != d.Rows() {
				t.Fatalf("%s: %v, %d points", name, err, len(points))
			}
			if slices.ContainsFunc(points, func(p Point) bool { return math.IsNaN(p.X+p.Y) || math.IsInf(p.X+p.Y, 0) }) {
				t.Errorf("%s: %v", name, points)
			}
		}
	}
}

// divergence is what t-SNE minimises.
func divergence(t *testing.T, d *headtrain.Dataset, points []Point) float64 {
	t.Helper()
	p, err := affinities(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	n := len(points)
	q, total := make([]float64, n*n), 0.0
	for i, a := range points {
		for j, b := range points {
			if i != j {
				q[i*n+j] = 1 / (1 + (a.X-b.X)*(a.X-b.X) + (a.Y-b.Y)*(a.Y-b.Y))
				total += q[i*n+j]
			}
		}
	}
	kl, sum := 0.0, 0.0
	for k, v := range p {
		sum += v
		if v > 0 && q[k] > 0 {
			kl += v * math.Log(v/(q[k]/total))
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the affinities add up to %v", sum)
	}
	return kl
}

func TestNeighbourly(t *testing.T) {
	d := threeKinds()
	points, err := Neighbourly(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	// kl_divergence_ of scikit-learn's TSNE on the same rows: method exact, init pca,
	// perplexity 30, 750 iterations.
	const want = 0.0501
	if got := divergence(t, d, points); got > 1.05*want {
		t.Errorf("the divergence is %.4f, scikit-learn comes to %.4f", got, want)
	}
	for i, a := range points {
		nearest, best := -1, math.Inf(1)
		for j, b := range points {
			if r := math.Hypot(a.X-b.X, a.Y-b.Y); i != j && r < best {
				nearest, best = j, r
			}
		}
		if d.Labels[nearest] != d.Labels[i] {
			t.Errorf("row %d lies next to row %d of another kind", i, nearest)
		}
	}
	again, err := Neighbourly(context.Background(), d)
	if err != nil || !slices.Equal(points, again) {
		t.Error("another time, the points are others", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Neighbourly(ctx, d); !errors.Is(err, context.Canceled) {
		t.Errorf("it goes on when it is to stop: %v", err)
	}
}

func BenchmarkNeighbourly(b *testing.B) {
	d := &headtrain.Dataset{Dim: 512, Classes: []string{"a"}, Labels: make([]int32, 1000)}
	for i := range 1000 * 512 {
		d.X = append(d.X, float32(math.Sin(float64(i)*12.9898)))
	}
	for b.Loop() {
		if _, err := Neighbourly(context.Background(), d); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNearestOf(t *testing.T) {
	bank := &headtrain.Dataset{Dim: 2, Classes: []string{"a", "b"}, Labels: []int32{0, 1, 0, -1, 0},
		X: []float32{1, 0, 1, 0.1, 0, 5, 1, 0.2, 10, 1}}
	queries := []Query{{[]float32{1, 0}, 0, -1}, {[]float32{1, 0}, 0, 0}, {[]float32{0, 1}, 0, -1}, {[]float32{1, 0.2}, 1, -1}, {[]float32{1, 0}, 1, 1}}
	got, err := NearestOf(context.Background(), bank, queries)
	if err != nil || !slices.Equal(got, []int{0, 4, 2, 1, -1}) {
		t.Errorf("rows %v, %v", got, err)
	}
}
