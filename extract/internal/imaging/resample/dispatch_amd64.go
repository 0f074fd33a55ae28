//go:build !purego

package resample

import "golang.org/x/sys/cpu"

// Available returns the implementations that this machine runs, slowest first.
func Available() []ISA {
	all := []ISA{Portable}
	x := &cpu.X86
	if x.HasAVX2 {
		all = append(all, AVX2)
		if x.HasAVX512F && x.HasAVX512VL && x.HasAVX512VNNI {
			all = append(all, AVX512)
		}
	}
	return all
}

func (i ISA) along(dst, src []byte, stride int, f *Filter) {
	if i == Portable {
		alongPortable(dst, src, stride, f)
		return
	}
	a := alongArgs{
		dst: &dst[0], src: &src[0], starts: &f.starts[0], pairs: &f.pairs[0],
		dstStride: f.LineStride(), srcStride: stride,
		couples: f.outputs / 2, groups: f.taps / group,
	}
	if i == AVX512 {
		alongAVX512(&a)
	} else {
		alongAVX2(&a)
	}
}

func (i ISA) across(dst, src []byte, at []int, weights []Pair) {
	if i == Portable {
		acrossPortable(dst, src, at, weights)
		return
	}
	a := acrossArgs{
		dst: &dst[0], src: &src[0], at: &at[0], pairs: &weights[0],
		blocks: len(dst) / Block, count: len(weights),
	}
	if i == AVX512 {
		acrossAVX512(&a)
	} else {
		acrossAVX2(&a)
	}
}
