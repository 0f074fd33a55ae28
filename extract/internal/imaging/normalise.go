package imaging

// mean and std are ImageNet's, as torchvision's weights state them.
var (
	mean = [3]float32{0.485, 0.456, 0.406}
	std  = [3]float32{0.229, 0.224, 0.225}
)

// LUT returns a new table of the values that ToTensor and Normalize give, by channel
// (R, G, B) and sample: (v/255 − mean) / std, each step rounded to float32.
func LUT() *[3][256]float32 {
	var t [3][256]float32
	for c := range t {
		for v := range t[c] {
			x := float32(float32(v) / 255)
			t[c][v] = float32(float32(x-mean[c]) / std[c])
		}
	}
	return &t
}
