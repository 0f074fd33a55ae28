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
	Rows     int     `json:"rows"`    // judged; fewer than there are where all would take too long
	Learned  int     `json:"learned"` // rows of the training set that it knows; likewise
	Head     float64 `json:"head"`    // accuracy of the trained head on these rows
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

// What keeps baselines within some tenths of a second, however many rows there
// are: past so many multiplications, nearest neighbours judge a part of the
// rows; past so many rows, a ridge learns from a part of them.
const (
	baselineWork = 5e9
	ridgeRows    = 16_000
)

// ridgePenalties are tried, in shares of the number of features; without
// validation it is their number, which is seldom far from the best.
var ridgePenalties = []float64{0.1, 0.3, 1, 3}

// Baselines judges on the labelled rows of test: the most frequent class of
// train, the votes of the nearest 1, 5 and 20 rows of train by cosine, and a
// ridge regression, whose penalty val chooses unless it is nil. Each is
// compared with head on the same rows.
func Baselines(ctx context.Context, train, val, test *Dataset, head *Head) ([]Baseline, error) {
	if err := (Job{Train: train, Val: test, Heads: []Options{{}}}).Validate(); err != nil {
		return nil, err
	}
	c := &comparison{test: test, rows: labelledRows(test), learned: len(labelledRows(train))}
	c.head = c.answers(head)
	counts := newRowSet(train, InputNone, nil).counts()
	majority := slices.Index(counts, slices.Max(counts))
	c.add("majority class", c.rows, func(int) int { return majority })
	if err := c.addNeighbours(ctx, train); err != nil {
		return nil, err
	}
	return c.found, c.addRidge(ctx, train, val)
}

// comparison holds baselines against a head.
type comparison struct {
	test    *Dataset
	rows    []int // the labelled ones
	head    []int // its answers, by row
	learned int   // labelled training rows
	found   []Baseline
}

// answers returns a head's classes of all rows.
func (c *comparison) answers(h *Head) []int {
	k := len(h.Classes)
	logits := make([]float32, c.test.Rows()*k)
	h.Logits(logits, c.test.X, c.test.Rows())
	out := make([]int, c.test.Rows())
	for r := range out {
		out[r], _ = softmaxTop(logits[r*k:(r+1)*k], 1)
	}
	return out
}

// add judges the answers of a method on rows.
func (c *comparison) add(name string, rows []int, answer func(i int) int) {
	b := Baseline{Name: name, Rows: len(rows), Learned: c.learned}
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

func (c *comparison) addNeighbours(ctx context.Context, train *Dataset) error {
	most := max(1, int(baselineWork/float64(len(train.X))))
	rows := evenly(c.rows, most)
	queries := c.test.gather(rows)
	neighbours, err := Neighbours(ctx, train, queries, slices.Max(knnVotes))
	if err != nil {
		return err
	}
	for _, k := range knnVotes {
		name := fmt.Sprintf("%s %d images", NearestName, k)
		if k == 1 {
			name = NearestName + " image"
		}
		c.add(name, rows, func(i int) int { return Vote(neighbours[i], k, train.Labels, len(train.Classes)) })
	}
	return nil
}

// evenly returns every n-th row, so that there are at most so many.
func evenly(rows []int, most int) []int {
	step := (len(rows) + most - 1) / most
	if step <= 1 {
		return rows
	}
	var some []int
	for i := 0; i < len(rows); i += step {
		some = append(some, rows[i])
	}
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

// gather copies rows of d.
func (d *Dataset) gather(rows []int) *Dataset {
	out := &Dataset{X: make([]float32, 0, len(rows)*d.Dim), Dim: d.Dim, Classes: d.Classes, Labels: make([]int32, 0, len(rows))}
	for _, r := range rows {
		out.X = append(out.X, d.Row(r)...)
		out.Labels = append(out.Labels, d.Labels[r])
	}
	return out
}

func (c *comparison) addRidge(ctx context.Context, train, val *Dataset) error {
	shares := ridgePenalties
	if val == nil {
		shares = []float64{1}
	}
	penalties := make([]float64, len(shares))
	for i, share := range shares {
		penalties[i] = share * float64(train.Dim)
	}
	if rows := evenly(labelledRows(train), ridgeRows); len(rows) < c.learned {
		train = train.gather(rows)
		c.learned = len(rows)
	}
	heads, err := FitRidge(ctx, train, penalties)
	if err != nil {
		return err
	}
	best := 0
	for i, accuracy := 0, -1.0; i < len(heads) && len(heads) > 1; i++ {
		on := &comparison{test: val}
		right := 0
		for r, y := range on.answers(heads[i]) {
			if int32(y) == val.Labels[r] {
				right++
			}
		}
		if a := float64(right); a > accuracy {
			best, accuracy = i, a
		}
	}
	answers := c.answers(heads[best])
	c.add("ridge regression", c.rows, func(i int) int { return answers[c.rows[i]] })
	return nil
}
