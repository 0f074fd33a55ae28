package kernel

import "math"

// bt9, at9 and weights9 are of F(7,3): points ±1, ±2, ±1/2, ±1/4, ∞.
var (
	at9 = powers(points9, 7)
	bt9 = [][]float32{
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
	points9 = []float64{1, -1, 2, -2, 0.5, -0.5, 0.25, -0.25}
)

// powers returns Aᵀ for finite points and ∞.
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

// weights9 returns G of F(7,3): powers of the points by the products of their
// differences.
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

// The matrices of the schemes. The points are 0, 1, -1, 2, ∞ (F23: without 2), with a sixth -2, with
// a seventh 1/2 (of those tried, 3, 3/2 and -1/4 are 5 to 15 times less accurate).
// Column j of Aᵀ is 1, p, p², … of point p.

var bt4 = [][]float32{
	{1, 0, -1, 0},
	{0, 1, 1, 0},
	{0, -1, 1, 0},
	{0, -1, 0, 1},
}

var at6 = [][]float32{
	{1, 1, 1, 1, 1, 0},
	{0, 1, -1, 2, -2, 0},
	{0, 1, 1, 4, 4, 0},
	{0, 1, -1, 8, -8, 1},
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

// weights7 returns G of the seven-point schemes: rows scaled powers of the points.
func weights7(taps int) [][]float64 {
	points := []float64{0, 1, -1, 2, -2, 0.5}
	scales := []float64{-1. / 4, -1. / 6, 1. / 18, 1. / 72, -1. / 120, 32. / 45}
	g := make([][]float64, 7)
	for i, p := range points {
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

var shapes = [schemes]shape{
	F23: {
		name: "F(2,3)", outputs: 2, points: 4, stride: 1, residual: true,
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
		name: "F(4,3)", outputs: 4, points: 6, stride: 1, residual: true, at: at6,
		phases: []phase{{every: 1, bt: bt6, taps: []int{0, 1, 2}, g: [][]float64{
			{1. / 4, 0, 0},
			{-1. / 6, -1. / 6, -1. / 6},
			{-1. / 6, 1. / 6, -1. / 6},
			{1. / 24, 1. / 12, 1. / 6},
			{1. / 24, -1. / 12, 1. / 6},
			{0, 0, 1},
		}}},
	},
	F53: {
		name: "F(5,3)", outputs: 5, points: 7, stride: 1, residual: true,
		at: [][]float32{
			{1, 1, 1, 1, 1, 1, 0},
			{0, 1, -1, 2, -2, 0.5, 0},
			{0, 1, 1, 4, 4, 0.25, 0},
			{0, 1, -1, 8, -8, 0.125, 0},
			{0, 1, 1, 16, 16, 0.0625, 1},
		},
		phases: []phase{{every: 1, bt: bt7, taps: []int{0, 1, 2}, g: weights7(3)}},
	},
	F73: {
		name: "F(7,3)", outputs: 7, points: 9, stride: 1, residual: true, at: at9,
		phases: []phase{{every: 1, bt: bt9, taps: []int{0, 1, 2}, g: weights9()}},
	},
	F44: {
		name: "F(4,4)", outputs: 4, points: 7, stride: 1,
		at: [][]float32{
			{1, 1, 1, 1, 1, 1, 0},
			{0, 1, -1, 2, -2, 0.5, 0},
			{0, 1, 1, 4, 4, 0.25, 0},
			{0, 1, -1, 8, -8, 0.125, 1},
		},
		phases: []phase{{every: 1, bt: bt7, taps: []int{0, 1, 2, 3}, g: weights7(4)}},
	},
	F42S2: {
		name: "F(4,2) /2", outputs: 4, points: 5, stride: 2,
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
		name: "direct /2", outputs: 1, points: 1, stride: 2,
		at: [][]float32{{1}},
		phases: []phase{
			{first: 0, every: 1, taps: []int{0}, bt: [][]float32{{1}}, g: [][]float64{{1}}},
			{first: 1, every: 1, taps: []int{1}, bt: [][]float32{{1}}, g: [][]float64{{1}}},
			{first: 2, every: 1, taps: []int{2}, bt: [][]float32{{1}}, g: [][]float64{{1}}},
		},
	},
}
