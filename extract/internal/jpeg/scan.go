package jpeg

import (
	"bytes"

	"icebox/extract/internal/isa"
)

// scan decodes the scan that a header announces, whose data begins at an
// offset, and returns the offset of the marker behind it.
func (d *Decoder) scan(header []byte, at int) (next int, err error) {
	comps, band, err := d.scanned(header)
	if err != nil {
		return 0, err
	}
	w := d.newWalk(comps)
	next, err = d.unstuff(at, w.intervals())
	if err != nil {
		return 0, err
	}
	w.data = d.packed
	if d.salvages && next == len(d.data)-2 && len(d.ends) <= w.intervals() {
		d.short = true
		w.goOn()
	}
	if len(w.units) > maxMCUBlocks || len(d.ends) != w.intervals() {
		return 0, ErrForeign
	}
	if !d.frame.progressive {
		if !w.run() {
			err = ErrForeign
		}
		return next, err
	}
	d.note(comps, band)
	return next, w.refine(band)
}

// scanned reads a scan header, and returns which components the scan holds, and which of
// their coefficients.
func (d *Decoder) scanned(body []byte) ([]int, band, error) {
	f := &d.frame
	if len(body) < 1 {
		return nil, band{}, ErrForeign
	}
	n := int(body[0])
	if n < 1 || n > f.count || len(body) != 2*n+4 {
		return nil, band{}, ErrForeign
	}
	tail := body[2*n+1:]
	b := band{from: int(tail[0]), to: int(tail[1]), high: int(tail[2] >> 4), low: uint(tail[2] & 15)}
	if !b.sound(f.progressive, n) {
		return nil, b, ErrForeign
	}
	last := -1
	for i := range n {
		at := f.component(int(body[2*i+1]))
		if at <= last || !d.chooseTables(&f.comps[max(at, 0)], body[2*i+2], b) {
			return nil, b, ErrForeign
		}
		d.scanComps[i], last = at, at
	}
	f.scans++
	return d.scanComps[:n], b, nil
}

// component returns the place of the component with an id, or -1.
func (f *frame) component(id int) int {
	for i := range f.count {
		if f.comps[i].id == id {
			return i
		}
	}
	return -1
}

// chooseTables takes the tables for a component of a scan, whose numbers are given in one
// byte. It fails where one of them is missing or the component is not to be scanned again.
func (d *Decoder) chooseTables(c *component, numbers byte, b band) bool {
	f := &d.frame
	if numbers>>4 > 3 || numbers&15 > 3 || !f.hasQuant[c.quant] {
		return false
	}
	c.dcTable, c.acTable = f.dc[numbers>>4], f.ac[numbers&15]
	if !f.progressive {
		first := !c.decoded
		c.decoded = true
		return first && c.dcTable.make(levels) && c.acTable.make(sequential)
	}
	if !c.decoded {
		c.decoded, c.progress.quant = true, f.quant[c.quant]
	}
	switch {
	case b.from > 0:
		return c.acTable.make(bands)
	case b.high == 0:
		return c.dcTable.make(levels)
	}
	return true
}

// unstuff copies the entropy-coded data at an offset to d.packed, without its
// stuffed bytes and the restart markers between the intervals, and returns the offset of the
// marker behind it. It fails where the file ends first or markers are out of order.
func (d *Decoder) unstuff(at, intervals int) (next int, err error) {
	out, rest := d.packed[:0], d.data[at:]
	d.ends = d.ends[:0]
	for {
		i := bytes.IndexByte(rest, 0xff)
		if i < 0 || i+1 >= len(rest) {
			return 0, ErrShort
		}
		mark := rest[i+1]
		if mark == 0 {
			out = append(out, rest[:i+1]...)
			rest = rest[i+2:]
			continue
		}
		out = append(out, rest[:i]...)
		if mark == 0xff {
			// Fill bytes, which may stand before a marker.
			rest = rest[i+1:]
			if len(rest) > 1 && rest[1] == 0 {
				return 0, ErrForeign
			}
			continue
		}
		if mark < markRST0 || mark > markRST7 || len(d.ends) == intervals-1 {
			d.ends = append(d.ends, len(out))
			d.packed = append(out, make([]byte, slack)...)
			return len(d.data) - len(rest) + i, nil
		}
		if int(mark-markRST0) != len(d.ends)%8 {
			return 0, ErrForeign
		}
		d.ends = append(d.ends, len(out))
		rest = rest[i+2:]
	}
}

// walk goes through the MCUs of a scan.
type walk struct {
	reader
	d        *Decoder
	comps    []int
	units    []unit
	single   bool // one component, whose every block is an MCU
	across   int  // MCUs of a row
	down     int  // rows of MCUs
	total    int
	x0, x1   int // columns of MCUs that are decoded
	y0, y1   int // rows of MCUs that are decoded
	left     int // MCUs of the interval
	interval int // the next one

	isa     isa.ISA
	atATime int  // most MCUs that one call reads
	cut     int  // where data that end early end; -1 if they do not
	spent   bool // all that follows is missing
}

