package sweep

import (
	"fmt"
	"slices"
	"testing"

	"icebox/headtrain"
)

func paceOf(rows, dim, classes int, stacked bool) *pace {
	d := &headtrain.Dataset{Dim: dim, Labels: make([]int32, rows)}
	for c := range classes {
		d.Classes = append(d.Classes, fmt.Sprint(c))
	}
	return newPace(d, stacked, 0)
}

func TestFirstBatchOfHeadsIsSmall(t *testing.T) {
	for _, c := range []struct {
		rows, classes, epochs int
		stacked               bool
		want                  int
	}{
		{100, 3, 5, true, mostHeads}, {4500, 10, 60, true, 16}, {4500, 10, 30, true, 24}, {50_000, 10, 1, true, 65},
		{10_000_000, 10, 100, true, 16}, {1_000_000, 1000, 100, true, 1}, {10_000_000, 10, 100, false, 1},
	} {
		todo := slices.Repeat([]headCost{{256, c.epochs, 1}}, 10_000)
		if got := paceOf(c.rows, 512, c.classes, c.stacked).take(todo); got != c.want {
			t.Errorf("%+v: %d heads", c, got)
		}
	}
}

// TestBatchesOfHeadsTakeTheirTime trains on a machine that is not what was assumed,
// slower for small batches of rows, and busy for a while.
func TestBatchesOfHeadsTakeTheirTime(t *testing.T) {
	speed := map[int]float64{16: 1e10, 256: 1.5e11, 1024: 2e11}
	var todo []headCost
	for range 60 { // as a sweep lists them: by batch size for each seed
		for _, size := range []int{16, 256, 1024} {
			todo = append(todo, slices.Repeat([]headCost{{size, 30, 1}, {size, 60, 0.5}}, 50)...)
		}
	}
	p := paceOf(1000, 512, 10, true)
	for n := 0; len(todo) > 0; n++ {
		batch := todo[:p.take(todo)]
		seconds := 0.0
		for _, c := range batch {
			seconds += p.flops * float64(c.epochs) * c.fraction / speed[c.batchSize]
		}
		if n == 20 {
			seconds *= 2 // and so long until the next is chosen
		}
		if todo = todo[len(batch):]; len(todo) == 0 {
			break
		}
		if seconds > 11 || n > 6 && n != 20 && (seconds < 1 || seconds > 5.1) {
			t.Errorf("batch %d: %d heads took %.1f s", n, len(batch), seconds)
		}
		p.took(batch, 1, seconds)
	}
}

func TestHeadsThatStopEarlyDoNotMakeOthersFaster(t *testing.T) {
	p, todo := paceOf(4500, 512, 10, true), slices.Repeat([]headCost{{256, 100, 1}}, 5000)
	first := p.take(todo)
	p.took(todo[:first], 0.02, 0.02*batchSeconds) // two epochs of a hundred
	again := p.take(todo)
	if again > 2*first {
		t.Errorf("%d heads, then %d", first, again)
	}
	p.took(todo[:again], 0, 1) // all diverged in the first epoch
	if got := p.take(todo); got != again {
		t.Errorf("%d heads after %d that diverged", got, again)
	}
}
