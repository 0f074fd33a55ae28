//go:build !purego

package resample

import (
	"golang.org/x/sys/cpu"

	"icebox/extract/internal/isa"
)

// Available returns the implementations that this machine runs, slowest first.
func Available() []isa.ISA {
	all := []isa.ISA{isa.Portable}
	x := &cpu.X86
	if x.HasAVX2 {
		all = append(all, isa.AVX2)
		if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512VNNI {
			all = append(all, isa.AVX512)
		}
	}
	return all
}

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
	if i == isa.AVX512 {
		alongAVX512(&a)
	} else {
		alongAVX2(&a)
	}
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
	if i == isa.AVX512 {
		acrossAVX512(&a)
	} else {
		acrossAVX2(&a)
	}
}
