package inflate

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
)

var (
	// ErrHeader is returned for data that do not begin as a zlib stream, or ask for a
	// dictionary.
	ErrHeader = errors.New("zlib: invalid header")
	// ErrCorrupt is returned for a block that makes no sense.
	ErrCorrupt = errors.New("flate: corrupt input")
	// ErrChecksum is returned for a stream that holds other bytes than were packed.
	ErrChecksum = errors.New("zlib: invalid checksum")
	// ErrShort is returned for a stream that ends before dst is full, or in the middle.
	ErrShort = errors.New("zlib: unexpected EOF")
	// ErrLong is returned for a stream that has more than fits dst.
	ErrLong = errors.New("zlib: more data than expected")
)

// Slack is how many bytes of any value must lie behind a stream in memory.
const Slack = 16

// atOnce is how many bytes are unpacked between two questions whether to go on.
const atOnce = 1 << 20

// Decoder unpacks streams, one after the other, and keeps its tables. The zero value is ready
// for use, by one goroutine.
type Decoder struct {
	// Interrupted, unless it is nil, is asked now and then. If it returns an error, Zlib
	// returns it.
	Interrupted func() error

	src       []byte // with Slack
	end       int    // of the stream in src
	pos       int    // of the byte behind those in bits
	bits      uint64 // the next ones, from the lowest on
	n         uint   // how many of them count
	dst       []byte
	out       int
	lit, dist table
	lengths   [maxSymbols + maxDistances]uint8
}

// The numbers of symbols, of which the last two and the last two distances do not exist.
const (
	maxSymbols   = 288
	maxDistances = 32
)

// Zlib unpacks the stream in src, but for its last [Slack] bytes, and fills dst with it. What
// follows the stream is not looked at.
func (d *Decoder) Zlib(dst, src []byte) error {
	d.src, d.end, d.dst, d.out = src, len(src)-Slack, dst, 0
	defer func() { d.src, d.dst = nil, nil }()
	if d.end < 2 {
		return ErrShort
	}
	if h := binary.BigEndian.Uint16(src); h>>8&15 != 8 || h>>12 > 7 || h%31 != 0 || h&0x20 != 0 {
		return ErrHeader
	}
	d.pos, d.bits, d.n = 2, 0, 0
	for last := false; !last; {
		var err error
		if last, err = d.block(); err != nil {
			return err
		}
	}
	d.align()
	switch {
	case d.out < len(dst), d.pos+4 > d.end:
		return ErrShort
	case binary.BigEndian.Uint32(src[d.pos:]) != adler32.Checksum(dst):
		return ErrChecksum
	}
	return nil
}

// refill makes at least 56 bits count. Behind the end of src it adds zeros.
func (d *Decoder) refill() {
	if d.pos <= d.end {
		d.bits |= binary.LittleEndian.Uint64(d.src[d.pos:]) << (d.n & 63)
	}
	d.pos += int((63 - d.n) >> 3)
	d.n |= 56
}

func (d *Decoder) take(n uint) uint64 {
	v := d.bits & (1<<n - 1)
	d.bits >>= n
	d.n -= n
	return v
}

// ended tells whether bits behind the end are in use.
func (d *Decoder) ended() bool { return 8*d.pos-int(d.n) > 8*d.end }

// align gives back the whole bytes that are at hand.
func (d *Decoder) align() {
	d.pos -= int(d.n / 8)
	d.bits, d.n = 0, 0
}

// block unpacks the next block.
func (d *Decoder) block() (last bool, err error) {
	if d.Interrupted != nil {
		if err := d.Interrupted(); err != nil {
			return false, err
		}
	}
	d.refill()
	last = d.take(1) == 1
	switch d.take(2) {
	case 0:
		return last, d.stored()
	case 1:
		d.fixed()
	case 2:
		if err := d.dynamic(); err != nil {
			return last, err
		}
	default:
		return last, d.fault(ErrCorrupt)
	}
	return last, d.unpack()
}

// fault is err, or ErrShort where what seemed wrong may be a code that the end cuts off.
func (d *Decoder) fault(err error) error {
	if 8*d.pos-int(d.n)+maxCode > 8*d.end {
		return ErrShort
	}
	return err
}

// stored copies a block that is not packed.
func (d *Decoder) stored() error {
	d.align()
	if d.pos+4 > d.end {
		return ErrShort
	}
	n := int(binary.LittleEndian.Uint16(d.src[d.pos:]))
	if n != int(^binary.LittleEndian.Uint16(d.src[d.pos+2:])) {
		return ErrCorrupt
	}
	d.pos += 4
	if n > len(d.dst)-d.out {
		return ErrLong
	}
	if n > d.end-d.pos {
		return ErrShort
	}
	d.out += copy(d.dst[d.out:], d.src[d.pos:][:n])
	d.pos += n
	return nil
}

