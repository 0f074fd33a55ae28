//go:build !amd64 || purego

package resample

// Available returns the implementations that this machine runs, slowest first.
func Available() []ISA { return []ISA{Portable} }

func (ISA) along(dst, src []byte, stride int, f *Filter) { alongPortable(dst, src, stride, f) }

func (ISA) across(dst, src []byte, at []int, weights []Pair) { acrossPortable(dst, src, at, weights) }
