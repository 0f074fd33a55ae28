package jpeg

import (
	"encoding/binary"
	"math/bits"
)

// band is what a scan adds to: coefficients from to to, in zigzag order, and of each value
// the bits from low on, up to bit high-1; high is 0 in the first scan of a coefficient.
type band struct {
	from, to int
	high     int
	low      uint
}

// sound tells whether a scan of n components may hold the band. A scan of a sequential
// picture holds all.
func (b band) sound(progressive bool, n int) bool {
	switch {
	case !progressive:
		return b == band{to: 63}
	case b.from == 0 && b.to != 0, b.from > b.to, b.to > 63, b.from > 0 && n > 1:
		return false
	}
	return b.low <= 13 && (b.high == 0 || b.high == int(b.low)+1)
}

// savedBits is how many of the coefficients' states smoothing looks at.
const savedBits = 10

// progress is what the scans so far have given of a component.
type progress struct {
	quant [64]uint16 // as it was at the first scan
	set   []uint64   // of each block the coefficients that are not 0, but for DC
	// From which bit on each coefficient is known, in zigzag order, after the last scan and
	// before the component's last one; -1 is unknown.
	bits   [64]int
	before [savedBits]int
}

// layOutAll makes room for the coefficients of a progressive picture.
func (d *Decoder) layOutAll() {
	f := &d.frame
	across, down := f.mcus()
	for i := range f.count {
		c := &f.comps[i]
		blocks := (across*c.h + 2) &^ 1 // pairs, wherever the first is
		c.stride = 64 * blocks
		rows := (max(down*c.v, c.down) + c.tall - 1) / c.tall * c.tall
		c.coefs = zeros(c.coefs, c.stride*rows)
		c.progress.set = zeros(c.progress.set, blocks*rows)
		for k := range c.progress.bits {
			c.progress.bits[k] = -1
		}
		for k := range c.progress.before {
			c.progress.before[k] = -1
		}
	}
	d.lastGood = down - 1
}

// zeros returns n of them, in s if it is large enough.
func zeros[T any](s []T, n int) []T {
	if n > cap(s) {
		return make([]T, n)
	}
	clear(s[:n])
	return s[:n]
}

// note keeps what a scan makes known. As in libjpeg, what was known before is kept of the
// first coefficients alone, and of those of the components that the scan holds.
func (d *Decoder) note(comps []int, b band) {
	for _, i := range comps {
		p := &d.frame.comps[i].progress
		for k := min(b.from, 1); k < savedBits; k++ {
			p.before[k] = p.bits[k]
			if d.frame.scans == 1 {
				p.before[k] = 0
			}
		}
		for k := b.from; k <= b.to; k++ {
			p.bits[k] = int(b.low)
		}
	}
}

// refine goes through a scan of a progressive picture.
func (w *walk) refine(b band) error {
	d := w.d
	r := w.newBandReader(b)
	for row := range w.down {
		if d.Interrupted != nil {
			if err := d.Interrupted(); err != nil {
				return err
			}
		}
		for x := 0; x < w.across && !w.spent; {
			if w.left == 0 {
				r.blank = 0
			}
			if !w.begin() {
				return ErrForeign
			}
			part := min(w.across-x, w.left, w.atATime)
			sound := w.visit(b, &r, row, x, part)
			if w.spent = w.ended(sound); !sound && !w.spent {
				return ErrForeign
			}
			x, w.left = x+part, w.left-part
		}
		if w.spent {
			d.lastGood = row
			if w.single {
				d.lastGood = row / d.frame.comps[w.comps[0]].tall
			}
			return nil
		}
	}
	if w.cut < 0 && w.beyond() > 0 {
		return ErrForeign
	}
	return nil
}

// visit reads what a scan has of n MCUs, from MCU x of a row on.
func (w *walk) visit(b band, r *bandReader, row, x, n int) bool {
	if b.from == 0 {
		return w.visitDC(b, row, x, n)
	}
	c := &w.d.frame.comps[w.comps[0]]
	at := row*c.stride/64 + x
	coefs, set := c.coefs[64*at:][:64*n], c.progress.set[at:][:n]
	return readBands(w.isa, r, coefs, set)
}

