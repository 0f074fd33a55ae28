package headtrain

import (
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
)

// A step is two tasks of the team, one after the other, in one of two ways that
// sum alike.
//
// Wide: forward, whose items are blocks of rows, and update, whose items are
// groups of columns and ranges of features: it sums their gradient over all
// rows and applies it at once.
//
// Narrow, where a gradient is smaller than the rows it is of: chunk, whose items
// are chunks of rows and leave a gradient each, so that rows stay in the cache
// of one core; and reduce, which adds those up in order and applies them.

// passTask is what the running task works on: rows of a set, with or without
// gradients, for the heads from first on.
type passTask struct {
	set         *labelled.Set
	rows        []int32
	partners    []int32 // of the rows, where these are mixed
	upcoming    []int32 // rows that will be wanted next
	first       int
	learn       bool
	headGroups  int  // items of forward a block of rows
	splits      int  // items of update a group of columns
	strips      int  // blocks of features in each
	fresh, last bool // the first, or last, panel of a batch
}

// narrow is the most columns that are learnt chunk by chunk.
const narrow = kernel.ChunkRows / 2

// trainBatch takes one step on rows of the order, and adds the batch, as it was
// before the step, to the sums of the heads.
func (s *stack) trainBatch(rows, upcoming []int32) {
	clear(s.counts)
	for _, r := range rows {
		s.counts[s.train.Labels[r]]++
	}
	for _, f := range s.heads {
		f.batchWeight = f.objective.setBatch(s.counts)
		f.weight += f.batchWeight
		f.lr = f.schedule.rate(s.step)
		f.optimizer.begin(f.lr)
		f.average.begin(s.step)
	}
	s.mix.begin(rows, s.step)
	t := &s.task
	for at := 0; at < len(rows); at += panelRows {
		end := min(at+panelRows, len(rows))
		s.order.want(end - at)
		t.fresh, t.last, t.upcoming = at == 0, end == len(rows), rows[end:]
		t.partners = s.mix.of(at, end)
		if t.last {
			t.upcoming = upcoming
		}
		if len(s.heads)*s.classes <= narrow {
			s.prepare(s.train, rows[at:end], 0, true)
			s.learnNarrow()
		} else {
			s.pass(s.train, rows[at:end], 0, true)
			s.learnWide()
		}
	}
	s.step++
}

// prepare sets the task of a panel.
func (s *stack) prepare(set *labelled.Set, rows []int32, first int, learn bool) {
	t := &s.task
	t.set, t.rows, t.first, t.learn = set, rows, first, learn
	s.panel.rows = len(rows)
}

// pass runs rows of a set forward, for the heads from first on, and adds them
// to the heads' sums.
func (s *stack) pass(set *labelled.Set, rows []int32, first int, learn bool) {
	s.prepare(set, rows, first, learn)
	blocks, workers := s.panel.blocks(), s.useful(first)
	s.task.headGroups = max(1, min(len(s.heads)-first, workers/blocks))
	s.team.Run(workers, blocks*s.task.headGroups, s.forwardFn)
	s.addUp()
}

// addUp adds the panel's losses and hits to the sums of the heads: as the
// objective has them, or as they are.
func (s *stack) addUp() {
	t, p := &s.task, s.panel
	heads := s.heads[t.first:]
	for h, f := range heads {
		sum := tally{rows: p.rows}
		for b := range p.blocks() {
			sum.loss += p.loss[b*len(heads)+h]
			sum.hits += int(p.hits[b*len(heads)+h])
		}
		if t.learn {
			sum.loss = float64(f.batchWeight * sum.loss)
		}
		f.sum = tally{f.sum.loss + sum.loss, f.sum.rows + sum.rows, f.sum.hits + sum.hits}
	}
}

// learnWide sums the gradient of the panel and, behind the last one of a batch,
// takes the step.
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

// worthAWorker is the multiplications that repay waking a worker up, and
// gatherWork those that gathering a feature compares with.
const worthAWorker, gatherWork = 1 << 18, 8

