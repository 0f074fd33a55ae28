package kernel

// Lane is the number of classes in a tile, of features in a gradient block,
// and of rows in a forward block.
const Lane = 16

// ChunkRows is the number of consecutive batch rows whose gradient is summed
// by itself before it is added to the total.
const ChunkRows = 32

// ISA names one implementation of the kernels.
type ISA uint8

// The implementations, slowest first.
const (
	Portable ISA = iota
	AVX2
	AVX512
)

func (i ISA) String() string {
	switch i {
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	default:
		return "portable"
	}
}

// Best returns the fastest implementation that this machine runs.
func Best() ISA {
	all := Available()
	return all[len(all)-1]
}

// Matrix is a row-major view: row r starts at Data[r*Stride] and has Cols values.
type Matrix struct {
	Data               []float32
	Rows, Cols, Stride int
}

// Row returns row r.
func (m Matrix) Row(r int) []float32 { return m.Data[r*m.Stride : r*m.Stride+m.Cols] }

// Slice returns rows lo to hi.
func (m Matrix) Slice(lo, hi int) Matrix {
	m.Data = m.Data[lo*m.Stride : lo*m.Stride+max(0, hi-lo)*m.Stride]
	m.Rows = hi - lo
	return m
}

// RoundUp returns n rounded up to a multiple of Lane.
func RoundUp(n int) int { return (n + Lane - 1) / Lane * Lane }

// Rows returns the rows of a parameter tile of d features: the features, the
// bias, and zeros up to a multiple of Lane.
func Rows(d int) int { return RoundUp(d + 1) }

// ParamLen returns the length of the parameters of d features and k classes.
func ParamLen(d, k int) int { return Rows(d) * RoundUp(k) }

// ParamIndex returns where feature j (d for the bias) of class c lies in the
// parameters of a head of d features.
func ParamIndex(d, j, c int) int { return (c/Lane*Rows(d)+j)*Lane + c%Lane }

// AffineMap maps feature j to (x[j]-Mean[j])·Scale[j].
type AffineMap struct{ Mean, Scale []float32 }

// Affine writes dst[j] = ((x[j]-Mean[j])·Scale[j])·rowScale for each j of x.
// The values of ahead, as many as x has or none, are fetched into the cache
// for a later call; rows at random places are read at twice the speed so.
func (i ISA) Affine(dst, x []float32, m AffineMap, rowScale float32, ahead []float32) {
	n := len(x)
	check(len(dst) >= n && len(m.Mean) >= n && len(m.Scale) >= n, "kernel: affine: short slice")
	if len(ahead) < n {
		ahead = x
	}
	if n > 0 {
		i.affine(dst[:n], x, m, rowScale, ahead)
	}
}

// Forward writes the logits of x.Cols features under params:
//
//	z[r][c] = fma(x[r][d-1], w[d-1][c], … fma(x[r][0], w[0][c], bias[c]))
//
// z.Rows == x.Rows is a multiple of Lane, and so is z.Cols.
func (i ISA) Forward(z, x Matrix, params []float32) {
	z.check()
	x.check()
	check(z.Rows == x.Rows && z.Rows%Lane == 0 && z.Cols%Lane == 0, "kernel: forward: shape")
	check(len(params) >= ParamLen(x.Cols, z.Cols), "kernel: forward: short params")
	if z.Rows > 0 && z.Cols > 0 {
		i.forward(z, x, params)
	}
}

