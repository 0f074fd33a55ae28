package sweep

import (
	"cmp"
	"maps"
	"runtime"

	"icebox/headtrain"
)

// batchSeconds is what is trained between two writes of a sweep's log: a kill may
// lose twice that, if the machine got slower meanwhile.
const batchSeconds = 2.5

// leastColumns is the fewest columns of a batch of heads, a column being a class of
// a head: fewer leave the multiplier idle, 160 do 93 % of what 640 do. It wins over
// batchSeconds, so that many rows and many epochs make batches that take longer.
const leastColumns = 160

// mostHeads bounds the heads between two writes, whose weights are in memory.
const mostHeads = 4096

// assumedFlops are trained a second, as long as nothing is measured: less than two
// slow cores do, so that the first batch is rather too small.
const assumedFlops = 4e10

// pace chooses how many heads are trained between two writes of a sweep's log, from
// the time that earlier ones took. It has no influence on the heads.
type pace struct {
	flops float64         // of an epoch over all training rows
	least int             // heads
	most  int             // heads
	speed map[int]float64 // measured, in flops a second, by batch size
}

// headCost is what the time that a head takes depends on.
type headCost struct {
	batchSize int
	epochs    int     // the most there will be
	fraction  float64 // of the training rows
}

// newPace is for heads that learn from d, at most so many at a time (0: 4,096). Those of an engine that trains one after
// another gain nothing by being many.
func newPace(d *headtrain.Dataset, stacked bool, most int) *pace {
	k := len(d.Classes)
	p := &pace{flops: 6 * float64(d.Rows()) * float64(d.Dim) * float64(k), least: 1, most: cmp.Or(most, mostHeads), speed: map[int]float64{}}
	if stacked {
		p.least = (leastColumns + k - 1) / k
	}
	return p
}

// newPathPace is for the paths of heads in some folds, which run side by side.
func newPathPace(d *headtrain.Dataset, most int) *pace {
	p := newPace(d, false, most)
	p.least = runtime.GOMAXPROCS(0)
	return p
}

// speedOf is in flops a second. A batch size that was not tried yet is as slow as the
// slowest that was.
func (p *pace) speedOf(batchSize int) float64 {
	speed, ok := p.speed[batchSize]
	if !ok {
		speed = assumedFlops
		for _, s := range p.speed {
			speed = min(speed, s)
		}
	}
	return speed
}

// seconds is how long a head is expected to take at most.
func (p *pace) seconds(c headCost) float64 {
	return p.flops * float64(c.epochs) * c.fraction / p.speedOf(c.batchSize)
}

// take says how many of todo to train next, which is one at least.
func (p *pace) take(todo []headCost) int {
	sum := 0.0
	for n, c := range todo {
		sum += p.seconds(c)
		if n == p.most || n > 0 && n >= p.least && sum > batchSeconds {
			return n
		}
	}
	return len(todo)
}

// took notes how long a batch took, of whose epochs some share was run: heads that
// stop early do not make others faster.
func (p *pace) took(batch []headCost, share, seconds float64) {
	expected := 0.0
	for _, c := range batch {
		expected += share * p.seconds(c)
	}
	if expected == 0 || seconds <= 0 {
		return // every head diverged at once, or a clock that was set
	}
	measured := map[int]float64{}
	for _, c := range batch {
		measured[c.batchSize] = p.speedOf(c.batchSize) * expected / seconds
	}
	maps.Copy(p.speed, measured)
}
