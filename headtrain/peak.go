package headtrain

import (
	"sync"
	"time"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/rng"
)

// PeakFLOPS measures how many floating-point operations a second some threads do if
// they do nothing but fused multiply-adds on registers: no training can be quicker than
// that. It returns the best of a few tries and takes some 100 ms.
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

// PeakRead measures how many bytes of features a second some threads read if they take the rows of d in a random order and do nothing but add them up: no epoch over d
// can be quicker than that. It returns the best of a few tries.
func PeakRead(d *Dataset, threads int) float64 {
	const tries = 5
	isa, n := kernel.Best(), d.Rows()
	order := make([]int32, n)
	for r := range order {
		order[r] = int32(r)
	}
	random := rng.New(0, 1)
	random.Shuffle(order)
	best := 0.0
	for range tries {
		var g sync.WaitGroup
		start := time.Now()
		for t := range threads {
			g.Go(func() { readRows(isa, d, order[t*n/threads:(t+1)*n/threads]) })
		}
		g.Wait()
		best = max(best, 4*float64(n*d.Dim)/time.Since(start).Seconds())
	}
	return best
}

// readRows adds rows up, and fetches each into the cache a few turns ahead.
func readRows(isa kernel.ISA, d *Dataset, rows []int32) {
	const ahead = 4
	whole := d.Dim / kernel.Lane * kernel.Lane
	sum := make([]float32, whole)
	for i, r := range rows {
		isa.Prefetch(d.Row(int(rows[min(i+ahead, len(rows)-1)])))
		isa.Sum(sum, d.Row(int(r))[:whole], 0, 1, false)
	}
}
