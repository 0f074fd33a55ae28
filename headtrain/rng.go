package headtrain

import "math/bits"

// rng is SplitMix64 (Steele, Lea and Flood, 2014): a counter and a mixer, the
// same on every platform and independent of the Go release.
type rng struct{ state uint64 }

const golden = 0x9e3779b97f4a7c15

// initStream numbers the stream of the initial weights; the shuffle of epoch
// e, counted from 1, takes stream e.
const initStream = 0

// newRNG returns the generator of one stream of a seed.
func newRNG(seed uint64, stream int) rng {
	return rng{mix(mix(seed+golden) + uint64(stream)*golden)}
}

func (r *rng) next() uint64 {
	r.state += golden
	return mix(r.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number under n by multiply-high; the bias, under n/2⁶⁴, is
// accepted for the sake of one draw a number.
func (r *rng) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// symmetric returns one of the 2²⁴ odd multiples of 2⁻²⁴ in (-1, 1), each
// exact in float32.
func (r *rng) symmetric() float32 {
	u := int32(r.next() >> 40)
	return float32(2*u+1-1<<24) * 0x1p-24
}

// shuffle is Fisher-Yates from the end.
func (r *rng) shuffle(rows []int32) {
	for i := len(rows) - 1; i > 0; i-- {
		j := r.below(i + 1)
		rows[i], rows[j] = rows[j], rows[i]
	}
}
