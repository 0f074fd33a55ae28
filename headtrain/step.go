package headtrain

import "icebox/headtrain/internal/kernel"

// A step is two tasks of the team, one after the other: forward, whose items
// are blocks of rows, and update, whose items are groups of columns and ranges
// of features. Each item's sums are its own.

// passTask is what the running task works on: rows of a set, with or without
// gradients, for the heads from first on.
type passTask struct {
	set         *rowSet
	rows        []int32
	first       int
	learn       bool
	headGroups  int  // items of forward a block of rows
	splits      int  // items of update a group of columns
	strips      int  // blocks of features in each
	fresh, last bool // the first, or last, panel of a batch
}

// gatherAhead is how many rows before its turn a row is fetched.
const gatherAhead = 3

// trainBatch takes one step and adds the batch, as it was before the step, to
// the sums of the heads.
func (s *stack) trainBatch(rows []int32) {
	clear(s.counts)
	for _, r := range rows {
		s.counts[s.train.Labels[r]]++
	}
	for _, f := range s.heads {
		f.batchWeight = f.objective.setBatch(s.counts)
		f.weight += f.batchWeight
		f.lr = f.schedule.rate(s.step)
		f.optimizer.begin(f.lr)
	}
	for at := 0; at < len(rows); at += panelRows {
		end := min(at+panelRows, len(rows))
		s.task.fresh, s.task.last = at == 0, end == len(rows)
		s.pass(s.train, rows[at:end], 0, true)
		s.learn()
	}
	s.step++
}

// pass runs rows of a set forward, for the heads from first on, and adds them
// to the heads' sums: as the objective has them, or as they are.
func (s *stack) pass(set *rowSet, rows []int32, first int, learn bool) {
	t, p := &s.task, s.panel
	t.set, t.rows, t.first, t.learn = set, rows, first, learn
	p.rows = len(rows)
	blocks, workers, heads := p.blocks(), s.useful(first), len(s.heads)-first
	t.headGroups = max(1, min(heads, workers/blocks))
	s.team.run(workers, blocks*t.headGroups, s.forwardFn)
	for h, f := range s.heads[first:] {
		sum := tally{rows: len(rows)}
		for b := range blocks {
			sum.loss += p.loss[b*heads+h]
			sum.hits += int(p.hits[b*heads+h])
		}
		if learn {
			sum.loss = float64(f.batchWeight * sum.loss)
		}
		f.sum = tally{f.sum.loss + sum.loss, f.sum.rows + sum.rows, f.sum.hits + sum.hits}
	}
}

// learn sums the gradient of the panel and, behind the last one of a batch,
// takes the step.
func (s *stack) learn() {
	t, workers := &s.task, s.useful(0)
	cols, strips := len(s.heads)*s.classes, kernel.RoundUp(s.dim)/kernel.Block
	groups := (cols + s.groupCols() - 1) / s.groupCols()
	t.splits = 1
	if workers > 1 {
		t.splits = min(strips, (2*workers+groups-1)/groups)
	}
	t.strips = (strips + t.splits - 1) / t.splits
	t.splits = (strips + t.strips - 1) / t.strips
	s.team.run(workers, groups*t.splits, s.updateFn)
}

// worthAWorker is the multiplications that repay waking a worker up, and
// gatherWork those that gathering a feature compares with.
const worthAWorker, gatherWork = 1 << 18, 8

// useful returns how many workers the panel is worth.
func (s *stack) useful(first int) int {
	cols := (len(s.heads) - first) * s.classes
	return min(s.team.size, max(1, s.panel.rows*s.stride*(cols+gatherWork)/worthAWorker))
}

// groupCols is the columns of an item of update: whole heads if those are
// small, few enough that their gradient stays in the second-level cache.
func (s *stack) groupCols() int {
	const most = 48
	if s.classes > most {
		return most
	}
	return most / s.classes * s.classes
}

