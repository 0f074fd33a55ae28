package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// fma32 is one lane of fmaLanes.
func fma32(a, b, c float32) float32 {
	acc, v, w := [Lane]float32{3: c}, [Lane]float32{3: a}, [Lane]float32{3: b}
	fmaLanes(&acc, &v, &w)
	return acc[3]
}

// exactFMA is a·b+c by rational arithmetic, rounded once.
func exactFMA(a, b, c float32) float32 {
	p := new(big.Rat).Mul(new(big.Rat).SetFloat64(float64(a)), new(big.Rat).SetFloat64(float64(b)))
	p.Add(p, new(big.Rat).SetFloat64(float64(c)))
	r, _ := p.Float32()
	return r
}

func checkFMA(t interface{ Fatalf(string, ...any) }, a, b, c float32) {
	got, want := fma32(a, b, c), exactFMA(a, b, c)
	// A rational has no -0: the sign of zero is checked in TestFMASpecialValues.
	if math.Float32bits(got) != math.Float32bits(want) && (got != 0 || want != 0) {
		t.Fatalf("fma32(%x, %x, %x) = %x, exactly rounded %x", a, b, c, got, want)
	}
}

func finite(r *rand.Rand) float32 {
	for {
		if v := math.Float32frombits(r.Uint32()); v-v == 0 {
			return v
		}
	}
}

func TestFMARoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30000 {
		a, b := finite(r), finite(r)
		checkFMA(t, a, b, finite(r))
		// c close to -a·b, where cancellation and subnormals live
		if c := -float32(float64(a) * float64(b) * (1 + float64(r.IntN(64)-32)*0x1p-23)); c-c == 0 {
			checkFMA(t, a, b, c)
		}
		// results near and below the smallest normal
		checkFMA(t, float32(r.NormFloat64()*0x1p-63), float32(r.NormFloat64()*0x1p-64), float32(r.NormFloat64()*0x1p-127))
	}
}

// The product is midway between two float32 after c is added in float64, while
// the true sum is a little to one side: naive double rounding errs.
func TestFMAAtMidpoints(t *testing.T) {
	naiveWrong := 0
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		scale := float32(math.Ldexp(1, r.IntN(40)-20))
		c := (1 + float32(r.IntN(1<<23))*0x1p-23) * scale
		half := 0x1p-24 * scale // half a unit in the last place of c
		a := half * (1 + float32(r.IntN(3)-1)*0x1p-23)
		b := float32(1) + float32(r.IntN(3)-1)*0x1p-23
		for _, sign := range []float32{1, -1} {
			checkFMA(t, a, b, sign*c)
			tiny := float32(math.Ldexp(1, -60)) * scale
			checkFMA(t, a, b, sign*c+tiny)
			if float32(float64(a)*float64(b)+float64(sign*c)) != exactFMA(a, b, sign*c) {
				naiveWrong++
			}
		}
	}
	if naiveWrong == 0 {
		t.Error("no case where rounding twice errs: the inputs prove nothing")
	}
}

func TestFMASpecialValues(t *testing.T) {
	inf, nan, negZero := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, v := range [][3]float32{
		{0, 1, 0}, {negZero, 1, 0}, {negZero, 1, negZero}, {0, 1, negZero}, {1, 1, -1}, {1, -1, 1},
		{inf, 1, 0}, {inf, 1, -inf}, {inf, 0, 1}, {1, 1, nan}, {nan, 0, inf}, {math.MaxFloat32, 2, -math.MaxFloat32},
		{math.MaxFloat32, 2, 0}, {math.MaxFloat32, math.MaxFloat32, -inf}, {math.SmallestNonzeroFloat32, 0.5, 0},
		{math.SmallestNonzeroFloat32, 0.5, math.SmallestNonzeroFloat32}, {math.SmallestNonzeroFloat32, -0.5, 0},
	} {
		got := fma32(v[0], v[1], v[2])
		want := float32(math.FMA(float64(v[0]), float64(v[1]), float64(v[2])))
		if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
			t.Errorf("fma32(%v) = %v, want %v", v, got, want)
		}
	}
}

func TestFMAProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float32Range(-math.MaxFloat32, math.MaxFloat32)
		checkFMA(t, f.Draw(t, "a"), f.Draw(t, "b"), f.Draw(t, "c"))
	})
}

func TestExpIsWithinTwoUlp(t *testing.T) {
	worst := 0.0
	for x := float32(0); x > -88; x = math.Nextafter32(x, -100) - 1e-4 {
		got, want := float64(exp32(x)), math.Exp(float64(x))
		if x < expCutoff {
			if got != 0 {
				t.Fatalf("exp32(%v) = %v under the cutoff", x, got)
			}
			continue
		}
		ulp := float64(math.Nextafter32(float32(want), 2)) - float64(float32(want))
		worst = max(worst, math.Abs(got-want)/ulp)
	}
	if worst > 2 {
		t.Errorf("exp32 is off by %.2f units in the last place", worst)
	}
	if exp32(0) != 1 || exp32(float32(math.Inf(-1))) != 0 {
		t.Errorf("exp32(0) = %v, exp32(-Inf) = %v", exp32(0), exp32(float32(math.Inf(-1))))
	}
}
