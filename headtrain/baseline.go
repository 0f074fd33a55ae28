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

// What keeps baselines within a tenth of a second on two cores, however many
// rows there are: past baselineRows, a sample of them is learned from; past so
// many multiplications, nearest neighbours judge a sample.
const (
	baselineRows = 6000
	baselineWork = 1.5e9
)

// ridgePenalties are tried, in shares of the number of features; without
// validation it is their number, which is seldom far from the best.
var ridgePenalties = []float64{0.3, 3}

// Baselines judges on the labelled rows of test: the most frequent class of
// train, the votes of the nearest 1, 5 and 20 rows of train by cosine, and a
// ridge regression, whose penalty val chooses unless it is nil. Each is
// compared with head on the same rows. Of a large train all but the first know a
// sample; see Baseline.Learned and Baseline.Rows.
func Baselines(ctx context.Context, train, val, test *Dataset, head *Head) ([]Baseline, error) {
	if train == nil {
		return nil, Job{}.checkData()
	}
	if err := train.checkShape(); err != nil {
		return nil, err
	}
	counts, learned := newRowSet(train, InputNone, nil).counts(), labelledRows(train)
	some := sample(learned, baselineRows)
	if len(some) < len(learned) {
		train = train.gather(some)
	}
	if err := (Job{Train: train, Val: test, Heads: []Options{{}}}).Validate(); err != nil {
		return nil, err
	}
	c := &comparison{test: test, rows: labelledRows(test), learned: len(learned)}
	var err error
	if c.head, err = c.answers(ctx, head); err != nil {
		return nil, err
	}
	majority := slices.Index(counts, slices.Max(counts))
	c.add("majority class", c.rows, func(int) int { return majority })
	c.learned = len(some)
	if err := c.addNeighbours(ctx, train); err != nil {
		return nil, err
	}
	err = c.addRidge(ctx, train, val)
	return c.found, err
}

// comparison holds baselines against a head.
type comparison struct {
	test    *Dataset
	rows    []int // the labelled ones
	head    []int // its answers, by row
	learned int   // rows that the next one knows
	found   []Baseline
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
	rows := sample(c.rows, most)
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
	heads, err := FitRidge(ctx, train, penalties)
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
	c.add("ridge regression", c.rows, func(i int) int { return answers[c.rows[i]] })
	return nil
}
