package resnet

import (
	"fmt"
	"math"
	"os"
	"testing"
	"unsafe"

	"icebox/extract/internal/kernel"
)

func TestWWReal(t *testing.T) {
	if os.Getenv("REAL") == "" {
		t.Skip()
	}
	rd := func(n string) []float32 {
		b, _ := os.ReadFile("/tmp/rw/" + n)
		if len(b) == 0 {
			return nil
		}
		return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4)
	}
	px, _ := os.ReadFile("/tmp/rw/pixels")
	want := rd("features")
	for _, isa := range kernel.Available() {
		n, err := New(rd, Options{LUT: recipeLUT(), ISA: isa.String()})
		if err != nil {
			t.Fatal(err)
		}
		k := len(px) / PixelBytes
		f := make([]float32, k*Dim)
		n.Forward(n.NewWorkspace(), f, px, k)
		wc, wm := 0.0, 0.0
		for i := range k {
			var ab, aa, bb float64
			for j := range Dim {
				a, b := float64(f[i*Dim+j]), float64(want[i*Dim+j])
				ab += a * b
				aa += a * a
				bb += b * b
				wm = max(wm, math.Abs(a-b))
			}
			wc = max(wc, 1-ab/math.Sqrt(aa*bb))
		}
		fmt.Println(isa, k, "1-cos max", wc, "max-abs", wm)
	}
}
