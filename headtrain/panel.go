package headtrain

import (
	"icebox/headtrain/internal/kernel"
	"icebox/headtrain/internal/team"
)

// panelRows is the most rows that are worked on at a time. A larger batch is taken
// in several panels, so that memory does not grow with it.
const panelRows = 16 * kernel.ChunkRows

// evalRows is the least capacity of a panel. Evaluation takes this many rows at a
// time even if the batches of training are smaller.
const evalRows = 8 * kernel.ChunkRows

// panel is the scratch memory of a stack of heads for some rows of a batch: the
// gathered rows, their logits and what follows from them. Rows are padded up to
// whole blocks; what the padding rows hold has no influence.
type panel struct {
	rows int // in use

	x       []float32 // gathered features, stride apart
	z       []float32 // logits that become dloss/dz: blocks, zStride apart
	zStride int
	loss    []float64 // of each block and head
	hits    []int32   // rows of each block that each head classifies correctly
	best    []int32   // of each block, head and row, the class of the largest logit; nil where nothing is validated
	parts   []float32 // gradients of each chunk, for a stack that is narrow, or becomes so
}

func newPanel(rows, stride, cols, heads int) *panel {
	n := kernel.RoundUp(rows)
	blocks := n / kernel.Block
	zStride := cols*kernel.Block | kernel.Lane // an odd number of cache lines
	chunks := (n + kernel.ChunkRows - 1) / kernel.ChunkRows
	return &panel{
		x: make([]float32, n*stride), z: make([]float32, blocks*zStride), zStride: zStride,
		loss: make([]float64, blocks*heads), hits: make([]int32, blocks*heads),
		parts: make([]float32, chunks*min(cols, narrow)*stride),
	}
}

func (p *panel) blocks() int { return kernel.RoundUp(p.rows) / kernel.Block }

// scratch is the memory that one worker has to itself.
type scratch struct {
	x      []float32                    // a chunk of mapped rows that the panel does not hold
	g      []float32                    // gradient of a group of columns
	rows   kernel.Rows                  // where the rows of a block lie
	labels [mostRun][kernel.Block]int32 // of the blocks of an item
	ahead  kernel.Ahead                 // what to fetch
	judged kernel.Judged
	mix    *mixScratch // nil where rows are not mixed

	_ [team.CacheLine]byte // so that no two workers write to one cache line
}
