package headtrain

import (
	"context"
	"fmt"
	"slices"
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

// NearestName begins the names of the baselines that ask the nearest rows.
const NearestName = "nearest"

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
func Baselines(ctx context.Context, train, val, test *Dataset, head *Head) ([]Baseline, error) {
	return usualEffort.baselines(ctx, train, val, test, head)
}

func (e effort) baselines(ctx context.Context, train, val, test *Dataset, head *Head) ([]Baseline, error) {
	if err := (Job{Train: train, Val: test, Heads: []Options{{}}}).Validate(); err != nil {
		return nil, err
	}
	c := &comparison{effort: e, train: train, test: test, learned: labelledRows(train), rows: labelledRows(test)}
	var err error
	if c.head, err = c.answers(ctx, head); err != nil {
		return nil, err
	}
	counts := newRowSet(train, InputNone, nil).counts()
	majority := slices.Index(counts, slices.Max(counts))
	c.add("majority class", c.rows, len(c.learned), func(int) int { return majority })
	if err := c.addNeighbours(ctx); err != nil {
		return nil, err
	}
	err = c.addRidge(ctx, val)
	return c.found, err
}

// comparison holds baselines against a head.
type comparison struct {
	effort
	train, test   *Dataset
	learned, rows []int // the labelled ones of train and of test
	head          []int // its answers, by row of test
	found         []Baseline
}

// answers returns a head's classes of all rows.
func (c *comparison) answers(ctx context.Context, h *Head) ([]int, error) {
	k := len(h.Classes)
	logits := make([]float32, c.test.Rows()*k)
	if err := h.logitsOnAll(ctx, logits, c.test.X); err != nil {
		return nil, err
	}
	out := make([]int, c.test.Rows())
	for r := range out {
		z := logits[r*k : (r+1)*k]
		out[r] = slices.Index(z, slices.Max(z))
	}
	return out, nil
}

// add judges the answers on rows of a method that knows so many.
func (c *comparison) add(name string, rows []int, learned int, answer func(i int) int) {
	b := Baseline{Name: name, Rows: len(rows), RowsOf: len(c.rows), Learned: learned, LearnedOf: len(c.learned)}
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
	learned := sample(c.learned, int(max(1, pairs/float64(c.queries))))
	rows := sample(c.rows, int(max(1, pairs/float64(len(learned)))))
	bank, queries := c.train.gather(learned), c.test.gather(rows)
	neighbours, err := Neighbours(ctx, bank, queries, slices.Max(knnVotes))
	if err != nil {
		return err
	}
	for _, k := range knnVotes {
		name := fmt.Sprintf("%s %d images", NearestName, k)
		if k == 1 {
			name = NearestName + " image"
		}
		c.add(name, rows, len(learned), func(i int) int { return Vote(neighbours[i], k, bank.Labels, len(bank.Classes)) })
	}
	return nil
}

// sample returns at most so many rows, always the same ones, in their order.
// They are drawn, for every n-th row may be of the same class.
func sample(rows []int, most int) []int {
	if len(rows) <= most {
		return rows
	}
	some, r := slices.Clone(rows), newRNG(0, 0)
	for i := range most {
		j := i + r.below(len(some)-i)
		some[i], some[j] = some[j], some[i]
	}
	some = some[:most]
	slices.Sort(some)
	return some
}

func labelledRows(d *Dataset) []int {
	var rows []int
	for r, y := range d.Labels {
		if y >= 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// gather copies rows of d, which are in order, unless they are all.
func (d *Dataset) gather(rows []int) *Dataset {
	if len(rows) == d.Rows() {
		return d
	}
	out := &Dataset{X: make([]float32, 0, len(rows)*d.Dim), Dim: d.Dim, Classes: d.Classes, Labels: make([]int32, 0, len(rows))}
	for _, r := range rows {
		out.X = append(out.X, d.Row(r)...)
		out.Labels = append(out.Labels, d.Labels[r])
	}
	return out
}

func (c *comparison) addRidge(ctx context.Context, val *Dataset) error {
	shares := ridgePenalties
	if val == nil {
		shares = []float64{1}
	}
	d := float64(c.train.Dim)
	penalties := make([]float64, len(shares))
	for i, share := range shares {
		penalties[i] = share * d
	}
	learned := sample(c.learned, int(max(1, c.ridge/(d*d/2))))
	some := make([]int32, len(learned))
	for i, r := range learned {
		some[i] = int32(r)
	}
	heads, err := fitRidge(ctx, newRowSet(c.train, InputNone, some), penalties)
	if err != nil {
		return err
	}
	best, most := 0, -1
	for i := 0; i < len(heads) && len(heads) > 1; i++ {
		on := &comparison{test: val}
		answers, err := on.answers(ctx, heads[i])
		if err != nil {
			return err
		}
		right := 0
		for r, y := range answers {
			if int32(y) == val.Labels[r] {
				right++
			}
		}
		if right > most {
			best, most = i, right
		}
	}
	answers, err := c.answers(ctx, heads[best])
	if err != nil {
		return err
	}
	c.add("ridge regression", c.rows, len(learned), func(i int) int { return answers[c.rows[i]] })
	return nil
}
