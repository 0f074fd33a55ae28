package kernel

import "time"

// Peak measures how many floating-point operations a second one core does when it
// does nothing but multiply-adds, 0 for Portable. It takes some 30 ms.
func (i ISA) Peak() float64 {
	const steps = 100_000
	best := 0.0
	for begin := time.Now(); time.Since(begin) < 30*time.Millisecond; {
		start := time.Now()
		flops := i.fma(steps)
		if flops == 0 {
			return 0
		}
		best = max(best, float64(flops)/time.Since(start).Seconds())
	}
	return best
}