// newWalk lists the blocks of an MCU. In a scan of one component it is one
// block, and those of padding are left out.
func (d *Decoder) newWalk(comps []int) walk {
	f := &d.frame
	w := walk{d: d, comps: comps, units: d.units[:0], single: len(comps) == 1, isa: d.isa(), atATime: atATime, cut: -1}
	c := &f.comps[comps[0]]
	if w.single {
		w.across, w.down = c.across, c.down
		w.x0, w.x1, w.y0, w.y1 = c.x0, min(c.x1, c.across), c.y0, min(c.y1, c.down)
		w.add(comps[0], 1, 1)
	} else {
		w.across, w.down = f.mcus()
		w.x0, w.x1, w.y0, w.y1 = c.x0/c.h, c.x1/c.h, c.y0/c.v, c.y1/c.v
		for _, i := range comps {
			w.add(i, f.comps[i].h, f.comps[i].v)
		}
	}
	w.total = w.across * w.down
	return w
}

// add lists the blocks of a component in an MCU.
func (w *walk) add(comp, h, v int) {
	c := &w.d.frame.comps[comp]
	for y := range v {
		for x := range h {
			w.units = append(w.units, unit{dc: c.dcTable, ac: c.acTable, pred: &w.d.pred[comp], coefs: c.coefs[y*c.stride+64*x:], step: 64 * h})
		}
	}
}

// intervals returns how many restart intervals the scan has.
func (w *walk) intervals() int {
	if n := w.d.frame.restart; n > 0 {
		return (w.total + n - 1) / n
	}
	return 1
}

// maxMCUBytes is more than an MCU needs: each of its coefficients takes at most 26 bits.
const maxMCUBytes = maxMCUBlocks * 64 * 4

// goOn has the MCU within which the data end go on with bits that are 0, as libjpeg does.
// Those behind it are left out; the reader must stop after each to find it.
func (w *walk) goOn() {
	d := w.d
	last := len(d.ends) - 1
	w.cut, w.isa, w.atATime = d.ends[last], isa.Portable, 1
	d.packed = append(d.packed, make([]byte, 2*maxMCUBytes)...)
	w.data = d.packed
	d.ends[last] += maxMCUBytes
	for len(d.ends) < w.intervals() { // of which at most one is begun
		d.ends = append(d.ends, d.ends[last]+maxMCUBytes)
	}
}

// ended tells whether the bits behind the end of data that end early are in use, or,
// after a block that makes no sense, may be.
func (w *walk) ended(sound bool) bool {
	if w.cut < 0 || w.end <= w.cut {
		return false
	}
	return 8*(w.pos-w.cut)-w.n > 0 || !sound && w.pos+64*4 > w.cut
}

// run goes through the whole scan: damage in the rows that are wanted often shows only
// behind them, when the data end too early.
func (w *walk) run() bool {
	at := 0
	for row := w.y0; row < w.y1; row++ {
		first := row*w.across + w.x0
		if !w.pass(first-at) || !w.take(w.x1-w.x0) {
			return false
		}
		at = first + w.x1 - w.x0
		w.transform(row - w.y0)
	}
	return w.pass(w.total-at) && (w.cut >= 0 || w.beyond() <= 0)
}

// atATime is the most MCUs that one call passes. The runtime cannot interrupt assembly,
// and the garbage collector may have to wait for it.
const atATime = 4096

// pass goes through n MCUs that are not wanted.
func (w *walk) pass(n int) bool {
	for n > 0 && !w.spent {
		if !w.begin() {
			return false
		}
		part := min(n, w.left, w.atATime)
		sound := skip(w.isa, &w.reader, w.units, part)
		if w.spent = w.ended(sound); !sound && !w.spent {
			return false
		}
		n, w.left = n-part, w.left-part
	}
	return true
}

// take decodes the n MCUs of a row that are wanted.
func (w *walk) take(n int) bool {
	for first := 0; first < n && !w.spent; {
		if !w.begin() {
			return false
		}
		part := min(n-first, w.left, w.atATime)
		sound := decode(w.isa, &w.reader, w.units, first, part)
		if w.spent = w.ended(sound); !sound && !w.spent {
			return false
		}
		first, w.left = first+part, w.left-part
	}
	return true
}

// begin enters the next restart interval where one ends.
func (w *walk) begin() bool {
	if w.left > 0 {
		return true
	}
	from := 0
	if w.interval > 0 {
		if w.beyond() > 0 && (w.cut < 0 || w.end <= w.cut) {
			return false
		}
		from = w.end
	}
	w.start(from, w.d.ends[w.interval])
	w.interval++
	w.d.pred = [maxComponents]int32{}
	w.left = w.d.frame.restart
	if w.left == 0 {
		w.left = w.total
	}
	return true
}

// transform turns the coefficients of a row of MCUs into samples.
func (w *walk) transform(row int) {
	for _, i := range w.comps {
		c := &w.d.frame.comps[i]
		v := c.v
		if w.single {
			v = 1
		}
		for y := range v {
			dst := c.plane.Pix[8*(row*v+y)*c.plane.Stride:]
			coefs, quant := c.coefs[y*c.stride:][:c.stride], &w.d.frame.quant[c.quant]
			if w.d.inspect != nil {
				w.d.inspect(coefs, quant)
			}
			idct(w.d.isa(), dst, c.plane.Stride, coefs, quant, c.stride/128)
		}
	}
}
