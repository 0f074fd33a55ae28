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
	planes  []span
	columns int
}

// span is a plane of packed weights: k rows from an offset.
type span struct {
	offset, k int
}

// newPacked lays out planes with the given numbers of rows.
func newPacked(columns int, k []int) packed {
	p := packed{columns: columns}
	n := 0
	for _, rows := range k {
		p.planes = append(p.planes, span{n, rows})
		n += rows * columns
	}
	p.data = make([]float32, n)
	return p
}

// uniform reports whether one call of GEMM can take all planes.
func (p *packed) uniform() bool {
	return p.planes[0].k <= kBlock && p.planes[0].k == p.planes[len(p.planes)-1].k
}

// block returns the weights of plane i from row k on, and the number of rows in
// that block.
func (p *packed) block(i, k int) ([]float32, int) {
	s := p.planes[i]
	rows := min(kBlock, s.k-k)
	return p.data[s.offset+k*p.columns:][:rows*p.columns], rows
}

// row returns where columns n and following of row k of plane i lie, for a panel
// of so many columns.
func (p *packed) row(i, k, n, panel int) []float32 {
	start := k / kBlock * kBlock
	b, rows := p.block(i, start)
	return b[n*rows+(k-start)*panel:][:panel]
}

// packing is the work that New does in parallel.
type packing struct {
	panel int
	jobs  []func()
}

// add plans the packing of f for a scheme; the result is complete after run.
func (w *packing) add(f *filters, s kernel.Scheme) packed {
	k := make([]int, s.Planes())
	for p := range k {
		k[p] = s.Slots(p) * f.in
	}
	to := newPacked(f.out, k)
	for n := 0; n < f.out; n += w.panel {
		w.jobs = append(w.jobs, func() { packPanel(to, f, s, n, w.panel) })
	}
	return to
}

// addMatrix plans the packing of a 1×1 convolution.
func (w *packing) addMatrix(f *filters) packed {
	to := newPacked(f.out, []int{f.in})
	for n := 0; n < f.out; n += w.panel {
		w.jobs = append(w.jobs, func() {
			var v [1]float64
			for c := range f.in {
				for lane, row := 0, to.row(0, c, n, w.panel); lane < w.panel; lane++ {
					f.at(v[:], n+lane, c)
					row[lane] = float32(v[0])
				}
			}
		})
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

// packPanel fills the panel that begins at output channel n.
func packPanel(to packed, f *filters, s kernel.Scheme, n, panel int) {
	planes := s.Planes()
	u := make([][4]float64, panel*planes)
	w := make([]float64, f.taps*f.taps)
	for c := range f.in {
		for lane := range panel {
			f.at(w, n+lane, c)
			s.Kernel(u[lane*planes:][:planes], w)
		}
		for p := range planes {
			for slot := range s.Slots(p) {
				row := to.row(p, slot*f.in+c, n, panel)
				for lane := range row {
					row[lane] = float32(u[lane*planes+p][slot])
				}
			}
		}
	}
}