// visitDC is visit for DC.
func (w *walk) visitDC(b band, row, x, n int) bool {
	sound := true
	for m := x; m < x+n; m++ {
		if w.pos > w.end+8 {
			return false
		}
		for _, i := range w.comps {
			c := &w.d.frame.comps[i]
			h, v := c.h, c.v
			if w.single {
				h, v = 1, 1
			}
			for y := range v {
				for at := range h {
					coef := &c.coefs[(row*v+y)*c.stride+64*(m*h+at)]
					w.refill()
					if b.high > 0 {
						*coef |= int16(w.acc>>63) << b.low
						w.use(1)
						continue
					}
					e := c.dcTable.entry(w.acc)
					sound = sound && e != noCode
					w.d.pred[i] += w.value(e)
					*coef = int16(w.d.pred[i] << b.low)
					w.use(e)
				}
			}
		}
	}
	return sound
}

// noCode is what libjpeg takes bits for that are no code: one of 17 bits for a value of 0, or
// for the end of a band.
const noCode = 63<<entryShift | 17<<entryCode | 17

// entry finds the code at the top of acc.
func (t *table) entry(acc uint64) uint32 {
	e := t.look[acc>>(64-lookBits)]
	if e == special {
		if e = t.find(acc); e == special {
			e = noCode
		}
	}
	return e
}

// isEnd tells whether an entry is the end of a band, in one of its two forms.
func isEnd(e uint32) bool { return e&special != 0 || e == noCode }

// endOf returns how many blocks' bands end where acc has an entry at its top that isEnd.
func endOf(e uint32, acc uint64) int {
	more := e >> entryAdvance & 15
	return 1<<more + int(acc<<(e>>entryCode&63)>>(64-more))
}

// refilled makes at least 56 bits count; see [reader].
func refilled(data []byte, pos int, acc uint64, n int) (int, uint64, int) {
	acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
	return pos + (63-n)>>3, acc, n | 56
}

// bandReader reads a band of blocks that lie side by side.
type bandReader struct {
	*reader
	table    *table
	refines  bool
	from, to int    // as in band
	low      uint   // as in band
	in       uint64 // coefficients of the band, as in progress.set
	blank    int    // blocks to come whose bands have ended
}

// place is the bit of a coefficient in progress.set. The first coefficient's is the highest,
// as it is in the data.
func place(k int) uint64 { return 1 << (63 - k&63) }

// newBandReader reads a scan's data from where a walk is.
func (w *walk) newBandReader(b band) bandReader {
	return bandReader{
		reader: &w.reader, table: w.d.frame.comps[w.comps[0]].acTable,
		refines: b.high > 0, from: b.from, to: b.to, low: b.low, in: ^uint64(0)>>b.from - ^uint64(0)>>b.to>>1,
	}
}

// read reads the bands of some blocks. It returns false where data make no sense.
func (b *bandReader) read(coefs []int16, set []uint64) bool {
	if b.refines {
		return b.more(coefs, set)
	}
	return b.first(coefs, set)
}

// first reads the first bits of the bands. set tells of each block which of its coefficients
// are not 0. Where data make no sense it goes on as libjpeg does, which writes beyond the
// band, and returns false.
func (b *bandReader) first(coefs []int16, set []uint64) bool {
	r, t, sound := b.reader, b.table, true
	data, pos, acc, n := r.data, r.pos, r.acc, r.n
	for i := 0; i < len(set); i++ {
		if b.blank > 0 {
			ends := min(b.blank, len(set)-i)
			b.blank -= ends
			i += ends - 1
			continue
		}
		if pos > r.end+8 {
			sound = false
			break
		}
		block, nonzero := (*[64]int16)(coefs[64*i:]), set[i]
		for k := b.from - 1; k < b.to; {
			pos, acc, n = refilled(data, pos, acc, n)
			e := t.entry(acc)
			if isEnd(e) {
				b.blank = endOf(e, acc) - 1
				acc, n = acc<<(e&63), n-int(e&63)
				sound = sound && e != noCode
				break
			}
			k += int(e >> entryAdvance)
			if sizeOf(e) > 0 {
				sound = sound && k <= b.to
				k, v := min(k, 63), int16(valueOf(acc, e)<<b.low)
				block[zigzag[k&63]] = v
				nonzero &^= place(k)
				if v != 0 {
					nonzero |= place(k)
				}
			}
			acc, n = acc<<(e&63), n-int(e&63)
		}
		set[i] = nonzero
	}
	r.pos, r.acc, r.n = pos, acc, n
	return sound
}

