package headtrain

import (
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/rng"
)

// mixup mixes each batch with a permutation of itself (Zhang et al., 2018), as its
// authors' program does. Each batch draws one λ from Beta(α, α). A row, mapped as the
// input says, becomes λ of itself and 1-λ of its partner; its loss becomes λ of the
// loss for its own label and 1-λ of that for its partner's. All heads of a stack
// share it. A nil mixup is none, and its methods do nothing.
type mixup struct {
	alpha float64
	seed  uint64
	draw  func(order []int32, step int) (lambda float64) // fills order with a permutation

	order    []int32 // of the current batch: the place of each row's partner
	partners []int32 // the rows at these places
	share    float32 // 1-λ, that of the partners
}

// mixScratch is what a worker needs to mix a block.
type mixScratch struct {
	x      []float32                    // the partners
	labels [mostRun][kernel.Block]int32 // of the partners
	z      []float32                    // of one head: logits that become the gradient of the partners' loss
	judged kernel.Judged
}

// newMixup prepares the mixing of batches, and the stack's workers for it.
func newMixup(o Options, s *stack) *mixup {
	if o.Mixup == 0 {
		return nil
	}
	m := &mixup{alpha: o.Mixup, seed: o.Seed, order: make([]int32, s.batchSize), partners: make([]int32, s.batchSize)}
	m.draw = m.random
	for i := range s.workers {
		s.workers[i].mix = &mixScratch{
			x: make([]float32, kernel.Block*s.stride), z: make([]float32, s.classes*kernel.Block),
		}
	}
	return m
}

// random draws the permutation and λ of a step, counted from 0. They depend on the
// step, the seed, α and the size of the batch alone.
func (m *mixup) random(order []int32, step int) (lambda float64) {
	r := rng.New(^m.seed, step) // the streams of the seed itself serve elsewhere
	for i := range order {
		order[i] = int32(i)
	}
	r.Shuffle(order)
	return beta(&r, m.alpha)
}

// begin draws the partners of a batch.
func (m *mixup) begin(rows []int32, step int) {
	if m == nil {
		return
	}
	m.order, m.partners = m.order[:len(rows)], m.partners[:len(rows)]
	m.share = float32(1 - m.draw(m.order, step))
	for i, at := range m.order {
		m.partners[i] = rows[at]
	}
}

// of returns the partners of rows begin to end of the batch.
func (m *mixup) of(begin, end int) []int32 {
	if m == nil {
		return nil
	}
	return m.partners[begin:end]
}

// mixes reports whether the current task is on mixed rows.
func (s *stack) mixes() bool { return s.mix != nil && s.task.learn }

// mixIn mixes the partners of a gathered block into it.
func (s *stack) mixIn(x []float32, w *scratch, at int) {
	m := w.mix
	locate(&w.rows, s.task.set, s.task.partners, at)
	s.isa.Gather(m.x, s.stride, s.dim, &w.rows, s.input.AffineMap)
	s.isa.Lerp(x[:len(m.x)], m.x, s.mix.share)
}

// softmax judges a block of logits as kernel.Softmax does. If rows are mixed, it
// mixes the losses and gradients for the rows' own labels and for their partners',
// which are the ones of place i in w. It returns the labels that count as right: those of
// the larger share.
func (s *stack) softmax(w *scratch, i int, z []float32, table *kernel.LossTable) *[kernel.Block]int32 {
	own := &w.labels[i]
	if !s.mixes() {
		s.isa.Softmax(z, s.classes, own, table, &w.judged, s.task.learn)
		return own
	}
	m, share := w.mix, s.mix.share
	copy(m.z, z)
	s.isa.Softmax(z, s.classes, own, table, &w.judged, true)
	s.isa.Softmax(m.z, s.classes, &m.labels[i], table, &m.judged, true)
	s.isa.Lerp(z[:len(m.z)], m.z, share)
	s.isa.Lerp(w.judged.Loss[:], m.judged.Loss[:], share)
	if share > 0.5 {
		return &m.labels[i]
	}
	return own
}
