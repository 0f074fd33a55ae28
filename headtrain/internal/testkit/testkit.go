// Package testkit is what the tests of headtrain and the packages below it share:
// generated data, recorded numbers, and how two results are compared.
package testkit

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"icebox/headtrain/internal/labelled"
)

// Read decodes a file of testdata that make_fixtures.py wrote.
func Read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Names returns the names of k classes.
func Names(k int) []string {
	names := make([]string, k)
	for c := range names {
		names[c] = "class " + strconv.Itoa(c)
	}
	return names
}

// Clusters returns n rows of k overlapping Gaussian classes, after a ReLU, on
// scales that differ from feature to feature as those of a backbone do. Matrices of
// one shape have the same classes, whatever their seed.
func Clusters(n, d, k int, seed uint64) *labelled.Matrix {
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
	data := &labelled.Matrix{X: make([]float32, n*d), Dim: d, Labels: make([]int32, n), Classes: Names(k)}
	for i := range n {
		y := i % k
		data.Labels[i] = int32(y)
		for j := range d {
			data.X[i*d+j] = float32(max(0, centre[y*d+j]+r.NormFloat64()+0.3) * scale[j])
		}
	}
	return data
}

// Noise returns n rows of 512 features, ten classes in turn.
func Noise(n int) *labelled.Matrix {
	r := rand.New(rand.NewPCG(1, 2))
	m := &labelled.Matrix{X: make([]float32, n*512), Dim: 512, Labels: make([]int32, n), Classes: Names(10)}
	for i := range m.X {
		m.X[i] = r.Float32()
	}
	for i := range m.Labels {
		m.Labels[i] = int32(i % 10)
	}
	return m
}

// Worst returns the largest absolute difference of two values. It is infinite for
// slices of two lengths, and if a difference is NaN.
func Worst(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	w := 0.0
	for i := range a {
		w = max(w, math.Abs(float64(a[i])-float64(b[i])))
	}
	if math.IsNaN(w) {
		return math.Inf(1)
	}
	return w
}

// SameBits reports whether two slices are equal bit by bit.
func SameBits(a, b []float32) bool {
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
