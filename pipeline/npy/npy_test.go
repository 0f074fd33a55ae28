package npy_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"icebox/pipeline/npy"
)

func room(n int) []float32 { return make([]float32, n) }

func TestHeadersAreReadAsTheyAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	want := []float32{1, 2, 3, 4, 5, 6}
	file := bytes.NewBuffer(npy.Header(npy.Float32, 2, 3))
	if file.Len()%64 != 0 {
		t.Errorf("the values begin at %d", file.Len())
	}
	if err := binary.Write(file, binary.LittleEndian, want); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, mapped, release, err := f.Floats(room)
	if err != nil || mapped || !slices.Equal(f.Shape, []int{2, 3}) || !slices.Equal(got, want) {
		t.Errorf("%v of shape %v, mapped %v: %v", got, f.Shape, mapped, err)
	}
	if _, err := f.Wholes(); err == nil {
		t.Error("floats are read as labels")
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// FuzzOpen looks for files that are read past their end, or that ask for more memory
// than they have bytes.
func FuzzOpen(f *testing.F) {
	labels := append(npy.Header(npy.Int64, 2), make([]byte, 16)...)
	rows := append(npy.Header(npy.Float32, 1, 2), make([]byte, 8)...)
	f.Add(labels)
	f.Add(rows)
	f.Add(rows[:len(rows)-1])
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.npy")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := npy.Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		if x, _, release, err := file.Floats(room); err == nil {
			if 2*len(x) > len(data) {
				t.Errorf("%d values in %d bytes", len(x), len(data))
			}
			release()
		}
		if x, err := file.Wholes(); err == nil && 4*len(x) > len(data) {
			t.Errorf("%d labels in %d bytes", len(x), len(data))
		}
	})
}
