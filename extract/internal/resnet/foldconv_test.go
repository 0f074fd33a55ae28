package resnet

import (
	"math"
	"testing"

	"icebox/extract/internal/weights"
)

// FoldConv gives what the engines' own table of folded layers holds.
func TestFoldConvIsTheTable(t *testing.T) {
	set := weights.Random(5)
	defer set.Close()
	f, err := Fold(set.Tensor)
	if err != nil {
		t.Fatal(err)
	}
	want := f.Blocks[2].Down
	w, bias, err := FoldConv(set.Tensor, "layer2.0.downsample.0", "layer2.0.downsample.1")
	if err != nil || len(w) != 128*64 || len(bias) != 128 {
		t.Fatalf("%d weights, %d biases, %v", len(w), len(bias), err)
	}
	for i, v := range want.Weights(64) { // out × 1 × 1 × in is out × in × 1 × 1
		if w[i] != v {
			t.Fatalf("weight %d is %v, want %v", i, w[i], v)
		}
	}
	for i, v := range want.Bias() {
		if bias[i] != v {
			t.Fatalf("bias %d is %v, want %v", i, bias[i], v)
		}
	}
	w, _, err = FoldConv(set.Tensor, "conv1", "bn1")
	raw := set.Tensor("conv1.weight")
	if err != nil || len(w) != len(raw) || math.Abs(float64(w[100]-raw[100])) > 1e-5 {
		t.Errorf("the stem: %d weights, %v", len(w), err)
	}
	if _, _, err := FoldConv(set.Tensor, "conv1", "layer4.0.bn1"); err == nil {
		t.Error("a batch norm of other channels was folded in")
	}
}
