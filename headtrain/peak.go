package headtrain

import (
	"sync"
	"time"

	"icebox/headtrain/internal/kernel"
)

// PeakFLOPS measures how many floating-point operations a second so many
// threads do when they do nothing but fused multiply-adds on registers, the best
// of a few tries: what training can be held against. It takes some 100 ms.
func PeakFLOPS(threads int) float64 {
	const tries, wanted = 5, 20 * time.Millisecond
	isa := kernel.Best()
	rounds := 1000
	for start := time.Now(); ; start = time.Now() {
		isa.Peak(rounds)
		if took := time.Since(start); took > wanted/4 {
			rounds = int(float64(rounds) * float64(wanted) / float64(took))
			break
		}
		rounds *= 4
	}
	best := 0.0
	for range tries {
		best = max(best, peakOnce(isa, threads, rounds))
	}
	return best
}

func peakOnce(isa kernel.ISA, threads, rounds int) float64 {
	var g sync.WaitGroup
	flops := make([]float64, threads)
	start := time.Now()
	for i := range threads {
		g.Go(func() { flops[i] = isa.Peak(rounds) })
	}
	g.Wait()
	seconds := time.Since(start).Seconds()
	sum := 0.0
	for _, n := range flops {
		sum += n
	}
	return sum / seconds
}
