package jpeg

import (
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/internal/guard"
	"icebox/extract/internal/isa"
)

// randomBands is random data under a random table, for the bands of some blocks.
func randomBands(t testing.TB, seed uint64, head bool) (b bandReader, coefs []int16, set []uint64) {
	r := rand.New(rand.NewPCG(7, seed))
	size := r.IntN(600)
	data := guard.Slice[byte](t, size+slack, head)
	for i := range size {
		data[i] = byte(r.Uint32()) & byte(r.Uint32()>>(seed%9))
	}
	from := 1 + r.IntN(63)
	scan := band{from: from, to: from + r.IntN(64-from), low: uint(r.IntN(4))}
	if seed%3 == 0 {
		scan.from, scan.to = 1, 63
	}
	if seed%2 == 1 {
		scan.high = int(scan.low) + 1
	}
	w := walk{d: new(Decoder), comps: []int{0}}
	w.data = data
	w.d.frame.comps[0].acTable = randomBandTable(t, r, scan.high > 0)
	w.start(r.IntN(size+1), size)
	b = w.newBandReader(scan)
	b.blank = []int{0, 0, r.IntN(9)}[r.IntN(3)]

	blocks := 1 + r.IntN(12)
	coefs, set = guard.Slice[int16](t, 64*blocks, head), guard.Slice[uint64](t, blocks, head)
	if b.refines {
		for i := range set {
			for k := 1; k < 64; k++ {
				if r.IntN(1+int(seed%7)) > 0 {
					continue
				}
				v := int16(1+r.IntN(60)) << (scan.low + 1)
				if r.IntN(2) == 0 {
					v = -v
				}
				coefs[64*i+int(zigzag[k])] = v + int16(seed%11/10)<<scan.low
				set[i] |= place(k)
			}
		}
	}
	return b, coefs, set
}

// randomBandTable makes codes for symbols of a band in random order; most end the band soon.
func randomBandTable(t testing.TB, r *rand.Rand, refines bool) *table {
	var symbols []byte
	for s := range 256 {
		_, ok := entryOf(bands, byte(s), 1)
		if ok && (!refines || s&15 < 2 || r.IntN(40) == 0) && s != 0 {
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
	table := &table{spec: append(spec, symbols...)}
	if !table.make(bands) {
		return randomBandTable(t, r, refines)
	}
	return table
}

func TestBandsEqualPortable(t *testing.T) {
	sound := map[bool]int{}
	for _, i := range assembly(t) {
		for end, head := range ends {
			for first := uint64(0); first < 3000; first += 500 {
				t.Run(fmt.Sprintf("%v/%s/%d", i, end, first), func(t *testing.T) { // whose guards go with it
					for seed := first; seed < first+500; seed++ {
						compareBands(t, i, seed, head, sound)
					}
				})
			}
		}
	}
	if sound[false] < 500 || sound[true] < 500 {
		t.Errorf("only %d and %d cases are sound", sound[false], sound[true])
	}
}

func compareBands(t *testing.T, i isa.ISA, seed uint64, head bool, sound map[bool]int) {
	t.Helper()
	a, wantCoefs, wantSet := randomBands(t, seed, head)
	b, coefs, set := randomBands(t, seed, head)
	want, got := a.read(wantCoefs, wantSet), readBands(i, &b, coefs, set)
	if want != got {
		t.Fatalf("case %d: %v, portable %v", seed, got, want)
	}
	if !want {
		return // what is left behind is of no use
	}
	sound[a.refines]++
	if a.beyond() != b.beyond() || a.blank != b.blank {
		t.Fatalf("case %d: ends at bit %d, portable at %d; %d blocks to come are blank, portable %d", seed, b.beyond(), a.beyond(), b.blank, a.blank)
	}
	if d := cmp.Diff(wantCoefs, coefs) + cmp.Diff(wantSet, set); d != "" {
		t.Fatalf("case %d (-portable +assembly): %s", seed, d)
	}
}

// What set says of coefficients is true after each scan.
func TestSetsTellWhichCoefficientsAreNot0(t *testing.T) {
	for seed := range uint64(500) {
		b, coefs, set := randomBands(t, seed, false)
		readBands(native, &b, coefs, set)
		for i := range set {
			for k := 1; k < 64; k++ {
				if is, says := coefs[64*i+int(zigzag[k])] != 0, set[i]&place(k) != 0; is != says {
					t.Fatalf("case %d, block %d: coefficient %d is not 0: %v, but set says %v", seed, i, k, is, says)
				}
			}
		}
	}
}

func TestDecodingStopsWhereItIsInterrupted(t *testing.T) {
	data := fixture(t, "progressive.jpg")
	w := whole(t, data)
	enough := errors.New("enough")
	var d Decoder
	asked := 0
	d.Interrupted = func() error { asked++; return nil }
	planes, err := d.Decode(data, w)
	if err != nil || asked < 10 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	want := samples(planes, w)
	for after := range asked {
		left := after
		d.Interrupted = func() error {
			if left--; left < 0 {
				return enough
			}
			return nil
		}
		if _, err := d.Decode(data, w); !errors.Is(err, enough) {
			t.Fatalf("after %d rows: %v", after, err)
		}
	}
	d.Interrupted = nil
	planes, err = d.Decode(data, w)
	if err != nil || !slices.EqualFunc(samples(planes, w), want, slices.Equal) {
		t.Errorf("afterwards another picture: %v", err)
	}
}

// The scans of a band may come in any order that makes sense for each coefficient alone.
func TestBandsThatMakeNoSenseAreForeign(t *testing.T) {
	for name, b := range map[string]band{
		"DC with others": {from: 0, to: 5}, "backwards": {from: 9, to: 5}, "beyond the last": {from: 5, to: 64},
		"two bits at once": {from: 1, to: 5, high: 3, low: 1}, "too low": {from: 1, to: 5, low: 14},
	} {
		if b.sound(true, 1) {
			t.Errorf("%s: taken", name)
		}
	}
	if (band{from: 1, to: 5}).sound(true, 3) || !(band{from: 1, to: 5}).sound(true, 1) || (band{from: 0, to: 0}).sound(false, 1) {
		t.Error("a scan of AC holds one component, and only of a progressive picture")
	}
	data := fixture(t, "progressive.jpg")
	at := segmentAt(t, data, markSOS)
	data[at+5+2*int(data[at+4])] = 7 // DC up to another
	if _, err := new(Decoder).Decode(data, image.Rect(0, 0, 61, 47)); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
}

func BenchmarkBands(b *testing.B) {
	for _, i := range available() {
		for _, refines := range []bool{false, true} {
			b.Run(fmt.Sprintf("%v/refining=%v", i, refines), func(b *testing.B) {
				seed := uint64(0)
				if refines {
					seed = 3
				}
				var blocks int
				r, coefs, set := randomBands(b, seed, false)
				at, blank, was := *r.reader, r.blank, slices.Clone(set)
				for b.Loop() {
					*r.reader, r.blank = at, blank
					copy(set, was)
					if !readBands(i, &r, coefs, set) {
						b.Fatal("no sense")
					}
					blocks += len(set)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(blocks), "ns/block")
			})
		}
	}
}
