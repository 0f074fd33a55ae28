package jpeg

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/internal/guard"
	"icebox/extract/internal/isa"
)

// assembly returns the implementations to be compared with Portable.
func assembly(t *testing.T) []isa.ISA {
	all := available()[1:]
	if len(all) == 0 {
		t.Skip("no assembly in this build or on this machine")
	}
	return all
}

// ends says at which end of memory lies the page that may not be touched.
var ends = map[string]bool{"head": true, "tail": false}

// randomBytes returns guarded bytes, with the extremes more often than by chance.
func randomBytes(t testing.TB, r *rand.Rand, n int, head bool) []byte {
	b := guard.Slice[byte](t, n, head)
	for i := range b {
		b[i] = [...]byte{0, 255, byte(r.Uint32()), byte(r.Uint32())}[r.IntN(4)]
	}
	return b
}

// compareRows runs a kernel for every length of a row.
func compareRows[T any](t *testing.T, dstOf func(n int) int, kernel func(i isa.ISA, r *rand.Rand, n int, head bool, dst []T)) {
	for _, i := range assembly(t) {
		for end, head := range ends {
			for n := 1; n <= 70; n++ {
				var got [2][]T
				for j, on := range []isa.ISA{isa.Portable, i} {
					got[j] = guard.Slice[T](t, dstOf(n), head)
					kernel(on, rand.New(rand.NewPCG(1, uint64(n))), n, head, got[j])
				}
				if d := cmp.Diff(got[0], got[1]); d != "" {
					t.Fatalf("%v, %d samples, guarded at the %s (-portable +%v): %s", i, n, end, i, d)
				}
			}
		}
	}
}

func TestBlendEqualsPortable(t *testing.T) {
	compareRows(t, func(n int) int { return n }, func(i isa.ISA, r *rand.Rand, n int, head bool, dst []byte) {
		blend(i, dst, randomBytes(t, r, n, head), randomBytes(t, r, n, head), 1+n%2)
	})
}

func TestWeighEqualsPortable(t *testing.T) {
	compareRows(t, func(n int) int { return n }, func(i isa.ISA, r *rand.Rand, n int, head bool, dst []int16) {
		weigh(i, dst, randomBytes(t, r, n, head), randomBytes(t, r, n, head))
	})
}

func TestSpreadEqualsPortable(t *testing.T) {
	compareRows(t, func(n int) int { return 2 * n }, func(i isa.ISA, r *rand.Rand, n int, head bool, dst []byte) {
		sums := guard.Slice[int16](t, n+2, head)
		for j := range sums {
			sums[j] = [...]int16{0, 4 * 255, int16(r.IntN(4*255 + 1))}[r.IntN(3)]
		}
		spread(i, dst, sums, 8-4*(n%2), 7+n%2)
	})
}

func TestConvertEqualsPortable(t *testing.T) {
	compareRows(t, func(n int) int { return 3 * n }, func(i isa.ISA, r *rand.Rand, n int, head bool, dst []byte) {
		convert(i, dst, randomBytes(t, r, n, head), randomBytes(t, r, n, head), randomBytes(t, r, n, head))
	})
}

// Every colour there is.
func TestConvertEqualsPortableForEveryColour(t *testing.T) {
	var luma, cb, cr [256]byte
	for i := range luma {
		luma[i] = byte(i)
	}
	for _, i := range assembly(t) {
		for c := range 1 << 16 {
			for j := range cb {
				cb[j], cr[j] = byte(c), byte(c>>8)
			}
			var got, want [768]byte
			convert(i, got[:], luma[:], cb[:], cr[:])
			convertPortable(want[:], luma[:], cb[:], cr[:])
			if got != want {
				t.Fatalf("%v: Cb %d, Cr %d differ", i, byte(c), c>>8)
			}
		}
	}
}

// coefficients fills blocks of every sparsity, in pairs of every two kinds.
func coefficients(r *rand.Rand, coefs []int16) {
	for b := range len(coefs) / 64 {
		block := coefs[64*b:][:64]
		limit := []int{30, 2000, 1 << 15}[r.IntN(3)]
		switch b / 2 % 5 * (1 + b%2) % 5 {
		case 0:
		case 1:
			block[0] = int16(r.IntN(2*limit) - limit)
		case 2:
			for i := range 8 {
				block[i] = int16(r.IntN(2*limit) - limit)
			}
		case 3:
			for range 6 {
				block[r.IntN(64)] = int16(r.IntN(2*limit) - limit)
			}
		default:
			for i := range block {
				block[i] = int16(r.IntN(2*limit) - limit)
			}
		}
	}
}

func TestIDCTEqualsPortable(t *testing.T) {
	for _, i := range assembly(t) {
		for end, head := range ends {
			for n := range 400 {
				pairs, gap := 1+n%9, 16*(n%3)
				stride := 16*pairs + gap
				var dst [2][]byte
				for j, on := range []isa.ISA{isa.Portable, i} {
					r := rand.New(rand.NewPCG(2, uint64(n)))
					quant := guard.Slice[[64]uint16](t, 1, head)
					for k := range quant[0] {
						quant[0][k] = []uint16{1, uint16(1 + r.IntN(255)), uint16(r.Uint32())}[n/3%3]
					}
					coefs := guard.Slice[int16](t, 128*pairs, head)
					coefficients(r, coefs)
					dst[j] = guard.Slice[byte](t, 8*stride-gap, head)
					idct(on, dst[j], stride, coefs, &quant[0], pairs)
					for k, c := range coefs {
						if c != 0 {
							t.Fatalf("%v leaves %d as coefficient %d", on, c, k)
						}
					}
				}
				if d := cmp.Diff(dst[0], dst[1]); d != "" {
					t.Fatalf("case %d, guarded at the %s (-portable +%v): %s", n, end, i, d)
				}
			}
		}
	}
}

