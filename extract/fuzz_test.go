package extract

import (
	"strings"
	"testing"
)

// FuzzOptions holds that texts of a configuration are refused or understood: a device that is
// read has each GPU once, and a seed is that of the text.
func FuzzOptions(f *testing.F) {
	f.Add("cuda:1,0", "random:7", "#ff8000", "crop")
	f.Add("cuda:0,0", "random:", "white", "")
	f.Add("cpu:", "random:18446744073709551616", "#", "pad")
	f.Add("cuda:65536", "auto", "", "squash")
	f.Fuzz(func(t *testing.T, device, weights, background, fit string) {
		o := Options{Device: device, Weights: weights, Background: background, Fit: fit}
		if o.Validate() != nil {
			return
		}
		d, err := ParseDevice(device)
		if err != nil || d.CPU && d.GPU || len(d.IDs) > 0 && !d.GPU || len(d.IDs) > strings.Count(device, ",")+1 {
			t.Fatalf("%q is %+v: %v", device, d, err)
		}
		for i, id := range d.IDs {
			if i > 0 && id <= d.IDs[i-1] {
				t.Fatalf("%q is %+v", device, d)
			}
		}
		if seed, ok := o.randomSeed(); ok != (weights == Random || strings.HasPrefix(weights, Random+":")) || ok && weights == Random && seed != 0 {
			t.Fatalf("%q has the seed %d, %v", weights, seed, ok)
		}
	})
}
