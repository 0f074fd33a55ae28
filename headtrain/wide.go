package headtrain

import "icebox/headtrain/internal/kernel"

// learnWide is the second task of a step for stacks of many columns; the first one is
// forward, whose items are blocks of rows. The items of update are groups of columns
// and ranges of features. Each sums its gradient over all rows of the panel and, after
// the last panel of a batch, takes its part of the step.
func (s *stack) learnWide() {
	t, workers := &s.task, s.useful(0)
	cols, strips := len(s.heads)*s.classes, kernel.RoundUp(s.dim)/kernel.Block
	groups := (cols + s.groupCols() - 1) / s.groupCols()
	t.splits = 1
	if workers > 1 {
		t.splits = min(strips, (2*workers+groups-1)/groups)
	}
	t.strips = (strips + t.splits - 1) / t.splits
	t.splits = (strips + t.strips - 1) / t.strips
	s.team.Run(workers, groups*t.splits, s.updateFn)
}

// mostGroupCols is the most columns of a group. Their gradient stays in the
// second-level cache.
const mostGroupCols = 48

// groupCols returns how many columns a group has: those of whole heads if a head has
// few.
func (s *stack) groupCols() int {
	if s.classes <= mostGroupCols {
		return mostGroupCols / s.classes * s.classes
	}
	cols := len(s.heads) * s.classes
	groups := (cols + mostGroupCols - 1) / mostGroupCols
	return (cols + groups - 1) / groups
}

// update sums the gradient of a group of columns for a range of features, with the
// bias if that range is the last one, and takes the optimizer's step.
func (s *stack) update(worker, item int) {
	t := &s.task
	c0 := item / t.splits * s.groupCols()
	c1 := min(c0+s.groupCols(), len(s.heads)*s.classes)
	part := item % t.splits
	f0, f1 := part*t.strips*kernel.Block, s.stride
	if part < t.splits-1 {
		f1 = f0 + t.strips*kernel.Block
	}
	g, fresh := s.workers[worker].g, true
	if s.grad != nil {
		g, fresh = s.grad[c0*s.stride:], t.fresh
	}
	items := (len(s.heads)*s.classes + s.groupCols() - 1) / s.groupCols() * t.splits
	n := len(t.rows)
	if !t.gathered {
		s.fetchRows(n+item*n/items, n+(item+1)*n/items)
	}
	s.gradient(g, c0, c1, f0, f1, fresh)
	if t.last {
		s.apply(g, c0, c1, f0, f1)
	}
}

// gradient adds the panel's gradient to g, or to 0 if fresh is set, for columns c0 to
// c1 and features f0 to f1. If f1 is the stride, the bias is included. Meanwhile it
// fetches what the step will read into the cache.
func (s *stack) gradient(g []float32, c0, c1, f0, f1 int, fresh bool) {
	p, cols := s.panel, c1-c0
	const blocks = kernel.ChunkRows / kernel.Block
	f, end := f0, min(f1, kernel.RoundUp(s.dim))
	for ; f < end; f += kernel.Block {
		for r := 0; r < p.rows; r += kernel.ChunkRows {
			rows := min(kernel.ChunkRows, p.rows-r)
			dz := p.z[r/kernel.Block*p.zStride+c0*kernel.Block:]
			s.isa.Gradient(g[f:], s.stride, p.x[r*s.stride+f:], s.stride, dz, p.zStride, rows, cols, fresh && r == 0, nil)
		}
		if s.task.last {
			share := (c1 - c0) * s.stride / ((end - f0) / kernel.Block)
			s.prefetch(c0*s.stride+(f-f0)/kernel.Block*share, share)
		}
	}
	if f1 < s.stride {
		return
	}
	if fresh {
		s.clearRest(g, cols)
	}
	for b := 0; b < p.blocks(); b += blocks {
		dz := p.z[b*p.zStride+c0*kernel.Block:]
		s.isa.Bias(g[s.dim:], s.stride, dz, p.zStride, min(blocks, p.blocks()-b), cols)
	}
}

// prefetch fetches n parameters, from number at on, and the optimizer's state of them
// into the cache.
func (s *stack) prefetch(at, n int) {
	own := s.classes * s.stride
	for end := at + n; at < end; {
		h := at / own
		to := min(end, (h+1)*own)
		s.isa.Prefetch(s.params[at:to])
		s.heads[h].optimizer.prefetch(at-h*own, to-h*own)
		at = to
	}
}

// apply takes the step of the heads that own columns c0 to c1.
func (s *stack) apply(g []float32, c0, c1, f0, f1 int) {
	whole := f0 == 0 && f1 == s.stride
	for c := c0; c < c1; {
		h := c / s.classes
		end := c + 1
		if whole {
			end = min(c1, (h+1)*s.classes)
		}
		f, own := s.heads[h], (c-h*s.classes)*s.stride
		lo, hi := own+f0, own+(end-1-c)*s.stride+f1
		f.optimizer.update(f.params[lo:hi], g[(c-c0)*s.stride+f0:][:hi-lo], lo)
		f.average.update(f.params[lo:hi], lo)
		c = end
	}
}
