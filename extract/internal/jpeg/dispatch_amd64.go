//go:build !purego

package jpeg

import (
	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

// available returns the implementations that this machine runs, slowest first.
func available() []isa.ISA {
	if cpu.X86.HasAVX2 && cpu.X86.HasBMI2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT {
		return []isa.ISA{isa.Portable, isa.AVX2}
	}
	return []isa.ISA{isa.Portable}
}

// turn is the number of samples that a loop over a row does at once; shorter
// rows are left to portable code.
const turn = 16

func idct(i isa.ISA, dst []byte, stride int, coefs []int16, quant *[64]uint16, pairs int) {
	if i == isa.Portable {
		idctPortable(dst, stride, coefs, quant, pairs)
		return
	}
	_, _ = dst[7*stride+16*pairs-1], coefs[128*pairs-1]
	idctAVX2(&dst[0], stride, &coefs[0], &quant[0], pairs)
}

func blend(i isa.ISA, dst, near, far []byte, bias int) {
	n := len(dst)
	if i == isa.Portable || n < turn {
		blendPortable(dst, near, far, bias)
		return
	}
	_, _ = near[n-1], far[n-1]
	blendAVX2(&dst[0], &near[0], &far[0], n, bias)
}

func weigh(i isa.ISA, dst []int16, near, far []byte) {
	n := len(dst)
	if i == isa.Portable || n < turn {
		weighPortable(dst, near, far)
		return
	}
	_, _ = near[n-1], far[n-1]
	weighAVX2(&dst[0], &near[0], &far[0], n)
}

func spread(i isa.ISA, dst []byte, sums []int16, even, odd int) {
	n := len(dst) / 2
	if i == isa.Portable || n < turn {
		spreadPortable(dst, sums, even, odd)
		return
	}
	_ = sums[n+1]
	spreadAVX2(&dst[0], &sums[0], n, even, odd)
}

func convert(i isa.ISA, dst, luma, cb, cr []byte) {
	n := len(luma)
	if i == isa.Portable || n < turn {
		convertPortable(dst, luma, cb, cr)
		return
	}
	_, _, _ = dst[3*n-1], cb[n-1], cr[n-1]
	convertAVX2(&dst[0], &luma[0], &cb[0], &cr[0], n)
}

func decode(i isa.ISA, r *reader, units []unit, first, mcus int) bool {
	if i == isa.Portable {
		return r.decode(units, first, mcus)
	}
	for j := range units {
		u := &units[j]
		_ = u.coefs[(first+mcus-1)*u.step+63]
	}
	_ = r.data[r.end+slack-1]
	return decodeAVX2(r, &units[0], len(units), first, mcus)
}

func skip(i isa.ISA, r *reader, units []unit, mcus int) bool {
	if i == isa.Portable {
		return r.skip(units, mcus)
	}
	_ = r.data[r.end+slack-1]
	return skipAVX2(r, &units[0], len(units), mcus)
}

// tameLow is the highest of the lowest bits of a band whose values fit 16 bits.
const tameLow = 4

func readBands(i isa.ISA, b *bandReader, coefs []int16, set []uint64) bool {
	if i == isa.Portable || !b.refines && b.low > tameLow {
		return b.read(coefs, set)
	}
	_ = b.data[b.end+slack-1]
	for len(set) > 0 {
		_ = coefs[64*len(set)-1]
		done := 0
		if b.refines {
			done = moreAVX2(b, &coefs[0], &set[0], len(set))
		} else {
			done = firstAVX2(b, &coefs[0], &set[0], len(set))
		}
		if done == len(set) {
			break
		}
		// Portable code reads the block that is left out.
		if !b.read(coefs[64*done:][:64], set[done:][:1]) {
			return false
		}
		coefs, set = coefs[64*(done+1):], set[done+1:]
	}
	return true
}
