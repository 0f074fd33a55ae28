package imaging

import (
	"bytes"
	"encoding/binary"
)

// Tags of EXIF, which are TIFF's too.
const (
	tagOrientation = 274
	tagXMP         = 700
)

// unitSizes are the bytes of a value of each TIFF type; 0 is an unknown type.
var unitSizes = [...]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}

// field is one entry of a TIFF directory.
type field struct {
	tag, typ uint16
	value    []byte
	order    binary.ByteOrder
}

// integer returns the first value, if it is an integer wider than a byte.
func (f field) integer() (int, bool) {
	switch f.typ {
	case 3:
		return int(f.order.Uint16(f.value)), true
	case 8:
		return int(int16(f.order.Uint16(f.value))), true
	case 4, 13:
		return int(f.order.Uint32(f.value)), true
	case 9:
		return int(int32(f.order.Uint32(f.value))), true
	}
	return 0, false
}

// directory calls visit for the entries of the first directory of a TIFF or BigTIFF
// stream. It is as forgiving as Pillow: entries of unknown type, without a
// value or with more values than the stream has bytes are passed over, and at
// the first one that points outside the stream it ends. Of a repeated tag the
// first counts.
func directory(stream []byte, visit func(field)) {
	claimed, size := uint64(0), uint64(len(stream))
	entries(stream, func(f field, bytes uint64) bool {
		if bytes > wordBytes(stream) {
			if claimed += bytes; claimed > size {
				return true
			}
		}
		if f.value == nil {
			return false
		}
		visit(f)
		return true
	})
}

// wordBytes is the length of an offset in a stream with a byte order, and of a value that stands
// in its place.
func wordBytes(stream []byte) uint64 {
	if stream[2] == '+' || stream[3] == '+' {
		return 8
	}
	return 4
}

// entries calls visit for the entries of the first directory, with how many bytes their values
// have, until it returns false. Entries whose values lie outside the stream have none. Those of
// unknown type and without a value are passed over. Of a repeated tag the first with a value
// counts.
func entries(stream []byte, visit func(f field, bytes uint64) bool) {
	order, ok := byteOrder(stream)
	if !ok {
		return
	}
	// word reads a count or an offset; the number of entries takes header bytes.
	word, header := func(at uint64) uint64 { return uint64(order.Uint32(stream[at:])) }, uint64(2)
	inline := wordBytes(stream)
	if inline == 8 {
		word, header = func(at uint64) uint64 { return order.Uint64(stream[at:]) }, 8
	}
	at, size := word(inline), uint64(len(stream))
	if at > size || size-at < header {
		return
	}
	count := uint64(order.Uint16(stream[at:]))
	if header == 8 {
		count = word(at)
	}
	seen := make(map[uint16]bool)
	entry := 4 + 2*inline
	for at += header; count > 0 && at+entry <= size; at, count = at+entry, count-1 {
		f := field{tag: order.Uint16(stream[at:]), typ: order.Uint16(stream[at+2:]), order: order}
		if seen[f.tag] || int(f.typ) >= len(unitSizes) || unitSizes[f.typ] == 0 {
			continue
		}
		n, from := min(word(at+4), size+1)*unitSizes[f.typ], at+4+inline
		if n == 0 {
			continue
		}
		if n > inline {
			from = word(from)
		}
		if from <= size && n <= size-from {
			f.value = stream[from : from+n]
			seen[f.tag] = true
		}
		if !visit(f, n) {
			return
		}
	}
}

func byteOrder(stream []byte) (binary.ByteOrder, bool) {
	if len(stream) < 8 {
		return nil, false
	}
	switch string(stream[:4]) {
	case "II*\x00", "II\x00*":
		return binary.LittleEndian, true
	case "MM\x00*", "MM*\x00":
		return binary.BigEndian, true
	case "II+\x00":
		return binary.LittleEndian, len(stream) >= 16
	case "MM\x00+":
		return binary.BigEndian, len(stream) >= 16
	}
	return nil, false
}

const exifPrefix = "Exif\x00\x00"

// metadata is what a file says about its orientation.
type metadata struct {
	exif []byte // a TIFF stream, with or without exifPrefix
	xmp  []byte
}

// orientation returns the EXIF value, or what XMP says where EXIF has none,
// and 1 for everything that does not turn the picture.
func (m metadata) orientation() int {
	blob := m.exif
	for range 2 {
		blob = bytes.TrimPrefix(blob, []byte(exifPrefix))
	}
	value, found := 0, false
	directory(blob, func(f field) {
		switch {
		case f.tag == tagOrientation:
			value, _ = f.integer()
			found = true
		case f.tag == tagXMP && m.xmp == nil:
			m.xmp = f.value
		}
	})
	if !found {
		value = xmpOrientation(m.xmp)
	}
	if value < 2 || value > 8 {
		return int(upright)
	}
	return value
}

// xmpOrientation finds tiff:Orientation as an attribute or an element.
func xmpOrientation(xmp []byte) int {
	name := []byte("tiff:Orientation")
	for {
		_, rest, ok := bytes.Cut(xmp, name)
		if !ok {
			return 0
		}
		xmp = rest
		value, isAttr := bytes.CutPrefix(rest, []byte(`="`))
		if !isAttr {
			if value, ok = bytes.CutPrefix(rest, []byte(">")); !ok {
				continue
			}
		}
		if len(value) > 0 && '0' <= value[0] && value[0] <= '9' {
			return int(value[0] - '0')
		}
	}
}