// useful returns how many workers the panel is worth.
func (s *stack) useful(first int) int {
	cols := (len(s.heads) - first) * s.classes
	return min(s.team.Size(), max(1, s.panel.rows*s.stride*(cols+gatherWork)/worthAWorker))
}

// mostGroupCols is few enough for their gradient to stay in the second-level
// cache.
const mostGroupCols = 48

// groupCols is the columns of an item of update: whole heads if those are
// small.
func (s *stack) groupCols() int {
	if s.classes <= mostGroupCols {
		return mostGroupCols / s.classes * s.classes
	}
	cols := len(s.heads) * s.classes
	groups := (cols + mostGroupCols - 1) / mostGroupCols
	return (cols + groups - 1) / groups
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
	all := len(s.heads) - t.first
	lo, hi := group*all/t.headGroups, (group+1)*all/t.headGroups
	own := s.classes * kernel.Block
	z := p.z[block*p.zStride+lo*own : block*p.zStride+hi*own]
	at := (t.first + lo) * s.classes * s.stride
	s.logits(z, x, w, block*kernel.Block, s.params[at:], (hi-lo)*s.classes, nil)
	for h := lo; h < hi; h++ {
		s.judge(w, z[(h-lo)*own:(h-lo+1)*own], block, h)
	}
}

// logits maps a block of rows into x, mixes their partners in, and takes it to
// logits under the parameters of some columns.
func (s *stack) logits(z, x []float32, w *scratch, at int, params []float32, cols int, ahead *kernel.Ahead) {
	s.find(&w.labels, w, s.task.rows, at)
	if !s.mixes() {
		s.isa.GatherForward(z, x, &w.rows, s.input.AffineMap, params, s.stride, s.dim, cols, ahead)
		return
	}
	s.isa.Gather(x, s.stride, s.dim, &w.rows, s.input.AffineMap)
	s.mixIn(x, w, at)
	s.isa.Forward(z, x, s.stride, params, s.stride, s.dim, cols, ahead)
}

// find points w.rows at a block of rows and notes their labels. Behind the last
// row of the panel, that row is repeated.
func (s *stack) find(labels *[kernel.Block]int32, w *scratch, rows []int32, at int) {
	t := &s.task
	last := len(rows) - 1
	w.rows.Scaled = t.set.Scaled()
	for i := range kernel.Block {
		row := rows[min(at+i, last)]
		w.rows.Row[i], w.rows.Scale[i] = &t.set.Row(int(row))[0], t.set.Scale(row)
		labels[i] = t.set.Labels[row]
	}
}

// judge takes a block of logits of one head to its loss, hits and gradient.
func (s *stack) judge(w *scratch, z []float32, block, head int) {
	t, p := &s.task, s.panel
	heads := len(s.heads) - t.first
	table := &s.plain
	if t.learn {
		table = &s.heads[t.first+head].objective.table
	}
	labels := s.softmax(w, z, table)
	rows := min(kernel.Block, p.rows-block*kernel.Block)
	loss, hits := 0.0, int32(0)
	for r := range rows {
		loss += float64(w.judged.Loss[r])
		if w.judged.Best[r] == labels[r] {
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
	g, fresh := s.workers[worker].g, true
	if s.grad != nil {
		g, fresh = s.grad[c0*s.stride:], t.fresh
	}
	items := (len(s.heads)*s.classes + s.groupCols() - 1) / s.groupCols() * t.splits
	n := len(t.rows)
	s.fetchRows(n+item*n/items, n+(item+1)*n/items)
	s.gradient(g, c0, c1, f0, f1, fresh)
	if t.last {
		s.apply(g, c0, c1, f0, f1)
	}
}

// coming returns row i of the panel or, counted on from its last, of those that
// will be wanted next; nil if there is none.
func (s *stack) coming(i int) []float32 {
	t := &s.task
	if i < len(t.rows) {
		return t.set.Row(int(t.rows[i]))
	}
	if i -= len(t.rows); i < len(t.upcoming) {
		return t.set.Row(int(t.upcoming[i]))
	}
	return nil
}

// fetchRows asks for rows lo to hi, counted so.
func (s *stack) fetchRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		s.isa.Prefetch(s.coming(i))
	}
}