// symbols and distances are the entries of all codes, without the codes' lengths.
var symbols, distances = func() (s [maxSymbols]uint32, d [maxDistances]uint32) {
	for i := range 256 {
		s[i] = literal | uint32(i)<<entryValue
	}
	s[256] = theEnd
	base := uint32(3)
	for i := range uint32(28) { // RFC 1951, section 3.2.5
		extra := max(i, 4)/4 - 1
		s[257+i] = base<<entryValue + extra
		base += 1 << extra
	}
	s[285], s[286], s[287] = 258<<entryValue, noCode, noCode
	base = 1
	for i := range uint32(30) {
		extra := max(i, 2)/2 - 1
		d[i] = base<<entryValue + extra
		base += 1 << extra
	}
	d[30], d[31] = noCode, noCode
	return s, d
}()

// The bits that the first look into a table resolves.
const (
	litLook  = 11
	distLook = 9
)

// fixed makes the tables of a block with the codes of the standard.
func (d *Decoder) fixed() {
	for i := range maxSymbols {
		d.lengths[i] = [...]uint8{8, 9, 7, 8}[btoi(i >= 144)+btoi(i >= 256)+btoi(i >= 280)]
	}
	d.lit.make(litLook, d.lengths[:maxSymbols], symbols[:])
	for i := range maxDistances {
		d.lengths[i] = 5
	}
	d.dist.make(distLook, d.lengths[:maxDistances], distances[:])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// codeOrder is the order in which the lengths of the codes of lengths are stored.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// lengthSymbols are the entries of the codes of lengths.
var lengthSymbols = func() (s [19]uint32) {
	for i := range s {
		s[i] = uint32(i) << entryValue
	}
	return s
}()

// dynamic reads the tables of a block with codes of its own.
func (d *Decoder) dynamic() error {
	d.refill()
	lits, dists, codes := int(d.take(5))+257, int(d.take(5))+1, int(d.take(4))+4
	if lits > 286 || dists > 30 {
		return d.fault(ErrCorrupt)
	}
	var lengths [19]uint8
	for i := range codes {
		d.refill()
		lengths[codeOrder[i]] = uint8(d.take(3))
	}
	if !d.lit.make(7, lengths[:], lengthSymbols[:]) {
		return d.fault(ErrCorrupt)
	}
	all := d.lengths[:lits+dists]
	for i := 0; i < len(all); {
		d.refill()
		e := d.lit.entries[d.bits&(1<<7-1)]
		if e&rare != 0 || d.ended() {
			return d.fault(ErrCorrupt)
		}
		d.take(uint(e & sixBits))
		value, times := uint8(e>>entryValue), 1
		switch value {
		case 16:
			if i == 0 {
				return d.fault(ErrCorrupt)
			}
			value, times = all[i-1], 3+int(d.take(2))
		case 17:
			value, times = 0, 3+int(d.take(3))
		case 18:
			value, times = 0, 11+int(d.take(7))
		}
		if times > len(all)-i {
			return d.fault(ErrCorrupt)
		}
		for range times {
			all[i] = value
			i++
		}
	}
	if !d.lit.make(litLook, all[:lits], symbols[:]) || !d.dist.make(distLook, all[lits:], distances[:]) {
		return d.fault(ErrCorrupt)
	}
	return nil
}

// unpack unpacks the data of a block whose tables are made.
func (d *Decoder) unpack() error {
	for {
		// Most of them quickly: the bounds leave room for what a turn can take and give.
		for d.out < len(d.dst)-quickRoom && d.pos <= d.end-Slack {
			if done, err := d.quick(min(len(d.dst)-quickRoom, d.out+atOnce)); done || err != nil {
				return err
			}
			if d.Interrupted != nil {
				if err := d.Interrupted(); err != nil {
					return err
				}
			}
		}
		if done, err := d.one(); done || err != nil {
			return err
		}
	}
}

// find returns the entry of the code at hand, and drops the bits of a link to it.
func (d *Decoder) find(t *table) uint32 {
	e := t.entries[d.bits&(1<<t.look-1)]
	if e&link == link {
		d.take(t.look)
		e = t.entries[uint64(e>>entryValue&valueBits)+d.bits&(1<<(e>>entryCode&sixBits)-1)]
	}
	return e
}

// value reads the value of an entry.
func (d *Decoder) value(e uint32) int {
	code := uint(e >> entryCode & sixBits)
	d.take(code)
	return int(e>>entryValue&valueBits) + int(d.take(uint(e&sixBits)-code))
}

// one unpacks one literal or copy, with care. done tells that the block has ended.
func (d *Decoder) one() (done bool, err error) {
	d.refill()
	e := d.find(&d.lit)
	if e&literal != 0 {
		d.take(uint(e & sixBits))
		if d.ended() {
			return false, ErrShort
		}
		if d.out == len(d.dst) {
			return false, ErrLong
		}
		d.dst[d.out] = byte(e >> entryValue)
		d.out++
		return false, nil
	}
	if e&theEnd == theEnd {
		d.take(uint(e & sixBits))
		if d.ended() {
			return false, ErrShort
		}
		return true, nil
	}
	if e&rare != 0 {
		return false, d.fault(ErrCorrupt)
	}
	length := d.value(e)
	d.refill()
	e = d.find(&d.dist)
	if e&rare != 0 {
		return false, d.fault(ErrCorrupt)
	}
	distance := d.value(e)
	switch {
	case d.ended():
		return false, ErrShort
	case distance > d.out:
		return false, ErrCorrupt
	case length > len(d.dst)-d.out:
		return false, ErrLong
	}
	for range length {
		d.dst[d.out] = d.dst[d.out-distance]
		d.out++
	}
	return false, nil
}

// quickRoom is more than a turn of quick writes: 2 literals and a copy of 258 bytes, in words.
const quickRoom = 2 + 258 + 32

// quick is one, over and over, until out reaches a limit that leaves quickRoom or the end of
// src comes near. It keeps what changes in registers.
func (d *Decoder) quick(limit int) (done bool, err error) {
	src, dst, lit, dist := d.src, d.dst, d.lit.entries, d.dist.entries
	pos, acc, n, out := d.pos, d.bits, d.n, d.out
	lit, dist = lit[:len(lit):len(lit)], dist[:len(dist):len(dist)]
	_, _ = lit[1<<litLook-1], dist[1<<distLook-1]
	last := d.end - Slack
	for out < limit && pos <= last {
		acc |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
		pos += int((63 - n) >> 3)
		n |= 56
		e := lit[acc&(1<<litLook-1)]
		if e&literal != 0 {
			dst[out] = byte(e >> entryValue)
			acc, n = acc>>(e&sixBits), n-uint(e&sixBits)
			e = lit[acc&(1<<litLook-1)]
			if e&literal != 0 {
				dst[out+1] = byte(e >> entryValue)
				acc, n = acc>>(e&sixBits), n-uint(e&sixBits)
				out += 2
				e = lit[acc&(1<<litLook-1)]
				if e&literal != 0 {
					dst[out] = byte(e >> entryValue)
					acc, n = acc>>(e&sixBits), n-uint(e&sixBits)
					out++
					continue
				}
			} else {
				out++
			}
		}
		if e&rare != 0 {
			if e&link == link {
				acc, n = acc>>litLook, n-litLook
				e = lit[uint64(e>>entryValue&valueBits)+acc&(1<<(e>>entryCode&sixBits)-1)]
			}
			if e&literal != 0 {
				dst[out] = byte(e >> entryValue)
				acc, n = acc>>(e&sixBits), n-uint(e&sixBits)
				out++
				continue
			}
			if e&theEnd == theEnd {
				acc, n = acc>>(e&sixBits), n-uint(e&sixBits)
				done = true
				break
			}
			if e&rare != 0 {
				return false, ErrCorrupt
			}
		}
		length := int(e>>entryValue&valueBits) + int(acc&(1<<(e&sixBits)-1)>>(e>>entryCode&sixBits))
		acc, n = acc>>(e&sixBits), n-uint(e&sixBits)

		acc |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
		pos += int((63 - n) >> 3)
		n |= 56
		e = dist[acc&(1<<distLook-1)]
		if e&rare != 0 {
			if e&link == link {
				acc, n = acc>>distLook, n-distLook
				e = dist[uint64(e>>entryValue&valueBits)+acc&(1<<(e>>entryCode&sixBits)-1)]
			}
			if e&rare != 0 {
				return false, ErrCorrupt
			}
		}
		distance := int(e>>entryValue&valueBits) + int(acc&(1<<(e&sixBits)-1)>>(e>>entryCode&sixBits))
		acc, n = acc>>(e&sixBits), n-uint(e&sixBits)
		if distance > out {
			return false, ErrCorrupt
		}
		out = copyBack(dst, out, distance, length)
	}
	d.pos, d.bits, d.n, d.out = pos, acc, n, out
	return done, nil
}

// copyBack repeats length bytes from distance before out on, and returns where they end. It
// may write up to 32 bytes more.
func copyBack(dst []byte, out, distance, length int) int {
	from, end := out-distance, out+length
	switch {
	case distance >= 8:
		for ; out < end; out, from = out+8, from+8 {
			binary.LittleEndian.PutUint64(dst[out:], binary.LittleEndian.Uint64(dst[from:]))
		}
	default:
		for ; out < end; out, from = out+1, from+1 {
			dst[out] = dst[from]
		}
	}
	return end
}
