// Package rng is the random generator of training: SplitMix64 (Steele, Lea and
// Flood, 2014), a counter and a mixer, the same on every platform and in every
// release of Go.
package rng

import "math/bits"

// Stream is one sequence of random numbers. Copies go on by themselves.
type Stream struct{ state uint64 }

const golden = 0x9e3779b97f4a7c15

// New returns one of the streams of a seed.
func New(seed uint64, stream int) Stream {
	return Stream{mix(mix(seed+golden) + uint64(stream)*golden)}
}

// Next returns the next 64 bits.
func (s *Stream) Next() uint64 {
	s.state += golden
	return mix(s.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Below returns a number from 0 to n-1 by multiply-high. The bias, under n/2⁶⁴,
// is accepted, so that each number takes one draw.
func (s *Stream) Below(n int) int {
	hi, _ := bits.Mul64(s.Next(), uint64(n))
	return int(hi)
}

// Symmetric returns one of the 2²⁴ odd multiples of 2⁻²⁴ in (-1, 1), each of
// them exact in float32.
func (s *Stream) Symmetric() float32 {
	u := int32(s.Next() >> 40)
	return float32(2*u+1-1<<24) * 0x1p-24
}

// Uniform returns one of the 2⁵² odd multiples of 2⁻⁵³ in (0, 1).
func (s *Stream) Uniform() float64 { return (float64(s.Next()>>12) + 0.5) * 0x1p-52 }

// Shuffle puts rows in a random order, by Fisher and Yates from the end.
func (s *Stream) Shuffle(rows []int32) {
	for i := len(rows) - 1; i > 0; i-- {
		j := s.Below(i + 1)
		rows[i], rows[j] = rows[j], rows[i]
	}
}
