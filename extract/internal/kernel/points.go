package kernel

import "math"

// The matrices of the schemes. Along one direction the output of a tile is
//
//	Aᵀ · ((G·w) ⊙ (Bᵀ·d))
//
// of the taps w and the input pixels d; ⊙ multiplies point by point. The points are
//
//	4 points  0, 1, -1, ∞
//	5 points  0, 1, -1, 2, ∞
//	6 points  0, 1, -1, 2, -2, ∞
//	7 points  0, 1, -1, 2, -2, 1/2, ∞ (3, 3/2 and -1/4 in place of 1/2 round 5 to 15 times worse)
//	9 points  1, -1, 2, -2, 1/2, -1/2, 1/4, -1/4, ∞
//
// Column j of Aᵀ holds the powers 1, p, p², … of point j; that of ∞ is 1 in the last
// row alone. A row of G holds the powers of a point as well, scaled. Bᵀ follows from
// the two. Every number of Aᵀ and Bᵀ is exact in a float32.

var bt4 = [][]float32{
	{1, 0, -1, 0},
	{0, 1, 1, 0},
	{0, -1, 1, 0},
	{0, -1, 0, 1},
}

var bt6 = [][]float32{
	{4, 0, -5, 0, 1, 0},
	{0, -4, -4, 1, 1, 0},
	{0, 4, -4, -1, 1, 0},
	{0, -2, -1, 2, 1, 0},
	{0, 2, -1, -2, 1, 0},
	{0, 4, 0, -5, 0, 1},
}

var bt7 = [][]float32{
	{-4, 8, 5, -10, -1, 2, 0},
	{0, 4, -4, -9, 1, 2, 0},
	{0, -4, 12, -7, -3, 2, 0},
	{0, 2, -3, -4, 3, 2, 0},
	{0, -2, 5, 0, -5, 2, 0},
	{0, 4, 0, -5, 0, 1, 0},
	{0, -2, 4, 2.5, -5, -0.5, 1},
}

var bt9 = [][]float32{
	{-0.0625, -0.0625, 1.265625, 1.265625, -4.3125, -4.3125, 1, 1, 0},
	{0.0625, -0.0625, -1.265625, 1.265625, 4.3125, -4.3125, -1, 1, 0},
	{-0.03125, -0.015625, 0.65625, 0.328125, -2.625, -1.3125, 2, 1, 0},
	{0.03125, -0.015625, -0.65625, 0.328125, 2.625, -1.3125, -2, 1, 0},
	{-0.125, -0.25, 2.15625, 4.3125, -2.53125, -5.0625, 0.5, 1, 0},
	{0.125, -0.25, -2.15625, 4.3125, 2.53125, -5.0625, -0.5, 1, 0},
	{-0.25, -1, 1.3125, 5.25, -1.3125, -5.25, 0.25, 1, 0},
	{0.25, -1, -1.3125, 5.25, 1.3125, -5.25, -0.25, 1, 0},
	{0.0625, 0, -1.328125, 0, 5.578125, 0, -5.3125, 0, 1},
}

// The finite points of the schemes with seven and with nine.
var (
	points7 = []float64{0, 1, -1, 2, -2, 0.5}
	points9 = []float64{1, -1, 2, -2, 0.5, -0.5, 0.25, -0.25}
)

// powers returns Aᵀ of finite points and ∞.
func powers(points []float64, outputs int) [][]float32 {
	at := make([][]float32, outputs)
	for i := range at {
		for _, p := range points {
			at[i] = append(at[i], float32(math.Pow(p, float64(i))))
		}
		at[i] = append(at[i], 0)
	}
	at[outputs-1][len(points)] = 1
	return at
}

// weights7 returns G of F(4,4); Bᵀ fixes the scales.
func weights7() [][]float64 {
	const taps = 4
	scales := []float64{-1. / 4, -1. / 6, 1. / 18, 1. / 72, -1. / 120, 32. / 45}
	g := make([][]float64, 7)
	for i, p := range points7 {
		power := scales[i]
		for range taps {
			g[i] = append(g[i], power)
			power *= p
		}
	}
	g[6] = make([]float64, taps)
	g[6][taps-1] = 1
	return g
}

