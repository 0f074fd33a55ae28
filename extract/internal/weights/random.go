package weights

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"
)

// Random returns untrained weights for smoke tests. A seed gives the same bits on every
// platform, because they are computed from integers alone.
//
// Convolution weights are uniform in (-b, b), b = √(6 / fan-in) (He). They are
// drawn in the order of [Params], row-major, from one SplitMix64 stream whose
// state starts at mix(seed); each 64-bit output gives two values, its low half
// first (a half left over at the end of a tensor is dropped). A 32-bit half w
// gives
//
//	B = ⌊√⌊6·2⁴⁸ / fan-in⌋⌋,  m = ⌊(w mod 2³¹)·B / 2³¹⌋,  value = ±m·2⁻²⁴
//
// negative if the top bit of w is set; m < 2²⁴, so the value is exact. Batch norm
// is the identity: weight 1, bias 0, mean 0, variance 1.
func Random(seed uint64) *Set {
	s := &Set{source: Source{Kind: KindRandom, Seed: seed}, release: func() error { return nil }}
	stream := splitMix(mix(seed))
	var tensors []tensor
	for _, p := range Params() {
		n, _ := elements(p.Shape)
		data := make([]byte, 4*n)
		switch {
		case len(p.Shape) == 4:
			stream.fillHe(data, p.Shape[1]*p.Shape[2]*p.Shape[3])
		case strings.HasSuffix(p.Name, ".weight"), strings.HasSuffix(p.Name, ".running_var"):
			for i := 0; i < len(data); i += 4 {
				binary.LittleEndian.PutUint32(data[i:], math.Float32bits(1))
			}
		}
		tensors = append(tensors, tensor{name: p.Name, dtype: float32Type, shape: p.Shape, storage: data})
	}
	s.keep(tensors)
	s.hash = hashTensors(s.tensors)
	return s
}

// splitMix is the state of Steele, Lea and Flood's SplitMix64.
type splitMix uint64

const golden = 0x9e3779b97f4a7c15

func (s *splitMix) next() uint64 {
	*s += golden
	return mix(uint64(*s))
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// fillHe fills data with little-endian float32 values.
func (s *splitMix) fillHe(data []byte, fanIn int) {
	bound := sqrt(6 << 48 / uint64(fanIn))
	for len(data) >= 4 {
		draw := s.next()
		binary.LittleEndian.PutUint32(data, heBits(uint32(draw), bound))
		if data = data[4:]; len(data) >= 4 {
			binary.LittleEndian.PutUint32(data, heBits(uint32(draw>>32), bound))
			data = data[4:]
		}
	}
}

// heBits returns the bits of the float32 that w stands for.
func heBits(w uint32, bound uint64) uint32 {
	sign := w & (1 << 31)
	m := uint32(uint64(w&^(1<<31)) * bound >> 31)
	if m == 0 {
		return sign
	}
	top := bits.Len32(m) - 1
	exponent := uint32(top - 24 + 127)
	return sign | exponent<<23 | m<<(23-top)&(1<<23-1)
}

// sqrt returns ⌊√n⌋.
func sqrt(n uint64) uint64 {
	root := uint64(0)
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if r := root | bit; r*r <= n {
			root = r
		}
	}
	return root
}
