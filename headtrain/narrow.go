package headtrain

import "icebox/headtrain/internal/kernel"

// narrow is the most columns that are learnt chunk by chunk, see learnNarrow.
const narrow = kernel.ChunkRows / 2

// learnNarrow is both tasks of a step for stacks of few columns, whose gradient is
// smaller than the rows of a chunk. The items of chunk are chunks of rows: each leaves
// a gradient, so that its rows stay in the cache of one core. The items of reduce are
// columns: each adds up their gradients in order and, after the last panel of a batch,
// takes their part of the step.
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

// addWork and adamWork are how many multiplications take as long as adding a value
// from another core's cache, and as the step of one parameter.
const addWork, adamWork = 8, 24

// chunk takes a chunk of rows to losses and to the gradient of the weights.
func (s *stack) chunk(worker, item int) {
	p, w := s.panel, &s.workers[worker]
	const blocks = kernel.ChunkRows / kernel.Block
	cols := len(s.heads) * s.classes
	r := item * kernel.ChunkRows
	x := w.x
	if s.task.gathered {
		x = p.x[r*s.stride:]
	}
	s.lookAhead(w, s.nextChunk(worker, item))
	for b := item * blocks; b < min((item+1)*blocks, p.blocks()); b++ {
		s.label(w, 0, b)
		z := p.z[b*p.zStride:]
		s.logits(z, x[b%blocks*kernel.Block*s.stride:], w, b*kernel.Block, s.params, cols, &w.ahead)
		for h := range s.heads {
			s.judge(w, 0, b, h)
		}
	}
	rows := min(kernel.ChunkRows, p.rows-r)
	dz, g := p.z[item*blocks*p.zStride:], p.parts[item*cols*s.stride:(item+1)*cols*s.stride]
	for f := 0; f < s.dim; f += kernel.Block {
		s.isa.Gradient(g[f:], s.stride, x[f:], s.stride, dz, p.zStride, rows, cols, true, &w.ahead)
	}
	s.clearRest(g, cols)
	s.isa.Bias(g[s.dim:], s.stride, dz, p.zStride, kernel.RoundUp(rows)/kernel.Block, cols)
}

// lookAhead lists the chunk that begins at a row, as coming counts them, for kernels to
// fetch meanwhile.
func (s *stack) lookAhead(w *scratch, row int) {
	w.ahead.Reset()
	if s.task.gathered {
		x := s.panel.x
		w.ahead.Add(x[min(row*s.stride, len(x)):min((row+kernel.ChunkRows)*s.stride, len(x))])
		return
	}
	for i := row; i < row+kernel.ChunkRows; i++ {
		w.ahead.Add(s.coming(i))
	}
}

// nextChunk returns the first row, as coming counts them, of the chunk that a worker
// is likely to do after this one: the next one of its share, or the first one of its
// share of the next panel.
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
