package headtrain

import (
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/labelled"
)

// A step is two tasks of the team, one after the other. There are two ways, which
// sum in the same order: see learnWide and learnNarrow.

// passTask is what the current task works on: rows of a set, with or without
// gradients, for the heads from number first on.
type passTask struct {
	set         *labelled.Set
	rows        []int32
	partners    []int32 // of the rows, if these are mixed
	upcoming    []int32 // rows that will be wanted next
	first       int
	learn       bool
	run         int  // blocks of rows of an item of forward
	headGroups  int  // items of forward for each run of these
	splits      int  // items of update for each group of columns
	strips      int  // blocks of features in each of these
	fresh, last bool // the first, or last, panel of a batch
	gathered    bool // the panel has its mapped rows already
}

// trainBatch takes one step on a batch of rows, and adds what these were judged
// before the step to the sums of the heads. Upcoming are the rows behind the batch.
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
		s.learn(rows[at:end])
	}
	s.step++
}

// learn takes a panel of the training rows to its gradient and, if it is the last one of
// a batch, the step. What else it does is set in the task.
func (s *stack) learn(rows []int32) {
	if len(s.heads)*s.classes <= narrow {
		s.prepare(s.train, rows, 0, true)
		s.learnNarrow()
		return
	}
	s.pass(s.train, rows, 0, true)
	s.learnWide()
}

// prepare sets the task of a panel.
func (s *stack) prepare(set *labelled.Set, rows []int32, first int, learn bool) {
	t := &s.task
	t.set, t.rows, t.first, t.learn = set, rows, first, learn
	s.panel.rows = len(rows)
}

// pass takes rows of a set to losses, for the heads from number first on, and adds
// them to the sums of the heads. With learn, logits become their gradients.
func (s *stack) pass(set *labelled.Set, rows []int32, first int, learn bool) {
	s.prepare(set, rows, first, learn)
	t, blocks, workers := &s.task, s.panel.blocks(), s.useful(first)
	t.run = runOf(blocks, workers)
	t.headGroups = max(1, min(len(s.heads)-first, workers/blocks))
	s.team.Run(workers, (blocks+t.run-1)/t.run*t.headGroups, s.forwardFn)
	s.addUp()
}

// mostRun is the most blocks of rows that are taken to logits side by side. Weights that
// exceed the cache of a core then come from memory once for all of them.
const mostRun = 4

// runOf returns how many blocks an item of forward has: as many as may be, if no worker
// gets more blocks by it.
func runOf(blocks, workers int) int {
	best, least := 1, blocks
	for run := 1; run <= min(mostRun, blocks); run++ {
		items := (blocks + run - 1) / run
		if most := (items + workers - 1) / workers * run; most <= least {
			best, least = run, most
		}
	}
	return best
}

// addUp adds the panel's losses and hits to the sums of the heads. With learn, losses
// are shares of the objective, which is a mean, so they are first multiplied by the
// weight of the batch.
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
		if t.set == s.val && !t.learn {
			s.countClasses(f, h, len(heads))
		}
		f.sum = tally{f.sum.loss + sum.loss, f.sum.rows + sum.rows, f.sum.hits + sum.hits}
	}
}

// countClasses adds the answers of head h of some to the panel's rows to its counts.
func (s *stack) countClasses(f *fit, h, heads int) {
	t, p := &s.task, s.panel
	for i, row := range t.rows {
		best := p.best[(i/kernel.Block*heads+h)*kernel.Block+i%kernel.Block]
		f.classes.Add(int(t.set.Labels[row]), int(best))
	}
}

// worthAWorker is how many multiplications are worth another worker, and gatherWork
// how many of them take as long as gathering one feature.
const worthAWorker, gatherWork = 1 << 18, 8

// useful returns how many workers the panel is worth, for the heads from number first
// on.
func (s *stack) useful(first int) int {
	cols := (len(s.heads) - first) * s.classes
	return min(s.workersNow(), max(1, s.panel.rows*s.stride*(cols+gatherWork)/worthAWorker))
}

// workersNow returns how many workers the stack may have.
func (s *stack) workersNow() int {
	if s.crew == nil {
		return s.team.Size()
	}
	return min(s.team.Size(), s.crew.now())
}

// forward gathers a run of blocks of rows and takes them, for a group of heads, to
// logits, losses and, with learn, the gradients of the logits. It goes through the
// columns a few at a time, whose weights stay in the cache of the core from block to
// block.
func (s *stack) forward(worker, item int) {
	t, w := &s.task, &s.workers[worker]
	first, group := item/t.headGroups*t.run, item%t.headGroups
	last := min(first+t.run, s.panel.blocks())
	for b := first; b < last; b++ {
		s.label(w, b-first, b)
	}
	all := len(s.heads) - t.first
	lo, hi := group*all/t.headGroups, (group+1)*all/t.headGroups
	h := lo // the first head that is not judged
	for c := lo * s.classes; c < hi*s.classes; c += s.groupCols() {
		end := min(c+s.groupCols(), hi*s.classes)
		for b := first; b < last; b++ {
			s.columns(w, group, b, c, end, c == lo*s.classes)
		}
		for ; (h+1)*s.classes <= end; h++ {
			for b := first; b < last; b++ {
				s.judge(w, b-first, b, h)
			}
		}
	}
}

