package headtrain

import "icebox/headtrain/internal/kernel"

// A step is two tasks of the team, one after the other: forward, whose items
// are rows, and update, whose items are features. Each item's sums are its own.

// forwardRows is the rows of an item of forward: few enough that they stay in
// the second-level cache and that a batch makes several items.
const forwardRows = 2 * kernel.Lane

// gatherAhead is how many rows before its turn a row is fetched.
const gatherAhead = 3

// forward gathers an item's rows of the batch and takes them to logits and
// losses and, if learn is set, to the gradient of the logits.
func (f *fit) forward(_, item int) {
	b := f.batch
	lo := item * forwardRows
	end := min(lo+forwardRows, b.rows)
	hi := kernel.RoundUp(end)
	for r := lo; r < end; r++ {
		row, ahead := f.rows[r], f.rows[min(r+gatherAhead, b.rows-1)]
		f.isa.Affine(b.x.Row(r), f.set.Row(int(row)), f.input.AffineMap, f.set.rowScale(row), f.set.Row(int(ahead)))
	}
	z, e := b.z.Slice(lo, hi), b.e.Slice(lo, hi)
	f.isa.Forward(z, b.x.Slice(lo, hi), f.params)
	maskPadding(z, len(f.set.Classes))
	f.isa.Exp(e, z, b.top[lo:hi], b.sum[lo:hi])
	for r := lo; r < end; r++ {
		f.judgeRow(r)
	}
	if f.learn {
		f.isa.Residual(e, b.soft[lo:hi], f.objective.spread)
		for r := lo; r < end; r++ {
			y := f.set.Labels[f.rows[r]]
			b.e.Row(r)[y] -= f.objective.hot[y]
		}
	}
}

func (f *fit) judgeRow(r int) {
	b := f.batch
	y, z := f.set.Labels[f.rows[r]], b.z.Row(r)
	logSum := logSumExp(b.sum[r], b.top[r])
	b.hit[r] = isFirstMax(z, y, b.top[r])
	if f.learn {
		b.loss[r] = f.objective.rowLoss(z, y, logSum)
		b.soft[r] = f.objective.soft[y] / b.sum[r]
	} else {
		b.loss[r] = logSum - float64(z[y])
	}
}

// update takes the optimizer's step for an item's 16 features, the gradient of
// which is summed tile by tile and applied at once.
func (f *fit) update(worker, item int) {
	b, g := f.batch, f.scratch[worker]
	x, dz := b.x.Slice(0, b.rows), b.e.Slice(0, b.rows)
	j, tileRows := item*kernel.Lane, kernel.Rows(f.set.Dim)
	for c := 0; c < b.e.Cols; c += kernel.Lane {
		clear(g)
		f.isa.Gradient(g, x, dz, j, c)
		at := c*tileRows + j*kernel.Lane
		f.optimizer.update(f.params[at:at+len(g)], g, at)
	}
}
