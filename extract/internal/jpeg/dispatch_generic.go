//go:build (!amd64 && !arm64) || purego

package jpeg

import "icebox/extract/internal/isa"

// available returns the implementations that this machine runs, slowest first.
func available() []isa.ISA { return []isa.ISA{isa.Portable} }

func idct(_ isa.ISA, dst []byte, stride int, coefs []int16, quant *[64]uint16, pairs int) {
	idctPortable(dst, stride, coefs, quant, pairs)
}

func blend(_ isa.ISA, dst, near, far []byte, bias int)          { blendPortable(dst, near, far, bias) }
func weigh(_ isa.ISA, dst []int16, near, far []byte)            { weighPortable(dst, near, far) }
func spread(_ isa.ISA, dst []byte, sums []int16, even, odd int) { spreadPortable(dst, sums, even, odd) }
func convert(_ isa.ISA, dst, luma, cb, cr []byte)               { convertPortable(dst, luma, cb, cr) }

func decode(_ isa.ISA, r *reader, units []unit, first, mcus int) bool {
	return r.decode(units, first, mcus)
}

func skip(_ isa.ISA, r *reader, units []unit, mcus int) bool { return r.skip(units, mcus) }

func readBands(_ isa.ISA, b *bandReader, coefs []int16, set []uint64) bool { return b.read(coefs, set) }
