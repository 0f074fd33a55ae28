package judge

import (
	"context"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/parallel"
)

// Baseline is what a method with nothing to tune gets right. A trained head
// that does not beat it was not worth training, or not trained well.
type Baseline struct {
	Name     string  `json:"name"`
	Accuracy float64 `json:"accuracy"`
	Rows     int     `json:"rows"` // judged; fewer than there are where all would take too long
	RowsOf   int     `json:"rows_of"`
	Learned  int     `json:"learned"` // rows of the training set that it knows; likewise
	// LearnedOf is how many it might have known.
	LearnedOf int     `json:"learned_of"`
	Head      float64 `json:"head"` // accuracy of the trained head on these rows
	// OnlyIt and OnlyHead count the rows that one gets right and the other not.
	OnlyIt   int `json:"only_it"`
	OnlyHead int `json:"only_head"`
}

// Beaten reports whether the head is better.
func (b *Baseline) Beaten() bool { return b.OnlyHead > b.OnlyIt }

// ByChance reports whether the difference between it and the head is within
// two standard deviations of what rows chosen anew would show (McNemar).
func (b *Baseline) ByChance() bool {
	off := float64(b.OnlyHead - b.OnlyIt)
	return off*off <= 4*float64(b.OnlyHead+b.OnlyIt)
}

// Nearest begins the names of the baselines that ask the nearest rows.
const Nearest = "nearest"

// knnVotes are the numbers of neighbours that vote.
var knnVotes = []int{1, 5, 20}

// effort keeps baselines within seconds on two cores. It counts
// multiplications, not time: the same rows are judged on every machine.
type effort struct {
	ridge, nearest float64
	// queries are judged by nearest rows before those are sampled: fewer queries
	// make a number less sure, fewer rows make it another one. The rows are
	// copied, so this bounds memory too.
	queries int
}

// usualEffort samples nothing up to 1.5 million training rows of 512 features
// for the ridge, and 50,000 for 5,000 queries of their nearest: 0.26 TFLOP,
// where two cores do some 0.13 a second.
var usualEffort = effort{ridge: 2e11, nearest: 1.3e11, queries: 4000}

// ridgePenalties are tried, in shares of the number of features; without
// validation it is their number, which is seldom far from the best.
var ridgePenalties = []float64{0.3, 3}

// Baselines judges on the labelled rows of test: the most frequent class of
// train, the votes of the nearest 1, 5 and 20 rows of train by cosine, and a
// ridge regression, whose penalty val chooses unless it is nil. Each is
// compared with head on the same rows. Of very many rows some of them see a
// sample; see Baseline.Learned and Baseline.Rows.
func Baselines(ctx context.Context, train, val, test *headtrain.Dataset, head *headtrain.Head) ([]Baseline, error) {
	return usualEffort.baselines(ctx, train, val, test, head)
}

func (e effort) baselines(ctx context.Context, train, val, test *headtrain.Dataset, head *headtrain.Head) ([]Baseline, error) {
	if err := (headtrain.Job{Train: train, Val: test, Heads: []headtrain.Options{{}}}).Validate(); err != nil {
		return nil, err
	}
	c := &comparison{effort: e, train: labelled.Of((*labelled.Matrix)(train)), test: labelled.Of((*labelled.Matrix)(test))}
	var err error
	if c.head, err = classify(ctx, head, c.test.X); err != nil {
		return nil, err
	}
	counts := c.train.Counts()
	majority := slices.Index(counts, slices.Max(counts))
	c.add("majority class", c.test.Rows, len(c.train.Rows), func(int) int { return majority })
	if err := c.addNeighbours(ctx); err != nil {
		return nil, err
	}
	err = c.addRidge(ctx, val)
	return c.found, err
}

// comparison holds baselines against a head.
type comparison struct {
	effort
	train, test *labelled.Set
	head        []int // its answers, by row of test
	found       []Baseline
}

// classify returns the classes that h gives the rows of x, on all processors.
func classify(ctx context.Context, h *headtrain.Head, x []float32) ([]int, error) {
	const share = 1024
	k, d := len(h.Classes), h.Dim
	out := make([]int, len(x)/d)
	err := parallel.Shares(ctx, len(out), share, func(_ context.Context, lo, hi int) error {
		logits := make([]float32, (hi-lo)*k)
		h.Logits(logits, x[lo*d:hi*d], hi-lo)
		for r := lo; r < hi; r++ {
			z := logits[(r-lo)*k : (r-lo+1)*k]
			out[r] = slices.Index(z, slices.Max(z))
		}
		return nil
	})
	return out, err
}

// add judges the answers on rows of a method that knows so many.
func (c *comparison) add(name string, rows []int32, learned int, answer func(i int) int) {
	b := Baseline{Name: name, Rows: len(rows), RowsOf: len(c.test.Rows), Learned: learned, LearnedOf: len(c.train.Rows)}
	right, headRight := 0, 0
	for i, r := range rows {
		y := int(c.test.Labels[r])
		it, head := answer(i) == y, c.head[r] == y
		if it {
			right++
		}
		if head {
			headRight++
		}
		if it && !head {
			b.OnlyIt++
		}
		if head && !it {
			b.OnlyHead++
		}
	}
	b.Accuracy, b.Head = ratio(right, len(rows)), ratio(headRight, len(rows))
	c.found = append(c.found, b)
}

func (c *comparison) addNeighbours(ctx context.Context) error {
	pairs := c.nearest / float64(c.train.Dim)
	learned := labelled.Sample(c.train.Rows, int(max(1, pairs/float64(c.queries))))
	rows := labelled.Sample(c.test.Rows, int(max(1, pairs/float64(len(learned)))))
	bank, queries := c.train.Gather(learned), c.test.Gather(rows)
	found, err := neighbours(ctx, bank, queries, slices.Max(knnVotes))
	if err != nil {
		return err
	}
	for _, k := range knnVotes {
		name := fmt.Sprintf("%s %d images", Nearest, k)
		if k == 1 {
			name = Nearest + " image"
		}
		c.add(name, rows, len(learned), func(i int) int { return vote(found[i], k, bank.Labels, len(bank.Classes)) })
	}
	return nil
}

func (c *comparison) addRidge(ctx context.Context, val *headtrain.Dataset) error {
	shares := ridgePenalties
	if val == nil {
		shares = []float64{1}
	}
	d := float64(c.train.Dim)
	penalties := make([]float64, len(shares))
	for i, share := range shares {
		penalties[i] = share * d
	}
	learned := labelled.Sample(c.train.Rows, int(max(1, c.ridge/(d*d/2))))
	heads, err := fitRidge(ctx, labelled.Among(c.train.Matrix, learned), penalties)
	if err != nil {
		return err
	}
	best, most := 0, -1
	for i := 0; i < len(heads) && len(heads) > 1; i++ {
		given, err := classify(ctx, heads[i], val.X)
		if err != nil {
			return err
		}
		right := 0
		for r, y := range given {
			if int32(y) == val.Labels[r] {
				right++
			}
		}
		if right > most {
			best, most = i, right
		}
	}
	given, err := classify(ctx, heads[best], c.test.X)
	if err != nil {
		return err
	}
	c.add("ridge regression", c.test.Rows, len(learned), func(i int) int { return given[c.test.Rows[i]] })
	return nil
}
