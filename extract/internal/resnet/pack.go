package resnet

import (
	"runtime"
	"sync"

	"icebox/extract/internal/kernel"
)

// kBlock is the longest run of k that a GEMM takes at once: a panel of so many
// rows stays in the first-level cache.
const kBlock = 256

// packed is the right-hand side of products: for each plane, blocks of k, in them
// panels of columns, as kernel.GEMM reads them.
type packed struct {
	data    []float32
	narrow  []uint16 // instead of data, in half precision or in bfloat16
	element element
	planes  []span
	columns int
}

// element is the type of packed weights.
type element uint8

const (
	float element = iota
	half
	bf16 // what they are multiplied by is in bfloat16, too
)

// span is a plane of packed weights: k rows from an offset.
type span struct {
	offset, k int
}

// newPacked lays out planes with the given numbers of rows.
func newPacked(columns int, k []int, e element) packed {
	p := packed{columns: columns, element: e}
	n := 0
	for _, rows := range k {
		p.planes = append(p.planes, span{n, rows})
		n += rows * columns
	}
	if e == float {
		p.data = make([]float32, n)
		hugePages(p.data)
	} else {
		p.narrow = make([]uint16, n)
		hugePages(p.narrow)
	}
	return p
}

// uniform reports whether one call of GEMM can take all planes.
func (p *packed) uniform() bool {
	return p.planes[0].k <= kBlock && p.planes[0].k == p.planes[len(p.planes)-1].k
}

// block returns where the weights of plane i from row k on lie, and the number of
// rows in that block.
func (p *packed) block(i, k int) (at, rows int) {
	s := p.planes[i]
	return s.offset + k*p.columns, min(kBlock, s.k-k)
}

// panels points g at the weights of plane i from row k on, of columns from first on,
// and at those that follow in k or else in the next plane.
func (p *packed) panels(g *kernel.GEMM, i, k, first int) {
	at, rows := p.block(i, k)
	at += first * rows
	g.K = rows
	p.multiply(g, at, rows*g.Columns)
	if k += rows; k == p.planes[i].k {
		i, k = i+1, 0
	}
	g.Next = 0
	if i < len(p.planes) {
		next, rows := p.block(i, k)
		g.Next = next + first*rows - at
	}
}

// multiply makes n weights from at on the right-hand side of g.
func (p *packed) multiply(g *kernel.GEMM, at, n int) {
	switch p.element {
	case half:
		g.Half = p.narrow[at:][:n]
	case bf16:
		g.BF16 = p.narrow[at:][:n]
	default:
		g.B = p.data[at:][:n]
	}
}

// put stores rows of the panel of columns that begins at n, from row k of plane i on;
// they lie in one block. In bfloat16 rows lie in pairs.
func (p *packed) put(i, k, n, panel int, values []float32) {
	start := k / kBlock * kBlock
	at, rows := p.block(i, start)
	at += n*rows + (k-start)*panel
	switch p.element {
	case half:
		for i, x := range values {
			p.narrow[at+i] = kernel.Half(x)
		}
	case bf16:
		for i, x := range values {
			row, lane := i/panel, i%panel
			p.narrow[at+row/2*2*panel+2*lane+row%2] = kernel.BF16(x)
		}
	default:
		copy(p.data[at:], values)
	}
}

// packing is the work that New does in parallel.
type packing struct {
	panel int
	jobs  []func()
}

// add plans the packing of f for a scheme; the result is complete after run.
func (w *packing) add(f *filters, s kernel.Scheme, e element) packed {
	k := make([]int, s.Planes())
	for p := range k {
		k[p] = s.Slots(p) * f.in
	}
	if e == half && !f.fitsHalf() {
		e = float
	}
	to := newPacked(f.out, k, e)
	for n := 0; n < f.out; n += w.panel {
		w.jobs = append(w.jobs, func() { packPanel(to, f, s, n, w.panel) })
	}
	return to
}

// run does the work on all processors.
func (w *packing) run() {
	next := make(chan func())
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for job := range next {
				job()
			}
		})
	}
	for _, job := range w.jobs {
		next <- job
	}
	close(next)
	wg.Wait()
}

// packRows is the number of input channels that are packed together; it divides
// kernel.KStep.
const packRows = 4

// packPanel fills the panel that begins at output channel n.
func packPanel(to packed, f *filters, s kernel.Scheme, n, panel int) {
	const slots = 81
	stride := packRows * panel
	filter := s.Filter(stride)
	u := make([]float32, slots*stride) // by slot of a plane, input channel and lane
	var w [kernel.MaxTaps * kernel.MaxTaps]float64
	for c := 0; c < f.in; c += packRows {
		for i := range stride {
			f.at(w[:], n+i%panel, c+i/panel)
			filter.Apply(u[i:], &w)
		}
		rows := u
		for p := range s.Planes() {
			for slot := range s.Slots(p) {
				to.put(p, slot*f.in+c, n, panel, rows[:stride])
				rows = rows[stride:]
			}
		}
	}
}
