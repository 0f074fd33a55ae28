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

// used returns the bits used beyond the end of the interval, which is negative
// for a sound one that is not through.
func (r *reader) beyond() int { return 8*(r.pos-r.end) - r.n }

// decode reads a run of MCUs, each made of the units' blocks, the first of which
// is first of its row, into coefficients that are all 0. It is false for data that make no sense.
func (r *reader) decode(units []unit, first, mcus int) bool {
	data, pos, acc, n := r.data, r.pos, r.acc, r.n
	for m := range mcus {
		for i := range units {
			u := &units[i]
			if pos > r.end+8 {
				return false
			}
			block := (*[64]int16)(u.coefs[(first+m)*u.step:])
			acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
			pos += (63 - n) >> 3
			n |= 56
			e := u.dc.look[acc>>(64-lookBits)]
			if e&special != 0 {
				if e = u.dc.find(acc); e&special != 0 {
					return false
				}
			}
			*u.pred += value(acc, e)
			block[0] = int16(*u.pred)
			acc <<= e & 63
			n -= int(e & 63)
			for k := 0; k < 63; {
				acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
				pos += (63 - n) >> 3
				n |= 56
				e := u.ac.look[acc>>(64-lookBits)]
				if e&special != 0 {
					if e&63 == 0 {
						e = u.ac.find(acc)
					}
					if e&special != 0 {
						if e&63 == 0 {
							return false
						}
						acc <<= e & 63
						n -= int(e & 63)
						break
					}
				}
				if k += int(e >> entryAdvance); k > 63 {
					return false
				}
				block[zigzag[k&63]] = int16(value(acc, e))
				acc <<= e & 63
				n -= int(e & 63)
			}
		}
	}
	r.pos, r.acc, r.n = pos, acc, n
	return true
}

// skip reads a run of MCUs for the DC of the blocks to come.
func (r *reader) skip(units []unit, mcus int) bool {
	data, pos, acc, n := r.data, r.pos, r.acc, r.n
	for range mcus {
		for i := range units {
			u := &units[i]
			if pos > r.end+8 {
				return false
			}
			acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
			pos += (63 - n) >> 3
			n |= 56
			e := u.dc.look[acc>>(64-lookBits)]
			if e&special != 0 {
				if e = u.dc.find(acc); e&special != 0 {
					return false
				}
			}
			*u.pred += value(acc, e)
			acc <<= e & 63
			n -= int(e & 63)
			for k := 0; k < 63; {
				acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
				pos += (63 - n) >> 3
				n |= 56
				e := u.ac.look[acc>>(64-lookBits)]
				if e&special != 0 {
					if e&63 == 0 {
						e = u.ac.find(acc)
					}
					if e&special != 0 {
						if e&63 == 0 {
							return false
						}
						acc <<= e & 63
						n -= int(e & 63)
						break
					}
				}
				if k += int(e >> entryAdvance); k > 63 {
					return false
				}
				acc <<= e & 63
				n -= int(e & 63)
			}
		}
	}
	r.pos, r.acc, r.n = pos, acc, n
	return true
}

// value reads the bits of an entry's value, which follow its code: the upper
// half of a size's values are themselves, the lower half negative.
func value(acc uint64, e uint32) int32 {
	bits := acc << (e >> entryCode & 63)
	negative := ^uint64(int64(bits) >> 63)
	size := (bits ^ negative) >> 1 >> (e >> entryShift & 63)
	return int32(size^negative) - int32(negative)
}
