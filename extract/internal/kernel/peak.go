package kernel

import (
	"time"

	"icebox/extract/internal/isa"
)

// Peak measures how many floating-point operations a second one core does when it
// does nothing but multiply-adds, of floats or of numbers in bfloat16. It is 0 for Portable,
// and where i does not multiply bfloat16. It takes some 30 ms.
func Peak(i isa.ISA, bf16 bool) float64 {
	const steps = 100_000
	best := 0.0
	for begin := time.Now(); time.Since(begin) < 30*time.Millisecond; {
		start := time.Now()
		flops := fma(i, bf16, steps)
		if flops == 0 {
			return 0
		}
		best = max(best, float64(flops)/time.Since(start).Seconds())
	}
	return best
}