// gradient adds the panel's gradient to g, or to 0 if that is to be fresh, for
// columns c0 to c1 and features f0 to f1; f1 is the stride if that includes the
// bias. Meanwhile what the step will want is fetched.
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

// clearRest clears what lies behind whole blocks of features in the gradient of
// some columns: at least, where these fill their blocks, the bias.
func (s *stack) clearRest(g []float32, cols int) {
	for c := range cols {
		clear(g[c*s.stride+kernel.RoundUp(s.dim) : (c+1)*s.stride])
	}
}

// prefetch asks for n parameters from at on and the optimizer's state of them.
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

// learnNarrow runs the panel forward and sums its gradient and, behind the last
// one of a batch, takes the step.
func (s *stack) learnNarrow() {
	t, p, cols := &s.task, s.panel, len(s.heads)*s.classes
	t.headGroups = 1
	chunks := (p.rows + kernel.ChunkRows - 1) / kernel.ChunkRows
	s.team.Run(s.useful(0), chunks, s.chunkFn)
	s.addUp()
	work := (chunks*addWork + adamWork) * cols * s.stride / worthAWorker
	t.splits = min(cols, 2*(work+1))
	s.team.Run(work+1, t.splits, s.reduceFn)
}

// addWork and adamWork are the multiplications that adding a value of another
// core's and a step of a parameter compare with.
const addWork, adamWork = 8, 24

// chunk takes a chunk of rows to losses and to the gradient of the weights.
func (s *stack) chunk(worker, item int) {
	p, w := s.panel, &s.workers[worker]
	const blocks = kernel.ChunkRows / kernel.Block
	cols, own := len(s.heads)*s.classes, s.classes*kernel.Block
	r := item * kernel.ChunkRows
	w.ahead.Reset()
	next := s.nextChunk(worker, item)
	for i := next; i < next+kernel.ChunkRows; i++ {
		w.ahead.Add(s.coming(i))
	}
	for b := item * blocks; b < min((item+1)*blocks, p.blocks()); b++ {
		z := p.z[b*p.zStride:]
		s.logits(z, w.x[b%blocks*kernel.Block*s.stride:], w, b*kernel.Block, s.params, cols, &w.ahead)
		for h := range s.heads {
			s.judge(w, z[h*own:(h+1)*own], b, h)
		}
	}
	rows := min(kernel.ChunkRows, p.rows-r)
	dz, g := p.z[item*blocks*p.zStride:], p.parts[item*cols*s.stride:(item+1)*cols*s.stride]
	for f := 0; f < s.dim; f += kernel.Block {
		s.isa.Gradient(g[f:], s.stride, w.x[f:], s.stride, dz, p.zStride, rows, cols, true, &w.ahead)
	}
	s.clearRest(g, cols)
	s.isa.Bias(g[s.dim:], s.stride, dz, p.zStride, kernel.RoundUp(rows)/kernel.Block, cols)
}

// nextChunk returns the row, as coming counts them, where the chunk begins that a
// worker is likely to do behind this one: the next of its share, or the first of
// its share of the next panel.
func (s *stack) nextChunk(worker, item int) int {
	lo, hi := s.team.Share(worker)
	if item+1 < hi {
		return (item + 1) * kernel.ChunkRows
	}
	return s.panel.rows + lo*kernel.ChunkRows
}

// reduce adds up the chunks' gradients of some columns and takes their step.
func (s *stack) reduce(worker, item int) {
	t, p, cols := &s.task, s.panel, len(s.heads)*s.classes
	c0, c1 := item*cols/t.splits, (item+1)*cols/t.splits
	lo, hi := c0*s.stride, c1*s.stride
	g, fresh := s.workers[worker].g[:hi-lo], true // no other core has it
	if s.grad != nil {
		g, fresh = s.grad[lo:hi], t.fresh
	}
	s.isa.Sum(g, p.parts[lo:], cols*s.stride, (p.rows+kernel.ChunkRows-1)/kernel.ChunkRows, fresh)
	if t.last {
		s.apply(g, c0, c1, 0, s.stride)
	}
}