// weights9 returns G of F(7,3): the powers of a point, divided by the product of its
// differences from the other points.
func weights9() [][]float64 {
	var g [][]float64
	for i, p := range points9 {
		scale := 1.0
		for j, q := range points9 {
			if i != j {
				scale *= p - q
			}
		}
		g = append(g, []float64{1 / scale, p / scale, p * p / scale})
	}
	return append(g, []float64{0, 0, 1})
}

var shapes = [schemes]shape{
	F23: {
		name: "F(2,3)", outputs: 2, points: 4, stride: 1, inputs: inputs{true, true}, residual: true,
		at: [][]float32{
			{1, 1, 1, 0},
			{0, 1, -1, 1},
		},
		phases: []phase{{every: 1, bt: bt4, taps: []int{0, 1, 2}, g: [][]float64{
			{1, 0, 0},
			{1. / 2, 1. / 2, 1. / 2},
			{1. / 2, -1. / 2, 1. / 2},
			{0, 0, 1},
		}}},
	},
	F43: {
		name: "F(4,3)", outputs: 4, points: 6, stride: 1, inputs: inputs{true, false}, residual: true,
		at: [][]float32{
			{1, 1, 1, 1, 1, 0},
			{0, 1, -1, 2, -2, 0},
			{0, 1, 1, 4, 4, 0},
			{0, 1, -1, 8, -8, 1},
		},
		phases: []phase{{every: 1, bt: bt6, taps: []int{0, 1, 2}, g: [][]float64{
			{1. / 4, 0, 0},
			{-1. / 6, -1. / 6, -1. / 6},
			{-1. / 6, 1. / 6, -1. / 6},
			{1. / 24, 1. / 12, 1. / 6},
			{1. / 24, -1. / 12, 1. / 6},
			{0, 0, 1},
		}}},
	},
	F73: {
		name: "F(7,3)", outputs: 7, points: 9, stride: 1, inputs: inputs{true, false}, residual: true, at: powers(points9, 7),
		phases: []phase{{every: 1, bt: bt9, taps: []int{0, 1, 2}, g: weights9()}},
	},
	F44: {
		name: "F(4,4)", outputs: 4, points: 7, stride: 1, inputs: inputs{true, false}, at: powers(points7, 4),
		phases: []phase{{every: 1, bt: bt7, taps: []int{0, 1, 2, 3}, g: weights7()}},
	},
	F42S2: {
		name: "F(4,2) /2", outputs: 4, points: 5, stride: 2, inputs: inputs{true, false},
		at: [][]float32{
			{1, 1, 1, 1, 0},
			{0, 1, -1, 2, 0},
			{0, 1, 1, 4, 0},
			{0, 1, -1, 8, 1},
		},
		phases: []phase{
			{first: 0, every: 2, taps: []int{0, 2},
				bt: [][]float32{
					{2, -1, -2, 1, 0},
					{0, -2, -1, 1, 0},
					{0, 2, -3, 1, 0},
					{0, -1, 0, 1, 0},
					{0, 2, -1, -2, 1},
				},
				g: [][]float64{{1. / 2, 0}, {-1. / 2, -1. / 2}, {-1. / 6, 1. / 6}, {1. / 6, 1. / 3}, {0, 1}}},
			{first: 1, every: 2, taps: []int{1},
				bt: [][]float32{
					{2, -1, -2, 1},
					{0, -2, -1, 1},
					{0, 2, -3, 1},
					{0, -1, 0, 1},
				},
				g: [][]float64{{1. / 2}, {-1. / 2}, {-1. / 6}, {1. / 6}}},
		},
	},
	F13S2: {
		name: "direct /2", outputs: 1, points: 1, stride: 2, inputs: inputs{true, true},
		at: [][]float32{{1}},
		phases: []phase{
			{first: 0, every: 1, taps: []int{0}, bt: [][]float32{{1}}, g: [][]float64{{1}}},
			{first: 1, every: 1, taps: []int{1}, bt: [][]float32{{1}}, g: [][]float64{{1}}},
			{first: 2, every: 1, taps: []int{2}, bt: [][]float32{{1}}, g: [][]float64{{1}}},
		},
	},
	B43:   pairs43.shape("F(4,3)", 1),
	B42S2: pairs42.shape("F(4,2) /2", 2),
	F11S2: {
		name: "1×1 /2", outputs: 1, points: 1, stride: 2, inputs: inputs{bf16: true},
		at:     [][]float32{{1}},
		phases: []phase{{every: 1, bt: [][]float32{{1}}, taps: []int{0}, g: [][]float64{{1}}}},
	},
}
