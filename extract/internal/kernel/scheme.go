package kernel

// Scheme names a Winograd scheme F(outputs, taps) in both directions.
type Scheme uint8

// The schemes. Their points are 0, 1, -1, 2, -2, ∞; with a seventh, 1/2; with
// nine, -1/2 and -3/4; F42S2 has
// 0, 1, -1, 2, ∞.
const (
	F43   Scheme = iota // 3×3 kernels, 4×4 outputs
	F73                 // 3×3 kernels, 7×7 outputs
	F44                 // 4×4 kernels, 4×4 outputs
	F42S2               // 3×3 kernels two pixels apart, 4×4 outputs, by polyphase
	schemes
)

// shape is a scheme along one direction; both directions are alike.
//
// A scheme with stride 2 splits the input by parity. Even pixels meet taps 0 and 2,
// odd pixels tap 1, and both products are taken at shared points, so that they add
// up before one output transform.
type shape struct {
	outputs  int // pixels of a tile
	points   int
	stride   int
	phases   []phase
	at       [][]float32 // Aᵀ: outputs × points
	residual bool        // an output transform with residual exists
}

// phase is the part of a tile's pixels that meets the same taps.
type phase struct {
	first, every int         // pixels first, first+every, …
	bt           [][]float32 // Bᵀ: points × pixels
	taps         []int
	g            [][]float64 // G: points × taps
}

// size is the side of a tile's input.
func (s *shape) size() int { return (s.outputs-1)*s.stride + s.taps() }

func (s *shape) taps() int {
	n := 0
	for _, p := range s.phases {
		n += len(p.taps)
	}
	return n
}

// step is the distance of the inputs of neighbouring tiles.
func (s *shape) step() int { return s.outputs * s.stride }

// slots counts the pairs of phases that have the point (i, j): the row of a tile
// in that plane is so many times the channels.
func (s *shape) slots(i, j int) int {
	n := 0
	for _, down := range s.phases {
		for _, across := range s.phases {
			if i < len(down.bt) && j < len(across.bt) {
				n++
			}
		}
	}
	return n
}

func (s Scheme) shape() *shape {
	check(s < schemes, "unknown scheme")
	return &shapes[s]
}

// Outputs is the side of a tile's output in pixels.
func (s Scheme) Outputs() int { return s.shape().outputs }

// Size is the side of a tile's input in pixels.
func (s Scheme) Size() int { return s.shape().size() }

// Step is the distance of the inputs of neighbouring tiles in pixels.
func (s Scheme) Step() int { return s.shape().step() }

// Planes is the number of planes.
func (s Scheme) Planes() int { return s.shape().points * s.shape().points }

// Slots is the number of K-segments, each as long as there are channels, in a
// tile's row of plane p.
func (s Scheme) Slots(p int) int {
	n := s.shape().points
	return s.shape().slots(p/n, p%n)
}

// MaxSlots is the largest of Slots.
func (s Scheme) MaxSlots() int { return s.Slots(0) }

// Kernel writes the planes of the weights of one pair of channels: u[p] holds what
// slot 0, 1, … of plane p is multiplied with. The kernel w is row-major.
func (s Scheme) Kernel(u [][4]float64, w []float64) {
	sh := s.shape()
	n, taps := sh.points, sh.taps()
	var used [81]int
	var half [9][9]float64
	for _, down := range sh.phases {
		for _, across := range sh.phases {
			for i, g := range down.g {
				for c, x := range across.taps {
					sum := 0.0
					for r, y := range down.taps {
						sum += g[r] * w[y*taps+x]
					}
					half[i][c] = sum
				}
			}
			for i := range down.g {
				for j, g := range across.g {
					sum := 0.0
					for c := range across.taps {
						sum += half[i][c] * g[c]
					}
					u[i*n+j][used[i*n+j]] = sum
					used[i*n+j]++
				}
			}
		}
	}
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

// bt9 has the point -3/4 beside the seven and -1/2: of all eighth points it costs
// least accuracy, some three bits more than F(4,3).
var bt9 = [][]float32{
	{-0.75, -1, 3.9375, 5.25, -3.9375, -5.25, 0.75, 1, 0},
	{0, 0.75, 1.75, -2.1875, -7.4375, -3.5, 1.75, 1, 0},
	{0, -0.75, -0.25, 4.1875, 1.0625, -5, -0.25, 1, 0},
	{0, 0.375, 0.6875, -1.625, -3.4375, 0.25, 2.75, 1, 0},
	{0, -0.375, -0.3125, 2.125, 1.5625, -2.75, -1.25, 1, 0},
	{0, 1.5, 5, 2.125, -6.25, -4.625, 1.25, 1, 0},
	{0, -1.5, 1, 5.875, -1.25, -5.375, 0.25, 1, 0},
	{0, -1, 0, 5.25, 0, -5.25, 0, 1, 0},
	{0, -0.75, -1, 3.9375, 5.25, -3.9375, -5.25, 0.75, 1},
}

// weights returns G of a scheme: rows of powers of the finite points, scaled, and a
// last row for ∞.
func weights(points, scales []float64, taps int) [][]float64 {
	var g [][]float64
	for i, p := range points {
		row := make([]float64, taps)
		for t, power := 0, scales[i]; t < taps; t, power = t+1, power*p {
			row[t] = power
		}
		g = append(g, row)
	}
	last := make([]float64, taps)
	last[taps-1] = 1
	return append(g, last)
}

var (
	points7 = []float64{0, 1, -1, 2, -2, 1. / 2}
	scales7 = []float64{-1. / 4, -1. / 6, 1. / 18, 1. / 72, -1. / 120, 32. / 45}
	points9 = []float64{0, 1, -1, 2, -2, 1. / 2, -1. / 2, -3. / 4}
	scales9 = []float64{-4. / 3, -8. / 63, 8. / 9, 2. / 495, -2. / 225, 128. / 225, 128. / 45, -16384. / 5775}
)

var shapes = [schemes]shape{
	F43: {
		outputs: 4, points: 6, stride: 1, residual: true, at: at6,
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
		outputs: 7, points: 9, stride: 1, residual: true,
		at: [][]float32{
			{1, 1, 1, 1, 1, 1, 1, 1, 0},
			{0, 1, -1, 2, -2, 0.5, -0.5, -0.75, 0},
			{0, 1, 1, 4, 4, 0.25, 0.25, 0.5625, 0},
			{0, 1, -1, 8, -8, 0.125, -0.125, -0.421875, 0},
			{0, 1, 1, 16, 16, 0.0625, 0.0625, 0.31640625, 0},
			{0, 1, -1, 32, -32, 0.03125, -0.03125, -0.2373046875, 0},
			{0, 1, 1, 64, 64, 0.015625, 0.015625, 0.177978515625, 1},
		},
		phases: []phase{{every: 1, bt: bt9, taps: []int{0, 1, 2}, g: weights(points9, scales9, 3)}},
	},
	F44: {
		outputs: 4, points: 7, stride: 1,
		at: [][]float32{
			{1, 1, 1, 1, 1, 1, 0},
			{0, 1, -1, 2, -2, 0.5, 0},
			{0, 1, 1, 4, 4, 0.25, 0},
			{0, 1, -1, 8, -8, 0.125, 1},
		},
		phases: []phase{{every: 1, bt: bt7, taps: []int{0, 1, 2, 3}, g: weights(points7, scales7, 4)}},
	},
	F42S2: {
		outputs: 4, points: 5, stride: 2,
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
}
