//go:build !purego

package jpeg

import "icebox/extract/internal/isa"

// available returns the implementations that this machine runs, slowest first. Every arm64
// processor has NEON.
func available() []isa.ISA { return []isa.ISA{isa.Portable, isa.NEON} }

func idctAssembly(dst *byte, stride int, coefs *int16, quant *uint16, pairs int) {
	idctNEON(dst, stride, coefs, quant, 2*pairs)
}

func blendAssembly(dst, near, far *byte, n, bias int) { blendNEON(dst, near, far, n, bias) }

func weighAssembly(dst *int16, near, far *byte, n int) { weighNEON(dst, near, far, n) }

func spreadAssembly(dst *byte, sums *int16, n, even, odd int) { spreadNEON(dst, sums, n, even, odd) }

func convertAssembly(dst, luma, cb, cr *byte, n int) { convertNEON(dst, luma, cb, cr, n) }

func decode(_ isa.ISA, r *reader, units []unit, first, mcus int) bool {
	return r.decode(units, first, mcus)
}

func skip(_ isa.ISA, r *reader, units []unit, mcus int) bool { return r.skip(units, mcus) }

func readBands(_ isa.ISA, b *bandReader, coefs []int16, set []uint64) bool { return b.read(coefs, set) }