// forward gathers a block of rows of the batch and takes it, for a group of
// heads, to logits and losses and, if learn is set, to the gradient of the
// logits.
func (s *stack) forward(worker, item int) {
	t, p, w := &s.task, s.panel, &s.workers[worker]
	block, group := item/t.headGroups, item%t.headGroups
	x := w.x
	if group == 0 {
		x = p.x[block*kernel.Block*s.stride:]
	}
	s.gather(x, w, block*kernel.Block)
	all := len(s.heads) - t.first
	lo, hi := group*all/t.headGroups, (group+1)*all/t.headGroups
	own := s.classes * kernel.Block
	z := p.z[block*p.zStride+lo*own : block*p.zStride+hi*own]
	at := (t.first + lo) * s.classes * s.stride
	s.isa.Forward(z, w.xt, s.params[at:], s.stride, s.dim, (hi-lo)*s.classes)
	for h := lo; h < hi; h++ {
		s.judge(w, z[(h-lo)*own:(h-lo+1)*own], block, h)
	}
}

// gather maps a block of rows into x, with its labels, and transposes it.
// Behind the last row of the panel, that row is repeated.
func (s *stack) gather(x []float32, w *scratch, at int) {
	t := &s.task
	last := len(t.rows) - 1
	for i := range kernel.Block {
		row, ahead := t.rows[min(at+i, last)], t.rows[min(at+i+gatherAhead, last)]
		s.isa.Affine(x[i*s.stride:], t.set.Row(int(row)), s.input.AffineMap, t.set.rowScale(row), t.set.Row(int(ahead)))
		w.labels[i] = t.set.Labels[row]
	}
	s.isa.Transpose(w.xt, x, s.stride, s.dim)
}

// judge takes a block of logits of one head to its loss, hits and gradient.
func (s *stack) judge(w *scratch, z []float32, block, head int) {
	t, p := &s.task, s.panel
	heads := len(s.heads) - t.first
	table := &s.plain
	if t.learn {
		table = &s.heads[t.first+head].objective.table
	}
	s.isa.Softmax(z, s.classes, &w.labels, table, &w.judged, t.learn)
	rows := min(kernel.Block, p.rows-block*kernel.Block)
	loss, hits := 0.0, int32(0)
	for r := range rows {
		loss += float64(w.judged.Loss[r])
		if w.judged.Best[r] == w.labels[r] {
			hits++
		}
	}
	p.loss[block*heads+head], p.hits[block*heads+head] = loss, hits
	if t.learn && rows < kernel.Block {
		for c := range s.classes {
			clear(z[c*kernel.Block+rows : (c+1)*kernel.Block])
		}
	}
}

// update sums the gradient of a group of columns for a range of features, which
// is the last one if it holds the bias too, and takes the optimizer's step.
func (s *stack) update(worker, item int) {
	t := &s.task
	c0 := item / t.splits * s.groupCols()
	c1 := min(c0+s.groupCols(), len(s.heads)*s.classes)
	part := item % t.splits
	f0, f1 := part*t.strips*kernel.Block, s.stride
	if part < t.splits-1 {
		f1 = f0 + t.strips*kernel.Block
	}
	g := s.workers[worker].g
	if s.grad != nil {
		g = s.grad[c0*s.stride:]
	}
	if s.grad == nil || t.fresh {
		for c := range c1 - c0 {
			clear(g[c*s.stride+f0 : c*s.stride+f1])
		}
	}
	s.gradient(g, c0, c1, f0, f1)
	if t.last {
		s.apply(g, c0, c1, f0, f1)
	}
}

// gradient adds the panel's gradient to g, for columns c0 to c1 and features f0
// to f1; f1 is the stride if that includes the bias.
func (s *stack) gradient(g []float32, c0, c1, f0, f1 int) {
	p, cols := s.panel, c1-c0
	const blocks = kernel.ChunkRows / kernel.Block
	for chunk := 0; chunk*kernel.ChunkRows < p.rows; chunk++ {
		r0 := chunk * kernel.ChunkRows
		rows := min(kernel.ChunkRows, p.rows-r0)
		dz := p.z[chunk*blocks*p.zStride+c0*kernel.Block:]
		for f := f0; f < min(f1, kernel.RoundUp(s.dim)); f += kernel.Block {
			s.isa.Gradient(g[f:], s.stride, p.x[r0*s.stride+f:], s.stride, dz, p.zStride, rows, cols)
		}
		if f1 == s.stride {
			s.isa.Bias(g[s.dim:], s.stride, dz, p.zStride, kernel.RoundUp(rows)/kernel.Block, cols)
		}
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
		c = end
	}
}
