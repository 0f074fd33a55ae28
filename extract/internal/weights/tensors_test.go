package weights

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTensorsComeBack(t *testing.T) {
	want := []Tensor{
		{Name: "fc.weight", Shape: []int{2, 3}, Values: []float32{1, -2, 3.5, 0, 5e-9, 6}},
		{Name: "bn.num_batches_tracked", Shape: []int{}, Counts: []int64{1 << 40}},
		{Name: "fc.bias", Shape: []int{2}, Values: []float32{7, 8}},
	}
	for _, format := range []string{FormatPTH, FormatSafetensors} {
		var out bytes.Buffer
		if err := WriteTensors(&out, format, want); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "w")
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := ReadTensors(path)
		if err != nil {
			t.Fatal(err)
		}
		byName := func(all []Tensor) map[string]Tensor {
			m := map[string]Tensor{}
			for _, t := range all {
				m[t.Name] = t
			}
			return m
		}
		if diff := cmp.Diff(byName(want), byName(got)); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
		if err := os.WriteFile(path, out.Bytes()[:out.Len()-9], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTensors(path); !errors.Is(err, ErrFormat) {
			t.Errorf("%s, cut short: %v", format, err)
		}
	}
	if WriteTensors(new(bytes.Buffer), FormatPTH, []Tensor{{Name: "a", Shape: []int{2}, Values: []float32{1}}}) == nil {
		t.Error("a tensor whose values do not fit its shape was written")
	}
}

func TestTensorsOfASetAreItsOwn(t *testing.T) {
	s := Random(3)
	defer s.Close()
	all := s.Tensors()
	if len(all) != len(Params()) || all[0].Name != "conv1.weight" || &all[0].Values[0] != &s.Tensor("conv1.weight")[0] {
		t.Errorf("%d tensors, the first is %s", len(all), all[0].Name)
	}
}
