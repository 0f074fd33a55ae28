package headtrain

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"icebox/headtrain/internal/testkit"
)

// computedAnew has logits never be kept, until the test ends.
func computedAnew(t *testing.T) {
	was := keptBytes
	keptBytes = 0
	t.Cleanup(func() { keptBytes = was })
}

// everyRow returns copies of all logits.
func everyRow(t *testing.T, l *Logits) [][]float32 {
	t.Helper()
	rows, err := EachRow(t.Context(), l, func(_ int, z []float32) []float32 { return slices.Clone(z) })
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Logits are those of Head.Logits, whether they are kept or computed anew, in every pass,
// and by a reader in any order.
func TestLogitsAreThoseOfTheHead(t *testing.T) {
	d := (*Dataset)(testkit.Clusters(2500, 24, 5, 3))
	heads := []*Head{randomHead(24, 5, 1), randomHead(24, 5, 2)}
	of := make([]int, d.Rows())
	for r := range of {
		of[r] = r%3 - 1 // a third are judged by nobody
	}
	want := make([][]float32, d.Rows())
	for r := range want {
		want[r] = make([]float32, 5)
		if of[r] >= 0 {
			heads[of[r]].Logits(want[r], d.Row(r), 1)
			for c := range want[r] {
				want[r][c] *= 0.3
			}
		}
	}
	check := func(t *testing.T, l *Logits) {
		l.Scale = 0.3
		for range 2 {
			for r, z := range everyRow(t, l) {
				if !testkit.SameBits(z, want[r]) {
					t.Fatalf("row %d has %v, want %v", r, z, want[r])
				}
			}
		}
		read := l.Reader()
		for _, r := range []int{0, 1, 1030, 1029, 2499, 3} {
			if z := read(r); !testkit.SameBits(z, want[r]) {
				t.Errorf("row %d is read as %v, want %v", r, z, want[r])
			}
		}
	}
	t.Run("kept", func(t *testing.T) {
		l := FoldedLogits(heads, of, d)
		check(t, l)
		if l.kept == nil {
			t.Error("few logits are not kept")
		}
	})
	t.Run("computed anew", func(t *testing.T) {
		computedAnew(t)
		l := FoldedLogits(heads, of, d)
		check(t, l)
		if l.kept != nil {
			t.Error("logits are kept")
		}
	})
	t.Run("given", func(t *testing.T) {
		for r, z := range everyRow(t, GivenLogits(slices.Concat(want...), 5)) {
			if !testkit.SameBits(z, want[r]) {
				t.Fatalf("row %d has %v, want %v", r, z, want[r])
			}
		}
	})
}

// A pass over many rows of many classes takes a block of logits for each processor, and
// not all of them.
func TestPassesTakeMemoryOfBlocks(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	computedAnew(t)
	const rows, classes, dim = 16_000, 1000, 8 // 64 MB of logits
	d := (*Dataset)(testkit.Clusters(rows, dim, classes, 1))
	l := NewLogits(randomHead(dim, classes, 1), d)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	largest, err := EachRow(t.Context(), l, func(_ int, z []float32) float32 { return slices.Max(z) })
	if err != nil || len(largest) != rows {
		t.Fatal(len(largest), err)
	}
	runtime.ReadMemStats(&after)
	const most = 16 << 20 // two blocks of 4 MiB
	if taken := after.TotalAlloc - before.TotalAlloc; l.kept != nil || taken > most {
		t.Errorf("a pass takes %d MiB, want at most %d; kept %v", taken>>20, most>>20, l.kept != nil)
	}
}

func TestPassesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := (*Dataset)(testkit.Clusters(50, 8, 3, 1))
	if _, err := EachRow(ctx, NewLogits(randomHead(8, 3, 1), d), func(int, []float32) int { return 0 }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// randomHead is a linear head with initial weights.
func randomHead(dim, classes int, seed uint64) *Head {
	l := initialLayers(Options{Seed: seed}.WithDefaults(), dim, classes)[0]
	return &Head{Classes: testkit.Names(classes), Dim: dim, W: l.W, B: l.B}
}
