package cache

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/x448/float16"
)

// appendRow appends the stored form of row: little-endian numbers of type d.
func appendRow(b []byte, d DType, row []float32) ([]byte, error) {
	for i, v := range row {
		bits := math.Float32bits(v)
		if bits&0x7f800000 == 0x7f800000 {
			return nil, fmt.Errorf("%w: element %d is %v", ErrValue, i, v)
		}
		if d == Float32 {
			b = binary.LittleEndian.AppendUint32(b, bits)
			continue
		}
		h := float16.Fromfloat32(v)
		if h.IsInf(0) {
			return nil, fmt.Errorf("%w: element %d is %v, beyond the range of float16 (65504): store float32", ErrValue, i, v)
		}
		b = binary.LittleEndian.AppendUint16(b, h.Bits())
	}
	return b, nil
}

// readRow fills dst from the stored form of a row.
func readRow(dst []float32, d DType, b []byte) {
	if d == Float16 {
		for i := range dst {
			dst[i] = widen(binary.LittleEndian.Uint16(b[2*i:]))
		}
		return
	}
	if littleEndian {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), 4*len(dst)), b)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

// widen makes a float32 of the bits of a finite float16. With the exponent's bits in
// their new place, one exact multiplication corrects its bias, subnormals included.
func widen(h uint16) float32 {
	v := math.Float32frombits(uint32(h&0x7fff)<<13) * 0x1p112
	return math.Float32frombits(math.Float32bits(v) | uint32(h&0x8000)<<16)
}

// littleEndian says that float32 lie in memory as they lie in the file.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
