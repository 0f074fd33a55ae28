package team

import (
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestTeamDoesEachItemOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, size := range []int{1, 2, 5} {
		team := New(size)
		for items := range 200 {
			done := make([]atomic.Int32, items)
			team.Run(1+items%7, items, func(worker, item int) {
				if worker < 0 || worker >= size {
					t.Errorf("worker %d of %d", worker, size)
				}
				done[item].Add(1)
			})
			for i := range done {
				if n := done[i].Load(); n != 1 {
					t.Fatalf("team of %d: item %d of %d was done %d times", size, i, items, n)
				}
			}
		}
		team.Close()
	}
}

// Two items that wait for each other end only if two goroutines run them.
func TestTeamWorksTogether(t *testing.T) {
	team := New(2)
	defer team.Close()
	met := make(chan struct{})
	seen := [2]int{}
	team.Run(2, 2, func(worker, item int) {
		seen[item] = worker
		select {
		case met <- struct{}{}:
		case <-met:
		}
	})
	if seen[0] == seen[1] {
		t.Errorf("worker %d did both items", seen[0])
	}
}