// The inverse DCT is one: within a level of the sum of cosines, for
// coefficients that a picture may have.
func TestIDCTIsNearTheSumOfCosines(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	quant := new([64]uint16)
	for i := range quant {
		quant[i] = 1
	}
	for _, on := range available() {
		for range 200 {
			coefs := make([]int16, 128)
			for range 12 {
				coefs[r.IntN(64)] = int16(r.IntN(200) - 100)
			}
			want := cosines(coefs[:64])
			dst := make([]byte, 8*16)
			idct(on, dst, 16, coefs, quant, 1)
			for i, w := range want {
				if d := float64(dst[i/8*16+i%8]) - w; d > 1 || d < -1 {
					t.Fatalf("%v: sample %d is %d, want %.2f", on, i, dst[i/8*16+i%8], w)
				}
			}
		}
	}
}

// entropyCase is random data under random tables, for a run of MCUs.
type entropyCase struct {
	units       []unit
	r           reader
	first, mcus int
	pred        [3]int32
}

func newEntropyCase(t testing.TB, seed uint64, head bool) *entropyCase {
	r := rand.New(rand.NewPCG(4, seed))
	c := &entropyCase{first: r.IntN(3), mcus: 1 + r.IntN(9)}
	for i := range 1 + r.IntN(4) {
		u := unit{dc: randomTable(t, r, false), ac: randomTable(t, r, true), pred: &c.pred[i%3], step: 64 * (1 + i%2)}
		u.coefs = guard.Slice[int16](t, (c.first+c.mcus-1)*u.step+64, head)
		c.units = append(c.units, u)
	}
	size := r.IntN(3000)
	c.r.data = guard.Slice[byte](t, size+slack, head)
	for i := range size {
		c.r.data[i] = byte(r.Uint32()) & byte(r.Uint32()>>(seed%9))
	}
	c.r.start(r.IntN(size+1), size)
	return c
}

// randomTable makes codes for all symbols of a class, in random order. Blocks
// end soon enough, as end-of-block is the shortest.
func randomTable(t testing.TB, r *rand.Rand, ac bool) *table {
	var symbols []byte
	kind := levels
	if ac {
		kind = sequential
	}
	for s := range 256 {
		if _, ok := entryOf(kind, byte(s), 1); ok && s > 0 {
			symbols = append(symbols, byte(s))
		}
	}
	r.Shuffle(len(symbols), func(i, j int) { symbols[i], symbols[j] = symbols[j], symbols[i] })
	symbols = append([]byte{0}, symbols...)
	spec := make([]byte, 17, 17+len(symbols))
	for left, n, room := len(symbols), 1, 1; n <= 16; n++ {
		room *= 2
		take := min(left, r.IntN(room/2+1))
		if n == 16 {
			take = left
		}
		spec[n], left, room = byte(take), left-take, room-take
	}
	table := new(table)
	if !table.build(kind, append(spec, symbols...)) {
		return randomTable(t, r, ac)
	}
	return table
}

func TestEntropyDecodingEqualsPortable(t *testing.T) {
	sound := 0
	for _, i := range assembly(t) {
		for end, head := range ends {
			for seed := range uint64(500) {
				for _, keep := range []bool{true, false} {
					var cases [2]*entropyCase
					var ok [2]bool
					for j, on := range []isa.ISA{isa.Portable, i} {
						c := newEntropyCase(t, seed, head)
						cases[j] = c
						// Beyond the end either may stop where it likes.
						if keep {
							ok[j] = decode(on, &c.r, c.units, c.first, c.mcus)
						} else {
							ok[j] = skip(on, &c.r, c.units, c.mcus)
						}
						ok[j] = ok[j] && c.r.beyond() <= 0
					}
					what := fmt.Sprintf("%v, case %d, guarded at the %s, kept: %v", i, seed, end, keep)
					if ok[0] != ok[1] {
						t.Fatalf("%s: %v, portable %v", what, ok[1], ok[0])
					}
					if ok[0] {
						sound++
						sameOutcome(t, what, cases[0], cases[1])
					}
				}
			}
		}
	}
	if sound < 100 {
		t.Errorf("only %d cases are sound", sound)
	}
}

func sameOutcome(t *testing.T, what string, want, got *entropyCase) {
	t.Helper()
	if want.r.beyond() != got.r.beyond() || want.pred != got.pred {
		t.Fatalf("%s: ends at bit %d, portable at %d; DC %v, portable %v", what, got.r.beyond(), want.r.beyond(), got.pred, want.pred)
	}
	if shift := 64 - min(want.r.n, got.r.n); want.r.acc>>shift != got.r.acc>>shift {
		t.Fatalf("%s: the bits to come are %b, portable %b", what, got.r.acc>>shift, want.r.acc>>shift)
	}
	for i := range want.units {
		if d := cmp.Diff(want.units[i].coefs, got.units[i].coefs); d != "" {
			t.Fatalf("%s: block %d (-portable +assembly): %s", what, i, d)
		}
	}
}
