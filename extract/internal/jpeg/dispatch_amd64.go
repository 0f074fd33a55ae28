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

func idctAssembly(dst *byte, stride int, coefs *int16, quant *uint16, pairs int) {
	idctAVX2(dst, stride, coefs, quant, pairs)
}

func blendAssembly(dst, near, far *byte, n, bias int) { blendAVX2(dst, near, far, n, bias) }

func weighAssembly(dst *int16, near, far *byte, n int) { weighAVX2(dst, near, far, n) }

func spreadAssembly(dst *byte, sums *int16, n, even, odd int) { spreadAVX2(dst, sums, n, even, odd) }

func convertAssembly(dst, luma, cb, cr *byte, n int) { convertAVX2(dst, luma, cb, cr, n) }

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
