package headtrain

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// readFixture decodes a file that testdata/make_fixtures.py wrote.
func readFixture(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func classNames(k int) []string {
	names := make([]string, k)
	for c := range names {
		names[c] = "class " + strconv.Itoa(c)
	}
	return names
}

// clusters returns n rows of k overlapping Gaussian classes, after a ReLU, on
// scales that differ from feature to feature as those of a backbone do.
func clusters(n, d, k int, seed uint64) *Dataset {
	r := rand.New(rand.NewPCG(99, uint64(k*d)))
	centre := make([]float64, k*d)
	scale := make([]float64, d)
	for i := range centre {
		centre[i] = r.NormFloat64() * 0.8
	}
	for j := range scale {
		scale[j] = math.Exp(r.NormFloat64())
	}
	r = rand.New(rand.NewPCG(seed, 1))
	data := &Dataset{X: make([]float32, n*d), Dim: d, Labels: make([]int32, n), Classes: classNames(k)}
	for i := range n {
		y := i % k
		data.Labels[i] = int32(y)
		for j := range d {
			data.X[i*d+j] = float32(max(0, centre[y*d+j]+r.NormFloat64()+0.3) * scale[j])
		}
	}
	return data
}

// worst returns the largest absolute difference.
func worst(a, b []float32) float64 {
	w := 0.0
	for i := range a {
		w = max(w, math.Abs(float64(a[i])-float64(b[i])))
	}
	return w
}

func sameBits(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}
