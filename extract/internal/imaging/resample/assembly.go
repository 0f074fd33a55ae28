//go:build (amd64 || arm64) && !purego

package resample

import "icebox/extract/internal/isa"

func along(i isa.ISA, dst, src []byte, stride int, f *Filter) {
	if i == isa.Portable {
		alongPortable(dst, src, stride, f)
		return
	}
	a := alongArgs{
		dst: &dst[0], src: &src[0], starts: &f.starts[0], pairs: &f.pairs[0],
		dstStride: f.LineStride(), srcStride: stride,
		couples: f.outputs / 2, groups: f.taps / group,
	}
	alongAssembly(i, &a)
}

func across(i isa.ISA, dst, src []byte, at []int, weights []Pair) {
	if i == isa.Portable {
		acrossPortable(dst, src, at, weights)
		return
	}
	a := acrossArgs{
		dst: &dst[0], src: &src[0], at: &at[0], pairs: &weights[0],
		blocks: len(dst) / Block, count: len(weights),
	}
	acrossAssembly(i, &a)
}
