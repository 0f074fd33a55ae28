package resample

func alongPortable(dst, src []byte, stride int, f *Filter) {
	for r := range Rows {
		row, line, left := src[r*stride:], dst[r*f.LineStride():][:3*f.outputs], f.weights
		for i, start := range f.starts {
			weights := left[:f.counts[i]]
			left = left[len(weights):]
			px := row[start:][:3*len(weights)]
			red, green, blue := int32(half), int32(half), int32(half)
			for _, w := range weights {
				if len(px) < 3 {
					break
				}
				red += int32(px[0]) * w
				green += int32(px[1]) * w
				blue += int32(px[2]) * w
				px = px[3:]
			}
			out := line[3*i:][:3]
			out[0], out[1], out[2] = uint8(red>>Bits), uint8(green>>Bits), uint8(blue>>Bits)
		}
	}
}

// acrossPortable gives sums that fit a byte: no weight is negative, and each is off by
// at most half a unit of 2^-Bits.
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