// Gradient adds to g, 16 rows of a parameter tile, the gradient of features
// j to j+15 (of x's row, up to its stride) for the 16 classes at column c:
//
//	for each chunk of ChunkRows rows, in order, the last one shorter:
//	    acc = 0; acc = fma(x[r][j+f], dz[r][c+l], acc) over its rows r in order
//	    g[f][l] += acc
func (i ISA) Gradient(g []float32, x, dz Matrix, j, c int) {
	x.check()
	dz.check()
	check(x.Rows == dz.Rows, "kernel: gradient: rows")
	check(len(g) >= Lane*Lane && j >= 0 && j+Lane <= x.Stride && c >= 0 && c+Lane <= dz.Stride, "kernel: gradient: shape")
	check(x.Rows == 0 || len(x.Data) >= (x.Rows-1)*x.Stride+j+Lane && len(dz.Data) >= (dz.Rows-1)*dz.Stride+c+Lane, "kernel: gradient: short data")
	if x.Rows > 0 {
		i.gradient(g, x, dz, j, c)
	}
}

// Exp writes e[r][c] = exp(z[r][c]-top[r]) with top[r] the largest of row r, and
// sum[r] the sum of row r of e. Both reductions run in 16 lanes, lane l over
// columns l, l+16, … in order; the lanes are then folded 8, 4, 2, 1 apart.
// Columns that are no class must hold -Inf: they give +0.
func (i ISA) Exp(e, z Matrix, top, sum []float32) {
	e.check()
	z.check()
	check(e.Rows == z.Rows && e.Cols == z.Cols && z.Cols%Lane == 0 && z.Cols > 0, "kernel: exp: shape")
	check(len(top) >= z.Rows && len(sum) >= z.Rows, "kernel: exp: short slice")
	if z.Rows > 0 {
		i.exp(e, z, top, sum)
	}
}

// Residual replaces e[r][c] by a[r]·e[r][c] - q[c].
func (i ISA) Residual(e Matrix, a, q []float32) {
	e.check()
	check(e.Cols%Lane == 0 && len(a) >= e.Rows && len(q) >= e.Cols, "kernel: residual: shape")
	if e.Rows > 0 && e.Cols > 0 {
		i.residual(e, a, q)
	}
}

// AdamStep holds the scalars of one Adam step; the order of its operations is
// that of adamPortable.
type AdamStep struct {
	L2      float32 // weight decay added to the gradient; 0 for AdamW
	Decay   float32 // factor on the weight before the step; 1 for Adam
	KeepM   float32 // 1-β₁
	Beta2   float32
	KeepV   float32 // 1-β₂
	InvRoot float32 // 1/√(1-β₂ᵗ)
	Eps     float32
	Rate    float32 // lr/(1-β₁ᵗ)
}

// Adam takes one step: w, and the moments m and v, under gradient g. Lengths
// are equal and a multiple of Lane.
func (i ISA) Adam(w, m, v, g []float32, s *AdamStep) {
	check(len(w)%Lane == 0 && len(m) == len(w) && len(v) == len(w) && len(g) == len(w), "kernel: adam: lengths")
	if len(w) > 0 {
		i.adam(w, m, v, g, s)
	}
}

// SGDStep holds the scalars of one step of gradient descent; the order of its
// operations is that of sgdPortable.
type SGDStep struct {
	L2       float32 // weight decay added to the gradient
	Momentum float32
	OfGrad   float32 // share of the gradient in the step: 1 with Nesterov, else 0
	OfBuffer float32 // share of the buffer: Momentum with Nesterov, else 1
	Rate     float32
}

// SGD takes one step: w and the momentum buffer m under gradient g. Lengths
// are equal and a multiple of Lane.
func (i ISA) SGD(w, m, g []float32, s *SGDStep) {
	check(len(w)%Lane == 0 && len(m) == len(w) && len(g) == len(w), "kernel: sgd: lengths")
	if len(w) > 0 {
		i.sgd(w, m, g, s)
	}
}

func (m Matrix) check() {
	ok := m.Rows >= 0 && m.Cols >= 0 && m.Stride >= m.Cols
	check(ok && (m.Rows == 0 || len(m.Data) >= (m.Rows-1)*m.Stride+m.Cols), "kernel: matrix out of its data")
}

func check(ok bool, fault string) {
	if !ok {
		panic(fault)
	}
}
