package kernel

// pairs are the points of a scheme of four outputs whose planes are rounded to bfloat16: 0,
// if zero is set; then p and -p for each p; then ∞.
//
// Rounding the operands of a product by a factor 1+ε adds, to an output, the sum over points of
// Aᵀ² · E[(Bᵀd)²] · E[(G·w)²] · ε². These points make that sum least, by a search in steps of
// 1/16 or 1/8 over pixels of which neighbours correlate by 0.7 and by 0.5. For F(4,3) it is,
// in two dimensions, 3.5 and 8 times that of a plain convolution; for 0, ±1, ±2, ∞ it is 13
// and 35.
type pairs struct {
	zero bool
	p    []float64
}

var (
	pairs43 = pairs{true, []float64{0.6875, 1.5}}
	pairs42 = pairs{false, []float64{0.5, 1.25}}
)

// finite lists the points but ∞.
func (s pairs) finite() []float64 {
	var points []float64
	if s.zero {
		points = append(points, 0)
	}
	for _, p := range s.p {
		points = append(points, p, -p)
	}
	return points
}

// shape returns a scheme of the points: of one phase, or of two where stride is 2.
func (s pairs) shape(name string, stride int) shape {
	const outputs = 4
	points := s.finite()
	sh := shape{name: name, outputs: outputs, points: len(points) + 1, stride: stride, residual: stride == 1, at: powers(points, outputs), inputs: inputs{bf16: true}}
	if stride == 1 {
		var taps []int
		for i := range len(points) + 2 - outputs {
			taps = append(taps, i)
		}
		sh.phases = []phase{{every: 1, bt: inputRows(points, true), taps: taps, g: filterRows(points, len(taps), true)}}
		return sh
	}
	sh.phases = []phase{
		{first: 0, every: 2, bt: inputRows(points, true), taps: []int{0, 2}, g: filterRows(points, 2, true)},
		{first: 1, every: 2, bt: inputRows(points, false), taps: []int{1}, g: filterRows(points, 1, false)},
	}
	return sh
}

// inputRows returns Bᵀ. The row of a point holds the coefficients, from the lowest power on,
// of the product of x - q over the other finite points q; that of ∞ of the product over all.
func inputRows(points []float64, infinity bool) [][]float32 {
	n := len(points)
	if infinity {
		n++
	}
	rows := make([][]float32, n)
	for i := range rows {
		c := []float64{1}
		for j, q := range points {
			if i == j {
				continue
			}
			next := append([]float64{0}, c...) // times x
			for k, x := range c {
				next[k] -= q * x
			}
			c = next
		}
		rows[i] = make([]float32, n)
		for k, x := range c {
			rows[i][k] = float32(x)
		}
	}
	return rows
}

// filterRows returns G: the powers of a point, divided by the product of its differences from
// the other points; and for ∞, 1 for the last tap.
func filterRows(points []float64, taps int, infinity bool) [][]float64 {
	var rows [][]float64
	for i, p := range points {
		power := 1.0
		for j, q := range points {
			if i != j {
				power /= p - q
			}
		}
		row := make([]float64, taps)
		for k := range row {
			row[k] = power
			power *= p
		}
		rows = append(rows, row)
	}
	if infinity {
		last := make([]float64, taps)
		last[taps-1] = 1
		rows = append(rows, last)
	}
	return rows
}
