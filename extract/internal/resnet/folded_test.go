package resnet

import (
	"fmt"
	"math"
	"testing"
)

// TestLayersAreTheNetwork computes one output pixel of every layer twice: by the
// tensors as trained, and by the folded weights of the table.
func TestLayersAreTheNetwork(t *testing.T) {
	tensor := recipe()
	n, err := Fold(tensor)
	if err != nil {
		t.Fatal(err)
	}
	s := recipeSeed("layers")
	input := func(size int) []float64 {
		x := make([]float64, size)
		for i := range x {
			x[i] = s.unit()
		}
		return x
	}
	// trained is a convolution and its batch norm over a patch of channels × taps × taps.
	trained := func(conv, norm string, out, size int, patch []float64) float64 {
		sum := 0.0
		for i, w := range tensor(conv + ".weight")[out*size:][:size] {
			sum += float64(w) * patch[i]
		}
		of := func(name string) float64 { return float64(tensor(norm + name)[out]) }
		return (sum-of(".running_mean"))/math.Sqrt(of(".running_var")+epsilon)*of(".weight") + of(".bias")
	}
	// folded is the same of a layer, with room for more channels in its weights.
	folded := func(l *FoldedConv, out int, patch []float64) float64 {
		channels, taps := l.In+4, l.Taps*l.Taps
		w := l.Weights(channels)
		sum := float64(l.Bias()[out])
		for tap := range taps {
			for c := range channels {
				v := float64(w[(out*taps+tap)*channels+c])
				if c >= l.In && v != 0 {
					t.Fatalf("%s: channel %d of %d has weights", l.Name, c, l.In)
				}
				if c < l.In {
					sum += v * patch[c*taps+tap]
				}
			}
		}
		return sum
	}
	check := func(name string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-5*(1+math.Abs(want))) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for i, b := range n.Blocks {
		name := fmt.Sprintf("layer%d.%d", 1+i/2, i%2)
		out := (i * 37) % b.Conv1.Out
		x, y := input(b.Conv1.In*9), input(b.Conv2.In*9)
		check(b.Conv1.Name, folded(&b.Conv1, out, x), trained(name+".conv1", name+".bn1", out, len(x), x))
		want := trained(name+".conv2", name+".bn2", out, len(y), y)
		if b.Down != nil { // computed without its bias, which conv2 adds
			z := input(b.Down.In)
			want += trained(name+".downsample.0", name+".downsample.1", out, len(z), z)
			check(name, folded(&b.Conv2, out, y)+folded(b.Down, out, z)-float64(b.Down.Bias()[out]), want)
			continue
		}
		check(b.Conv2.Name, folded(&b.Conv2, out, y), want)
	}
	// The stem's 7×7 taps over RGB are 4×4 over blocks, the last row and column unused.
	x, blocks := input(3*49), make([]float64, 12*16)
	for i, v := range x {
		c, ky, kx := i/49, i/7%7, i%7
		blocks[((ky%2*2+kx%2)*3+c)*16+ky/2*4+kx/2] = v
	}
	check("conv1", folded(&n.Stem, 5, blocks), trained("conv1", "bn1", 5, len(x), x))
}

func TestLayersNameAMissingTensor(t *testing.T) {
	_, err := Fold(func(name string) []float32 {
		if name == "layer3.0.downsample.1.bias" {
			return nil
		}
		return recipe()(name)
	})
	if err == nil || err.Error() != "resnet: tensor layer3.0.downsample.1.bias has 0 values, want 256" {
		t.Error(err)
	}
}
