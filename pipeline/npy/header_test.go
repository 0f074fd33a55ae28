package npy_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"icebox/pipeline/npy"
)

// FuzzHeader writes arrays as an export does and reads them again.
func FuzzHeader(f *testing.F) {
	f.Add(uint16(3), uint16(2), uint64(1)<<60)
	f.Add(uint16(0), uint16(7), uint64(9))
	f.Add(uint16(512), uint16(1), ^uint64(0))
	f.Fuzz(func(t *testing.T, rows, dim uint16, seed uint64) {
		rows, dim = rows%999, dim%99
		file := filepath.Join(t.TempDir(), "a.npy")
		floats, labels := make([]float32, int(rows)*int(dim)), make([]int64, rows)
		data := npy.Header(npy.Float32, int(rows), int(dim))
		for i := range floats {
			floats[i] = math.Float32frombits(uint32(seed*uint64(i+1)) &^ (1 << 30)) // finite
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(floats[i]))
		}
		got := reopened(t, file, data, []int{int(rows), int(dim)})
		x, _, release, err := got.Floats(room)
		if err != nil || !slices.Equal(x, floats) {
			t.Fatalf("%d values became %d: %v", len(floats), len(x), err)
		}
		release()
		data = npy.Header(npy.Int64, int(rows))
		for i := range labels {
			labels[i] = int64(seed) >> (i % 64)
			data = binary.LittleEndian.AppendUint64(data, uint64(labels[i]))
		}
		if y, err := reopened(t, file, data, []int{int(rows)}).Wholes(); err != nil || !slices.Equal(y, labels) {
			t.Fatalf("%d labels became %d: %v", len(labels), len(y), err)
		}
	})
}

// reopened writes a file and opens it as an array of this shape.
func reopened(t *testing.T, path string, data []byte, shape []int) *npy.File {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if !slices.Equal(file.Shape, shape) {
		t.Fatalf("shape %v, want %v", file.Shape, shape)
	}
	return file
}
