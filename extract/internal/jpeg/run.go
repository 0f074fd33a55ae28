package jpeg

import "encoding/binary"

// slack is the number of bytes behind the entropy-coded data that may be read:
// a block of 64 coefficients takes less than 8 bytes for each.
const slack = 1024

// unit is the part of one block in every MCU of a run.
type unit struct {
	dc, ac *table
	pred   *int32 // the component's last DC
	coefs  []int16
	step   int // coefficients from its block in one MCU to that in the next
}

// reader is a position in the entropy-coded data, without stuffed bytes. The
// next bits stand at the top of acc; n of them count, and what is below is
// right or 0.
type reader struct {
	data []byte // with slack bytes behind end
	pos  int    // of the byte that follows the n bits
	end  int    // of the restart interval
	acc  uint64
	n    int
}

// start begins the restart interval [from, to).
func (r *reader) start(from, to int) {
	r.pos, r.end, r.acc, r.n = from, to, 0, 0
}

// beyond returns how many bits beyond the end of the interval are used. It is negative
// for a sound interval that is not yet at its end.
func (r *reader) beyond() int { return 8*(r.pos-r.end) - r.n }

// decode reads a run of MCUs, each made of the units' blocks, into coefficients that
// are all 0. first is the place of the first of them in its row. It returns false for
// data that make no sense.
func (r *reader) decode(units []unit, first, mcus int) bool {
	for m := range mcus {
		for i := range units {
			u := &units[i]
			if !r.block(u, (*[64]int16)(u.coefs[(first+m)*u.step:])) {
				return false
			}
		}
	}
	return true
}

// skip reads past a run of MCUs. It keeps only the DC, on which the blocks behind
// depend.
func (r *reader) skip(units []unit, mcus int) bool {
	var nowhere [64]int16
	for range mcus {
		for i := range units {
			if !r.block(&units[i], &nowhere) {
				return false
			}
		}
	}
	return true
}

// block reads one block.
func (r *reader) block(u *unit, coefs *[64]int16) bool {
	if r.pos > r.end+8 {
		return false
	}
	b := *r // in registers
	b.refill()
	e := u.dc.look[b.acc>>(64-lookBits)]
	if e&special != 0 {
		if e = u.dc.find(b.acc); e&special != 0 {
			return false
		}
	}
	*u.pred += b.value(e)
	coefs[0] = int16(*u.pred)
	b.use(e)
	for k := 0; k < 63; {
		b.refill()
		e := u.ac.look[b.acc>>(64-lookBits)]
		if e == special {
			e = u.ac.find(b.acc)
		}
		if e&special != 0 {
			if e == special {
				return false
			}
			b.use(e)
			break
		}
		if k += int(e >> entryAdvance); k > 63 {
			return false
		}
		coefs[zigzag[k&63]] = int16(b.value(e))
		b.use(e)
	}
	*r = b
	return true
}

// refill makes at least 56 bits count.
func (r *reader) refill() {
	r.acc |= binary.BigEndian.Uint64(r.data[r.pos:]) >> (r.n & 63)
	r.pos += (63 - r.n) >> 3
	r.n |= 56
}

// use drops the bits of an entry.
func (r *reader) use(e uint32) {
	r.acc <<= e & 63
	r.n -= int(e & 63)
}

// value reads the bits of an entry's value, which follow its code: the upper
// half of a size's values are themselves, the lower half negative.
func (r *reader) value(e uint32) int32 { return valueOf(r.acc, e) }

func valueOf(acc uint64, e uint32) int32 {
	bits := acc << (e >> entryCode & 63)
	negative := ^uint64(int64(bits) >> 63)
	size := (bits ^ negative) >> 1 >> (e >> entryShift & 63)
	return int32(size^negative) - int32(negative)
}
