package resnet

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"icebox/extract/internal/isa"
	"icebox/extract/internal/kernel"
)

func TestSingleEqualsForward(t *testing.T) {
	eachNet(t, func(t *testing.T, n *Net) {
		want := [][]float32{forward(n, recipeImage(0)), forward(n, recipeImage(1))}
		sizes := []int{1, 2, 3, 16}
		if n.isa == isa.Portable {
			sizes, want = []int{3}, want[:1]
		}
		for _, threads := range sizes {
			s := n.NewSingle(threads)
			got := make([]float32, Dim)
			for i := range want {
				s.Forward(got, recipeImage(i))
				if d := cmp.Diff(want[i], got); d != "" {
					t.Errorf("%d threads, image %d: %s", threads, i, d)
				}
			}
			s.Close()
		}
	})
}

func TestSingleAllocatesNothing(t *testing.T) {
	s := netOf(t, isa.Best(kernel.Available()), Compact).NewSingle(2)
	defer s.Close()
	feature, pixels := make([]float32, Dim), recipeImage(0)
	if n := testing.AllocsPerRun(5, func() { s.Forward(feature, pixels) }); n > 0 {
		t.Errorf("%v allocations an image", n)
	}
}

func TestCompactTakesLessThanAThirdOfTheMemory(t *testing.T) {
	size := func(n *Net) (bytes int) {
		for i := range n.blocks {
			for _, c := range []*conv{&n.blocks[i].conv1, &n.blocks[i].conv2} {
				bytes += 4*len(c.weights.data) + 2*len(c.weights.narrow)
			}
		}
		return bytes
	}
	full, compact := size(netOf(t, isa.Best(kernel.Available()), Winograd)), size(netOf(t, isa.Best(kernel.Available()), Compact))
	if 3*compact >= full {
		t.Errorf("%d bytes, the other plan %d", compact, full)
	}
}

func TestWeightsThatHalvesCannotHoldStayFloats(t *testing.T) {
	for _, c := range []struct {
		most float32
		want bool
	}{{0.1, true}, {3000, true}, {5000, false}, {0.001, false}} {
		f := &filters{weights: []float32{0, -c.most / 2, 1e-9, 0}, scale: []float64{1, 2}, in: 2, out: 2, taps: 1}
		f.weights[3] = c.most / 2
		if got := f.fitsHalf(); got != c.want {
			t.Errorf("largest %v: %v", c.most, got)
		}
	}
}

func TestProfileCountsEveryLayer(t *testing.T) {
	n := netOf(t, isa.Best(kernel.Available()), Compact)
	s := n.NewSingle(2)
	defer s.Close()
	feature := make([]float32, Dim)
	for name, spent := range map[string][]time.Duration{
		"Net":    n.Profile(n.NewWorkspace(), feature, recipeImage(0), 1),
		"Single": s.Profile(feature, recipeImage(0)),
	} {
		if len(spent) != len(n.Layers()) {
			t.Fatalf("%s: %d times of %d layers", name, len(spent), len(n.Layers()))
		}
		for i, l := range n.Layers() {
			if spent[i] <= 0 {
				t.Errorf("%s: %s took %v", name, l.Name, spent[i])
			}
		}
	}
	var direct, done int64
	for _, l := range n.Layers() {
		direct, done = direct+l.Direct, done+l.Done
	}
	if direct != 1_813_561_344 || done >= direct/2 { // torchvision's ResNet-18 without fc
		t.Errorf("%d multiplications, %d done", direct, done)
	}
}

func TestTeamDoesEachItemOnce(t *testing.T) {
	for _, size := range []int{1, 2, 5} {
		team := newTeam(size)
		for task := range 2000 {
			items := 1 + task%7
			var mu sync.Mutex
			done := make([]int, items)
			team.run(items, func(worker, item int) {
				if worker < 0 || worker >= size {
					t.Errorf("worker %d of %d", worker, size)
				}
				mu.Lock()
				done[item]++
				mu.Unlock()
			})
			for item, n := range done {
				if n != 1 {
					t.Fatalf("size %d, task %d: item %d done %d times", size, task, item, n)
				}
			}
		}
		team.close()
	}
}

// A task must find workers that sleep: each of its items waits for all others.
func TestTeamWakesSleepers(t *testing.T) {
	const size = 3
	team := newTeam(size)
	defer team.close()
	for range 3 {
		for _, w := range team.workers {
			for !w.asleep.Load() {
				runtime.Gosched()
			}
		}
		var all sync.WaitGroup
		all.Add(size)
		team.run(size, func(int, int) {
			all.Done()
			all.Wait()
		})
	}
}

func TestTeamEndsItsGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		newTeam(4).close()
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(time.Millisecond)
	}
}

func BenchmarkSingle(b *testing.B) {
	for _, on := range kernel.Available() {
		n := netOf(b, on, Compact)
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", on, threads), func(b *testing.B) {
				s := n.NewSingle(threads)
				defer s.Close()
				feature, pixels := make([]float32, Dim), recipeImage(0)
				for b.Loop() {
					s.Forward(feature, pixels)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}
