package judge

import (
	"context"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
)

// Baseline is how many rows a method with nothing to tune gets right, beside a
// trained head. A head that does not beat it was not worth training, or was not
// trained well. Shares are from 0 to 1.
type Baseline struct {
	Name     string  `json:"name"`
	Accuracy float64 `json:"accuracy"`

	// Rows of RowsOf labelled rows were judged, and the method has learnt Learned of
	// LearnedOf labelled training rows. Where all rows would take too long it is a
	// sample of them.
	Rows      int `json:"rows"`
	RowsOf    int `json:"rows_of"`
	Learned   int `json:"learned"`
	LearnedOf int `json:"learned_of"`

	Head     float64 `json:"head"`      // accuracy of the trained head on the same rows
	OnlyIt   int     `json:"only_it"`   // rows that the method gets right and the head does not
	OnlyHead int     `json:"only_head"` // rows that the head gets right and the method does not
}

// Beaten reports whether the head gets more rows right.
func (b *Baseline) Beaten() bool { return b.OnlyHead > b.OnlyIt }

// ByChance reports whether the difference between the two is within two standard
// deviations of what other rows would show (McNemar's test).
func (b *Baseline) ByChance() bool {
	off := float64(b.OnlyHead - b.OnlyIt)
	return off*off <= 4*float64(b.OnlyHead+b.OnlyIt)
}

// Nearest is how the names of the baselines begin that ask the nearest rows.
const Nearest = "nearest"

// voters are the numbers of neighbours that vote.
var voters = []int{1, 5, 20}

// effort bounds how many multiplications baselines take, so that they are done within
// seconds on two cores. It does not bound time: then other rows would be judged on
// another machine.
type effort struct {
	ridge, nearest float64
	// queries is how many rows are judged by their nearest rows before the rows to
	// choose from are sampled: to judge fewer makes the accuracy less certain, to
	// choose from fewer changes it. Since rows are copied, this bounds memory too.
	queries int
}

// usualEffort samples nothing up to 1.5 million training rows of 512 features for the
// ridge, and nothing up to 5,000 rows to judge by the nearest of 50,000. That is 0.26
// TFLOP, of which two cores do some 0.13 a second.
var usualEffort = effort{ridge: 2e11, nearest: 1.3e11, queries: 4000}

// ridgePenalties are those that are tried, as shares of the number of features.
// Without validation it is that number, which is seldom far from the best.
var ridgePenalties = []float64{0.3, 3}

// Baselines judges five methods on the labelled rows of test, each beside head on the
// same rows: the most frequent class of train, the votes of the nearest 1, 5 and 20
// rows of train by cosine, and a ridge regression, whose penalty is chosen on val
// unless that is nil. The three datasets have the same Dim and Classes. Its error
// wraps headtrain.ErrDataset or is that of ctx.
func Baselines(ctx context.Context, train, val, test *headtrain.Dataset, head *headtrain.Head) ([]Baseline, error) {
	r, err := NewReferences(ctx, train, val, test)
	if err != nil {
		return nil, err
	}
	return r.Beside(ctx, test, head)
}

// rowsOf returns the labelled rows of d, of which there must be one.
func rowsOf(name string, d *headtrain.Dataset) (*labelled.Set, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%s set: %w", name, err)
	}
	s := labelled.Of((*labelled.Matrix)(d))
	if len(s.Rows) == 0 {
		return nil, fmt.Errorf("%w: the %s set has no labelled row", headtrain.ErrDataset, name)
	}
	return s, nil
}

// trial is the rows that the methods learn from and are judged by, and what came of it.
type trial struct {
	effort
	train, test *labelled.Set
	found       References
}

// classify returns the classes that h gives the rows of d, on all processors.
func classify(ctx context.Context, h *headtrain.Head, d *labelled.Matrix) ([]int, error) {
	return headtrain.EachRow(ctx, headtrain.NewLogits(h, (*headtrain.Dataset)(d)), func(_ int, z []float32) int {
		return slices.Index(z, slices.Max(z))
	})
}

func (c *trial) addNeighbours(ctx context.Context) error {
	pairs := c.nearest / float64(c.train.Dim)
	learned := labelled.Sample(c.train.Rows, int(max(1, pairs/float64(c.queries))))
	rows := labelled.Sample(c.test.Rows, int(max(1, pairs/float64(len(learned)))))
	bank, queries := c.train.Gather(learned), c.test.Gather(rows)
	found, err := neighbours(ctx, bank, queries, slices.Max(voters))
	if err != nil {
		return err
	}
	for _, k := range voters {
		name := fmt.Sprintf("%s %d images", Nearest, k)
		if k == 1 {
			name = Nearest + " image"
		}
		c.add(name, rows, len(learned), func(i int) int { return vote(found[i], k, bank.Labels, len(bank.Classes)) })
	}
	return nil
}

func (c *trial) addRidge(ctx context.Context, val *headtrain.Dataset) error {
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
	best, err := mostRight(ctx, heads, val)
	if err != nil {
		return err
	}
	given, err := classify(ctx, best, c.test.Matrix)
	if err != nil {
		return err
	}
	c.add("ridge regression", c.test.Rows, len(learned), func(i int) int { return given[c.test.Rows[i]] })
	return nil
}

// mostRight returns the first of the heads that get the most rows of d right. If d is
// nil, that is the first head.
func mostRight(ctx context.Context, heads []*headtrain.Head, d *headtrain.Dataset) (best *headtrain.Head, err error) {
	if d == nil {
		return heads[0], nil
	}
	most := -1
	for _, h := range heads {
		given, err := classify(ctx, h, (*labelled.Matrix)(d))
		if err != nil {
			return nil, err
		}
		right := 0
		for r, y := range given {
			if int32(y) == d.Labels[r] {
				right++
			}
		}
		if right > most {
			best, most = h, right
		}
	}
	return best, nil
}
