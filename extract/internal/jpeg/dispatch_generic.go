//go:build !amd64 || purego

package jpeg

// available returns the implementations that this machine runs, slowest first.
func available() []ISA { return []ISA{Portable} }

func (ISA) idct(dst []byte, stride int, coefs []int16, quant *[64]uint16, pairs int) {
	idctPortable(dst, stride, coefs, quant, pairs)
}

func (ISA) blend(dst, near, far []byte, bias int)          { blendPortable(dst, near, far, bias) }
func (ISA) weigh(dst []int16, near, far []byte)            { weighPortable(dst, near, far) }
func (ISA) spread(dst []byte, sums []int16, even, odd int) { spreadPortable(dst, sums, even, odd) }
func (ISA) convert(dst, luma, cb, cr []byte)               { convertPortable(dst, luma, cb, cr) }

func (ISA) decode(r *reader, units []unit, first, mcus int) bool {
	return r.decode(units, first, mcus)
}

func (ISA) skip(r *reader, units []unit, mcus int) bool { return r.skip(units, mcus) }
