//go:build (amd64 || arm64) && !purego

package jpeg

import "icebox/extract/internal/isa"

// turn is the number of samples that a loop over a row does at once; shorter
// rows are left to portable code.
const turn = 16

func idct(i isa.ISA, dst []byte, stride int, coefs []int16, quant *[64]uint16, pairs int) {
	if i == isa.Portable {
		idctPortable(dst, stride, coefs, quant, pairs)
		return
	}
	_, _ = dst[7*stride+16*pairs-1], coefs[128*pairs-1]
	idctAssembly(&dst[0], stride, &coefs[0], &quant[0], pairs)
}

func blend(i isa.ISA, dst, near, far []byte, bias int) {
	n := len(dst)
	if i == isa.Portable || n < turn {
		blendPortable(dst, near, far, bias)
		return
	}
	_, _ = near[n-1], far[n-1]
	blendAssembly(&dst[0], &near[0], &far[0], n, bias)
}

func weigh(i isa.ISA, dst []int16, near, far []byte) {
	n := len(dst)
	if i == isa.Portable || n < turn {
		weighPortable(dst, near, far)
		return
	}
	_, _ = near[n-1], far[n-1]
	weighAssembly(&dst[0], &near[0], &far[0], n)
}

func spread(i isa.ISA, dst []byte, sums []int16, even, odd int) {
	n := len(dst) / 2
	if i == isa.Portable || n < turn {
		spreadPortable(dst, sums, even, odd)
		return
	}
	_ = sums[n+1]
	spreadAssembly(&dst[0], &sums[0], n, even, odd)
}

func convert(i isa.ISA, dst, luma, cb, cr []byte) {
	n := len(luma)
	if i == isa.Portable || n < turn {
		convertPortable(dst, luma, cb, cr)
		return
	}
	_, _, _ = dst[3*n-1], cb[n-1], cr[n-1]
	convertAssembly(&dst[0], &luma[0], &cb[0], &cr[0], n)
}
