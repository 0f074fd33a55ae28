package headtrain

import (
	"icebox/headtrain/internal/affine"
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
	"icebox/headtrain/internal/rng"
)

// Plan is the training of one head but for the arithmetic of a step, for which a
// Learner is made. With equal plans, two engines can be compared step by step. Its
// methods are for one goroutine.
type Plan struct {
	Options   Options // with defaults
	Dim       int
	Classes   int
	BatchSize int     // rows of each batch; the last of an epoch may have fewer
	Layers    []Layer // initial weights, first layer to last, on mapped features

	isa       kernel.ISA
	train     *labelled.Set
	val       *labelled.Set // nil for none
	input     affine.Map
	objective *objective
	schedule  schedule
	order     *order
	step      int // steps begun
}

// newPlan prepares a head of a valid job. Its options have their defaults.
func newPlan(job Job, head int, o Options) *Plan {
	v := job.viewOn(threads(o.Threads), job.part(head), o.Input)
	train := v.train
	n, d, k := len(train.Rows), train.Dim, len(train.Classes)
	size := min(o.BatchSize, n)
	return &Plan{
		Options: o, Dim: d, Classes: k, BatchSize: size, Layers: initialLayers(o, d, k),
		isa: kernel.Best(), train: train, val: v.val, input: v.input, objective: newObjective(o, train),
		schedule: newSchedule(o, ceilDiv(n, size)), order: newOrder(o, train),
	}
}

// Features writes the mapped features of training rows to dst, row by row, Dim
// values for each.
func (p *Plan) Features(dst []float32, rows []int32) {
	for i, r := range rows {
		p.isa.Affine(dst[i*p.Dim:(i+1)*p.Dim], p.train.Row(int(r)), p.input.AffineMap, p.train.Scale(r), nil)
	}
}

// Targets writes the targets of the rows of a batch to dst, row by row, Classes values
// for each. With them, the objective of the batch, class weights and label smoothing
// included, is the sum of -target·ln(softmax). It returns the sum of the rows' class
// weights, by which the targets are already divided.
func (p *Plan) Targets(dst []float32, rows []int32) (weight float64) {
	counts := make([]int32, p.Classes)
	for _, r := range rows {
		counts[p.train.Labels[r]]++
	}
	weight = p.objective.setBatch(counts)
	for i, r := range rows {
		row := dst[i*p.Classes : (i+1)*p.Classes]
		copy(row, p.objective.table.Spread)
		y := p.train.Labels[r]
		row[y] += p.objective.table.Hot[y]
	}
	return weight
}

// Label returns the class of a training row.
func (p *Plan) Label(row int32) int32 { return p.train.Labels[row] }

// Keep draws the dropout of the hidden units in the current step: 0 for a unit that
// is left out, else the factor that keeps the mean. Step s, counted from 1, takes
// stream -s of the seed.
func (p *Plan) Keep(dst []float32) {
	r := rng.New(p.Options.Seed, -p.step)
	kept := 1 - p.Options.Dropout
	factor := float32(1 / kept)
	for i := range dst {
		dst[i] = 0
		if float64(r.Next()>>11)*0x1p-53 < kept {
			dst[i] = factor
		}
	}
}