// sizeOf is how many bits the value of an entry has.
func sizeOf(e uint32) uint32 { return 63 - e>>entryShift&63 }

// more reads one bit more of the bands. For set and for data that make no sense see first.
func (b *bandReader) more(coefs []int16, set []uint64) bool {
	r, t, sound := b.reader, b.table, true
	data, pos, acc, n := r.data, r.pos, r.acc, r.n
	for i := range set {
		if pos > r.end+8 {
			sound = false
			break
		}
		block, nonzero := (*[64]int16)(coefs[64*i:]), set[i]
		rest := b.in // of the band
		for b.blank == 0 && rest != 0 {
			pos, acc, n = refilled(data, pos, acc, n)
			e := t.entry(acc)
			if isEnd(e) {
				b.blank = endOf(e, acc)
				acc, n = acc<<(e&63), n-int(e&63)
				sound = sound && e != noCode
				break
			}
			code := e >> entryCode & 63
			acc, n = acc<<code, n-int(code)
			size, v := sizeOf(e), int16(1)<<b.low
			if size > 0 { // always 1 where data are sound
				sound = sound && size == 1
				if int64(acc) >= 0 {
					v = -v
				}
				acc, n = acc<<1, n-1
			}
			// The coefficient lies behind as many that are 0 as the entry says.
			free := rest &^ nonzero
			for skip := e >> entryAdvance; skip > 1; skip-- {
				free &^= place(bits.LeadingZeros64(free))
			}
			at := bits.LeadingZeros64(free)
			passed := rest & nonzero
			if at < 64 {
				passed &^= ^uint64(0) >> at
			}
			if passed != 0 {
				pos, acc, n = correct(block, passed, b.low, data, pos, acc, n)
			}
			if size > 0 {
				sound = sound && at < 64
				k := min(at, b.to+1, 63)
				block[zigzag[k]] = v
				nonzero |= place(k)
			}
			rest &= ^uint64(0) >> at >> 1
		}
		if b.blank > 0 {
			if known := rest & nonzero; known != 0 {
				pos, acc, n = correct(block, known, b.low, data, pos, acc, n)
			}
			b.blank--
		}
		set[i] = nonzero
	}
	r.pos, r.acc, r.n = pos, acc, n
	return sound
}

// correct reads a bit for each of a block's coefficients that are listed in which, and moves
// those whose bit is 1 away from 0 by 1<<low. It returns what is left to be read.
func correct(block *[64]int16, which uint64, low uint, data []byte, pos int, acc uint64, n int) (int, uint64, int) {
	for which != 0 {
		pos, acc, n = refilled(data, pos, acc, n)
		for ; which != 0 && n > 0; n-- {
			k := bits.LeadingZeros64(which)
			which &^= place(k)
			coef := &block[zigzag[k&63]]
			v := *coef
			step := (1<<low ^ v>>15) - v>>15
			// A bit that is there already, as no encoder leaves it, is not added again.
			*coef = v + step&int16(int64(acc)>>63)&^-(v>>low&1)
			acc <<= 1
		}
	}
	return pos, acc, n
}

// transformAll turns the coefficients of the window into samples.
func (d *Decoder) transformAll() {
	f := &d.frame
	smooths := d.smooths()
	for i := range f.count {
		c := &f.comps[i]
		pairs := (c.x1 - c.x0 + 1) / 2
		for y := c.y0; y < c.y1; y++ {
			coefs := c.coefs[y*c.stride+64*c.x0:][:128*pairs]
			if smooths {
				coefs = d.smoothed(c, y, coefs)
			}
			if d.inspect != nil {
				d.inspect(coefs, &c.progress.quant)
			}
			idct(d.isa(), c.plane.Pix[8*(y-c.y0)*c.plane.Stride:], c.plane.Stride, coefs, &c.progress.quant, pairs)
		}
	}
}
