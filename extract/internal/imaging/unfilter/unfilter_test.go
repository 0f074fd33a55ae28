package unfilter

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"icebox/extract/internal/guard"
	"icebox/extract/internal/isa"
)

// filtered returns a row as the specification filters it: the inverse of portable.
func filtered(filter byte, bpp int, row, prev []byte) []byte {
	out := make([]byte, len(row))
	for i, v := range row {
		var left, corner byte
		if i >= bpp {
			left, corner = row[i-bpp], prev[i-bpp]
		}
		switch filter {
		case Sub:
			v -= left
		case Up:
			v -= prev[i]
		case Average:
			v -= byte((int(left) + int(prev[i])) >> 1)
		case Paeth:
			v -= paeth(left, prev[i], corner)
		}
		out[i] = v
	}
	return out
}

// randomRow returns guarded bytes with the extremes more often than by chance.
func randomRow(t testing.TB, r *rand.Rand, n int, head bool) []byte {
	b := guard.Slice[byte](t, n, head)
	for i := range b {
		b[i] = [...]byte{0, 255, byte(r.Uint32()), byte(r.Uint32())}[r.IntN(4)]
	}
	return b
}

func TestRowsComeBack(t *testing.T) {
	for _, i := range Available() {
		for _, head := range []bool{true, false} {
			for filter := range byte(filters) {
				t.Run(fmt.Sprintf("%v/%d/%v", i, filter, head), func(t *testing.T) {
					r := rand.New(rand.NewPCG(1, uint64(filter)))
					for bpp := 1; bpp <= 8; bpp++ {
						for pixels := 1; pixels <= 45; pixels++ {
							prev, want := randomRow(t, r, bpp*pixels, head), randomRow(t, r, bpp*pixels, head)
							row := guard.Slice[byte](t, len(want), head)
							copy(row, filtered(filter, bpp, want, prev))
							if !rowOn(i, filter, bpp, row, prev) || !bytes.Equal(row, want) {
								t.Fatalf("%d pixels of %d bytes: %v, want %v", pixels, bpp, row, want)
							}
						}
					}
				})
			}
		}
	}
	if Row(filters, 3, make([]byte, 3), make([]byte, 3)) {
		t.Error("a sixth filter is taken")
	}
}

// Of three equally near neighbours the left one counts, then the one above.
func TestPaethChoosesAsTheSpecificationSays(t *testing.T) {
	for _, c := range [][4]uint8{{0, 0, 0, 0}, {10, 20, 10, 20}, {10, 20, 20, 10}, {10, 20, 15, 15}, {8, 11, 10, 8}, {11, 8, 10, 8}, {255, 0, 255, 0}, {100, 120, 111, 111}, {7, 9, 9, 7}} {
		if got := paeth(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("left %d, above %d, corner %d: %d, want %d", c[0], c[1], c[2], got, c[3])
		}
	}
}

func FuzzRow(f *testing.F) {
	f.Add([]byte("a row of pixels and the one above it, of as many bytes"), byte(4), byte(3))
	f.Fuzz(func(t *testing.T, data []byte, filter, bpp byte) {
		filter, bpp = filter%filters, 1+bpp%8
		row, prev := bytes.Clone(data[:len(data)/2]), data[len(data)/2:]
		same := bytes.Clone(row)
		Row(filter, int(bpp), row, prev)
		rowOn(isa.Portable, filter, int(bpp), same, prev)
		if !bytes.Equal(row, same) {
			t.Fatalf("filter %d, %d bytes a pixel: implementations differ", filter, bpp)
		}
	})
}

func BenchmarkRow(b *testing.B) {
	for _, i := range Available() {
		for filter := byte(Sub); filter < filters; filter++ {
			for _, bpp := range []int{3, 4} {
				b.Run(fmt.Sprintf("%v/%d/%d", i, filter, bpp), func(b *testing.B) {
					row, prev := make([]byte, 500*bpp), make([]byte, 500*bpp)
					b.SetBytes(int64(len(row)))
					for b.Loop() {
						rowOn(i, filter, bpp, row, prev)
					}
				})
			}
		}
	}
}
