package weights

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"
)

// tensor is one tensor as a file holds it. Its storage may alias a mapped file.
type tensor struct {
	name    string
	dtype   dtype
	shape   []int
	storage []byte // little-endian; the elements alone where strides is nil
	offset  int    // of the first element, in elements
	strides []int  // in elements; nil for row-major without gaps
}

// elements returns the number of elements of a shape; false if it is negative or
// overflows an int.
func elements(shape []int) (int, bool) {
	n := 1
	for _, d := range shape {
		hi, lo := bits.Mul64(uint64(n), uint64(d))
		if d < 0 || hi != 0 || lo > math.MaxInt {
			return 0, false
		}
		n = int(lo)
	}
	return n, true
}

// view places a tensor of t's name, type, shape, offset and strides on t.storage,
// and checks that it lies inside.
func (t tensor) view() (tensor, error) {
	size := t.dtype.size()
	have := len(t.storage) / size
	n, ok := elements(t.shape)
	if !ok || len(t.strides) != len(t.shape) || t.offset < 0 || t.offset > have {
		return tensor{}, malformed("tensor %q: shape %v, strides %v, offset %d", t.name, t.shape, t.strides, t.offset)
	}
	last := t.offset // index of the last element
	dense := 1       // stride of a dimension without gaps
	contiguous := true
	for i := len(t.shape) - 1; i >= 0 && n > 0; i-- {
		d, s := t.shape[i], t.strides[i]
		if d == 1 {
			continue
		}
		if s < 0 || s > 0 && (s > have || d-1 > have || int64(d-1)*int64(s) > int64(have-last)) {
			return tensor{}, malformed("tensor %q: shape %v with strides %v at %d reaches outside its storage of %d elements", t.name, t.shape, t.strides, t.offset, have)
		}
		last += (d - 1) * s
		contiguous = contiguous && s == dense
		dense *= d
	}
	if n > 0 && last >= have {
		return tensor{}, malformed("tensor %q: shape %v at %d reaches outside its storage of %d elements", t.name, t.shape, t.offset, have)
	}
	if contiguous {
		t.storage = t.storage[t.offset*size:][:n*size]
		t.offset, t.strides = 0, nil
	}
	return t, nil
}

// bytes returns the elements in row-major order, little-endian. It copies only if
// the tensor has strides.
func (t tensor) bytes() []byte {
	if t.strides == nil {
		return t.storage
	}
	n, _ := elements(t.shape)
	size := t.dtype.size()
	out := make([]byte, 0, n*size)
	index := make([]int, len(t.shape))
	at := t.offset
	for range n {
		out = append(out, t.storage[at*size:(at+1)*size]...)
		for i := len(index) - 1; i >= 0; i-- {
			index[i]++
			at += t.strides[i]
			if index[i] < t.shape[i] {
				break
			}
			at -= index[i] * t.strides[i]
			index[i] = 0
		}
	}
	return out
}

// float32s returns little-endian data as values: the same memory if the machine's
// byte order and the alignment allow, else a copy.
func float32s(data []byte) []float32 {
	n := len(data) / 4
	if n == 0 {
		return []float32{}
	}
	p := unsafe.Pointer(unsafe.SliceData(data))
	if littleEndian() && uintptr(p)%4 == 0 {
		return unsafe.Slice((*float32)(p), n)
	}
	return decodeFloat32s(data)
}

func decodeFloat32s(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }
