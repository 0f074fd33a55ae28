package headtrain

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"

	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
)

// rowsOf returns n training rows of dimension d, without features: rows 0 to n-1.
func rowsOf(n, d int) *labelled.Set {
	s := &labelled.Set{Matrix: &labelled.Matrix{Dim: d}, Rows: make([]int32, n)}
	for i := range s.Rows {
		s.Rows[i] = int32(i)
	}
	return s
}

func epochOf(o Options, s *labelled.Set, epoch int) []int32 {
	r := newOrder(o, s)
	r.shuffle(epoch)
	return r.rows
}

func TestOrderIsAPermutationOfItsOwnEachEpoch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, shuffle := range []Shuffle{ShuffleRows, ShuffleBlocks} {
		for _, n := range []int{1, 2, 7, 1000, 16_384, 16_385, 16_447, 33_000, 100_001} {
			s := rowsOf(n, 512)
			for i := range s.Rows {
				s.Rows[i] = s.Rows[i]*3 + int32(r.IntN(3)) // a part's rows have gaps
			}
			o := Options{Seed: r.Uint64(), Shuffle: shuffle}
			reused := newOrder(o, s)
			var before []int32
			for epoch := 1; epoch <= 3; epoch++ {
				reused.shuffle(epoch)
				if !slices.Equal(reused.rows, epochOf(o, s, epoch)) {
					t.Fatalf("%s, %d rows: the order depends on the epochs before", shuffle, n)
				}
				if n > 100 && (slices.Equal(reused.rows, before) || slices.Equal(reused.rows, epochOf(Options{Seed: o.Seed + 1, Shuffle: shuffle}, s, epoch))) {
					t.Fatalf("%s, %d rows: another epoch or another seed has the same order", shuffle, n)
				}
				before = slices.Clone(reused.rows)
				if sorted := slices.Sorted(slices.Values(before)); !slices.Equal(sorted, s.Rows) {
					t.Fatalf("%s, %d rows: epoch %d is not each row once", shuffle, n, epoch)
				}
			}
		}
	}
}

// Each window is of whole blocks, no more than windowBlocks of them, one from each
// stretch of the rows.
func TestWindowsAreBoundedSamples(t *testing.T) {
	for _, c := range []struct{ n, d int }{{100_001, 512}, {50_000, 512}, {16_385, 512}, {40_000, 2048}, {2900, 1 << 16}} {
		o := newOrder(Options{Seed: 5, Shuffle: ShuffleBlocks}, rowsOf(c.n, c.d))
		o.shuffle(2)
		most := windowBlocks * o.block
		at := 0
		for w := range o.windows {
			size := 0
			for block := range o.blocksOf(w) {
				size += len(block)
			}
			if size > most || size == 0 {
				t.Errorf("%v: window %d has %d rows, at most %d", c, w, size, most)
			}
			rows := slices.Sorted(slices.Values(o.rows[at : at+size]))
			for block := range o.blocksOf(w) {
				if !slices.Equal(rows[:len(block)], block) {
					t.Fatalf("%v: window %d is not made of blocks", c, w)
				}
				rows = rows[len(block):]
			}
			at += size
		}
		if at != c.n || o.windows < 2 {
			t.Errorf("%v: %d windows of %d rows", c, o.windows, at)
		}
		// Rows sorted by class: with ten classes each window has a tenth of each, but
		// for a block or two at either border.
		for w := range o.windows {
			perClass, all := make([]int, 10), 0
			for block := range o.blocksOf(w) {
				perClass[int(block[0])*10/c.n]++
				all++
			}
			if least, most := slices.Min(perClass), slices.Max(perClass); least < all/10-2 || most > all/10+2 {
				t.Errorf("%v: window %d has %v blocks of the classes", c, w, perClass)
			}
		}
	}
}

// The order is part of what a seed means: these are the values of today.
func TestBlockOrderIsPinned(t *testing.T) {
	order := epochOf(Options{Seed: 42, Shuffle: ShuffleBlocks}, rowsOf(100_000, 512), 3)
	h := fnv.New64a()
	for _, r := range order {
		h.Write([]byte{byte(r), byte(r >> 8), byte(r >> 16)})
	}
	if got := fmt.Sprint(order[:4], order[99_996:], h.Sum64()); got != "[7389 92289 34946 85503] [19104 72508 4419 23063] 3500407349443502657" {
		t.Errorf("seed 42, epoch 3: %s", got)
	}
}

// blocksJob has rows for more than one window.
func blocksJob(heads int) Job {
	job := Job{Train: clusters(2500, 4000, 3, 1), Val: clusters(30, 4000, 3, 2), Heads: mixed(heads)}
	for i := range job.Heads {
		job.Heads[i].Shuffle = ShuffleBlocks
	}
	return job
}

func TestBlocksTrainTheSameHeadAtAnyThreadCountAndInAStack(t *testing.T) {
	job := blocksJob(5)
	if w := newOrder(Options{Shuffle: ShuffleBlocks}, setOf(job.Train, InputNone, nil)).windows; w < 2 {
		t.Fatalf("%d windows", w)
	}
	together, err := New().Fit(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range job.Heads {
		for threads := 1; threads <= 3; threads++ {
			o.Threads = threads
			if alone := fitOne(t, Job{Train: job.Train, Val: job.Val}, o); !sameHead(alone.Head, together[i].Head) {
				t.Errorf("head %d alone on %d threads differs from the same head in a stack", i, threads)
			}
		}
		o.Shuffle = ShuffleRows
		if alone := fitOne(t, Job{Train: job.Train, Val: job.Val}, o); sameHead(alone.Head, together[i].Head) {
			t.Errorf("head %d saw its rows in the same order either way", i)
		}
	}
	job.Heads = append(job.Heads, Options{BatchSize: 96})
	if n := len(job.stacks()); n != 2 {
		t.Errorf("heads of two orders are in %d stacks", n)
	}
}

func TestBlockEpochDoesNotAllocate(t *testing.T) {
	s := newTestStack(t, kernel.Best(), blocksJob(1))
	epoch := 0
	if n := testing.AllocsPerRun(3, func() { epoch++; s.order.shuffle(epoch) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Nothing that is said of a dataset for speed changes a head.
func TestHintsChangeNoHead(t *testing.T) {
	job := blocksJob(2)
	want, err := New().Fit(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	hinted := *job.Train
	hinted.Finite, hinted.Paged = true, true
	job.Train = &hinted
	got, err := New().Fit(context.Background(), job)
	if err != nil || !sameHead(want[0].Head, got[0].Head) || !sameHead(want[1].Head, got[1].Head) {
		t.Errorf("the head differs (error %v)", err)
	}
}

// The orders of today must be reproducible for ever.
func TestOrderOfToday(t *testing.T) {
	for _, shuffle := range []Shuffle{ShuffleRows, ShuffleBlocks} {
		order := epochOf(Options{Seed: 42, Shuffle: shuffle}, rowsOf(8, 2), 3)
		if want := []int32{1, 6, 0, 3, 4, 7, 5, 2}; !slices.Equal(order, want) {
			t.Errorf("seed 42 shuffles epoch 3 by %s to %v, want %v", shuffle, order, want)
		}
	}
}