// columns takes a block of rows to the logits of columns c0 to c1, counted from those of
// the first head of the task. If they are the first ones of an item, it gathers the rows
// before.
func (s *stack) columns(w *scratch, group, block, c0, c1 int, gather bool) {
	p := s.panel
	x := w.x
	if group == 0 {
		x = p.x[block*kernel.Block*s.stride:]
	}
	z := p.z[block*p.zStride:][c0*kernel.Block : c1*kernel.Block]
	params := s.params[(s.task.first*s.classes+c0)*s.stride:]
	if gather {
		s.logits(z, x, w, block*kernel.Block, params, c1-c0, nil)
		return
	}
	s.isa.Forward(z, x, s.stride, params, s.stride, s.dim, c1-c0, nil)
}

// logits maps a block of rows into x, unless they are there, mixes in their partners, and
// takes it to logits under the parameters of some columns.
func (s *stack) logits(z, x []float32, w *scratch, at int, params []float32, cols int, ahead *kernel.Ahead) {
	t := &s.task
	if t.gathered {
		s.isa.Forward(z, x, s.stride, params, s.stride, s.dim, cols, ahead)
		return
	}
	locate(&w.rows, t.set, t.rows, at)
	if !s.mixes() {
		s.isa.GatherForward(z, x, &w.rows, s.input.AffineMap, params, s.stride, s.dim, cols, ahead)
		return
	}
	s.isa.Gather(x, s.stride, s.dim, &w.rows, s.input.AffineMap)
	s.mixIn(x, w, at)
	s.isa.Forward(z, x, s.stride, params, s.stride, s.dim, cols, ahead)
}

// locate points b to a block of some rows of a set, from place at on. The last row is
// repeated until the block is full, as in find.
func locate(b *kernel.Rows, set *labelled.Set, rows []int32, at int) {
	last := len(rows) - 1
	b.Scaled = set.Scaled()
	for i := range kernel.Block {
		row := rows[min(at+i, last)]
		b.Row[i], b.Scale[i] = &set.Row(int(row))[0], set.Scale(row)
	}
}

// label writes down the labels of a block of rows, and those of their partners, at place
// i of w.
func (s *stack) label(w *scratch, i, block int) {
	s.find(&w.labels[i], s.task.rows, block*kernel.Block)
	if s.mixes() {
		s.find(&w.mix.labels[i], s.task.partners, block*kernel.Block)
	}
}

// find writes down the labels of a block of rows, from place at on.
func (s *stack) find(labels *[kernel.Block]int32, rows []int32, at int) {
	last := len(rows) - 1
	for i := range kernel.Block {
		labels[i] = s.task.set.Labels[rows[min(at+i, last)]]
	}
}

// judge takes a block of logits of one head to its loss, hits and gradient. The labels
// of its rows are the ones of place i in w.
func (s *stack) judge(w *scratch, i, block, head int) {
	t, p, own := &s.task, s.panel, s.classes*kernel.Block
	z := p.z[block*p.zStride:][head*own : (head+1)*own]
	heads := len(s.heads) - t.first
	table := &s.plain
	if t.learn {
		table = &s.heads[t.first+head].objective.table
	}
	labels := s.softmax(w, i, z, table)
	rows := min(kernel.Block, p.rows-block*kernel.Block)
	loss, hits := 0.0, int32(0)
	for r := range rows {
		loss += float64(w.judged.Loss[r])
		if w.judged.Best[r] == labels[r] {
			hits++
		}
	}
	if p.best != nil {
		copy(p.best[(block*heads+head)*kernel.Block:], w.judged.Best[:])
	}
	p.loss[block*heads+head], p.hits[block*heads+head] = loss, hits
	if t.learn && rows < kernel.Block {
		for c := range s.classes {
			clear(z[c*kernel.Block+rows : (c+1)*kernel.Block])
		}
	}
}

// coming returns row i of the panel or, counted on behind its last, of the rows that
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

// fetchRows fetches rows lo to hi, as coming counts them, into the cache.
func (s *stack) fetchRows(lo, hi int) {
	for i := lo; i < hi; i++ {
		s.isa.Prefetch(s.coming(i))
	}
}

// clearRest clears what lies behind whole blocks of features in the gradient of some
// columns. The bias lies there if the features fill their blocks.
func (s *stack) clearRest(g []float32, cols int) {
	for c := range cols {
		clear(g[c*s.stride+kernel.RoundUp(s.dim) : (c+1)*s.stride])
	}
}
