package resample

func alongPortable(dst, src []byte, stride int, f *Filter) {
	for r := range Rows {
		row, line := src[r*stride:], dst[r*f.LineStride():][:3*f.outputs]
		for i, start := range f.starts {
			pairs := f.Weights(i)
			px := row[start:][:6*len(pairs)]
			red, green, blue := int32(half), int32(half), int32(half)
			for k := range pairs {
				if len(px) < 6 {
					break
				}
				a, b := pairs[k].weights()
				red += int32(px[0])*a + int32(px[3])*b
				green += int32(px[1])*a + int32(px[4])*b
				blue += int32(px[2])*a + int32(px[5])*b
				px = px[6:]
			}
			out := line[3*i:][:3]
			out[0], out[1], out[2] = uint8(red>>Bits), uint8(green>>Bits), uint8(blue>>Bits)
		}
	}
}

// acrossPortable cannot leave the range of a byte: the weights are positive, and each
// is off by at most half a unit of 2^-Bits.
func acrossPortable(dst, src []byte, at []int, weights []Pair) {
	var sums [Block]int32
	for x := 0; x+Block <= len(dst); x += Block {
		for i := range sums {
			sums[i] = half
		}
		for k := range weights {
			a, b := weights[k].weights()
			first, second := (*[Block]byte)(src[at[2*k]+x:]), (*[Block]byte)(src[at[2*k+1]+x:])
			for i := range sums {
				sums[i] += int32(first[i])*a + int32(second[i])*b
			}
		}
		out := (*[Block]byte)(dst[x:])
		for i, s := range sums {
			out[i] = uint8(s >> Bits)
		}
	}
}
