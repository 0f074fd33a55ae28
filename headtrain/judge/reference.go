package judge

import (
	"context"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/internal/labelled"
)

// ReferencesVersion changes whenever the same rows would give other [References].
const ReferencesVersion = 1

// References are how five methods with nothing to tune do on the rows of a test set; see
// [Baselines]. They depend on the rows alone and not on a head, and take seconds to make,
// so that they are worth keeping. Their JSON form is for that.
type References struct {
	RowsOf    int         `json:"rows_of"`    // labelled test rows
	LearnedOf int         `json:"learned_of"` // labelled training rows
	Methods   []Reference `json:"methods"`
}

// Reference is how one method does.
type Reference struct {
	Name    string `json:"name"`
	Learned int    `json:"learned"` // rows that it has learnt
	Rows    int    `json:"rows"`    // rows that it was judged by: all, or a sample
	Right   []byte `json:"right"`   // a bit a judged row, 1 where the answer is its label; of a byte the lowest bit first
}

// NewReferences judges the methods on the labelled rows of test. Its arguments and errors
// are those of [Baselines].
func NewReferences(ctx context.Context, train, val, test *headtrain.Dataset) (*References, error) {
	return usualEffort.references(ctx, train, val, test)
}

func (e effort) references(ctx context.Context, train, val, test *headtrain.Dataset) (*References, error) {
	c := &trial{effort: e}
	var err error
	if c.train, err = rowsOf("training", train); err != nil {
		return nil, err
	}
	if c.test, err = rowsOf("test", test); err != nil {
		return nil, err
	}
	if train.Dim != test.Dim || !slices.Equal(train.Classes, test.Classes) {
		return nil, fmt.Errorf("%w: training and test set differ in their dimension or classes", headtrain.ErrDataset)
	}
	c.found.RowsOf, c.found.LearnedOf = len(c.test.Rows), len(c.train.Rows)
	counts := c.train.Counts()
	majority := slices.Index(counts, slices.Max(counts))
	c.add("majority class", c.test.Rows, len(c.train.Rows), func(int) int { return majority })
	if err := c.addNeighbours(ctx); err != nil {
		return nil, err
	}
	err = c.addRidge(ctx, val)
	return &c.found, err
}

// add judges a method, which has learnt some number of rows, by its answers to rows of
// test.
func (c *trial) add(name string, rows []int32, learned int, answer func(i int) int) {
	r := Reference{Name: name, Learned: learned, Rows: len(rows), Right: make([]byte, (len(rows)+7)/8)}
	for i, row := range rows {
		if answer(i) == int(c.test.Labels[row]) {
			r.Right[i/8] |= 1 << (i % 8)
		}
	}
	c.found.Methods = append(c.found.Methods, r)
}

// Beside holds head against the methods on the rows of test, the set that they were judged
// by. Its error wraps headtrain.ErrDataset if they were judged by another number of rows,
// or is that of ctx.
func (r *References) Beside(ctx context.Context, test *headtrain.Dataset, head *headtrain.Head) ([]Baseline, error) {
	s, err := rowsOf("test", test)
	if err != nil {
		return nil, err
	}
	if !r.fits(s) {
		return nil, fmt.Errorf("%w: the baselines were judged by other rows", headtrain.ErrDataset)
	}
	answers, err := classify(ctx, head, s.Matrix)
	if err != nil {
		return nil, err
	}
	var found []Baseline
	for _, m := range r.Methods {
		b := Baseline{Name: m.Name, Rows: m.Rows, RowsOf: r.RowsOf, Learned: m.Learned, LearnedOf: r.LearnedOf}
		right, headRight := 0, 0
		for i, row := range labelled.Sample(s.Rows, m.Rows) {
			it, its := m.Right[i/8]>>(i%8)&1 == 1, answers[row] == int(s.Labels[row])
			if it {
				right++
			}
			if its {
				headRight++
			}
			if it && !its {
				b.OnlyIt++
			}
			if its && !it {
				b.OnlyHead++
			}
		}
		b.Accuracy, b.Head = ratio(right, m.Rows), ratio(headRight, m.Rows)
		found = append(found, b)
	}
	return found, nil
}

// fits reports whether r may be of s.
func (r *References) fits(s *labelled.Set) bool {
	ok := r.RowsOf == len(s.Rows) && len(r.Methods) > 0
	for _, m := range r.Methods {
		ok = ok && 0 < m.Rows && m.Rows <= r.RowsOf && len(m.Right) == (m.Rows+7)/8
	}
	return ok
}
