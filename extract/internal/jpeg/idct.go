package jpeg

// libjpeg's "islow" inverse DCT (Loeffler, Ligtenberg, Moschytz), in the order and the
// widths of its SIMD form: factors have 16 bits, the sums that start the even part and
// the odd part wrap at 16 bits, and each pass ends saturated. Sound pictures never
// wrap; damaged ones give what libjpeg-turbo gives.
const (
	fix0298 = 2446  // 0.298631336
	fix0390 = 3196  // 0.390180644
	fix0541 = 4433  // 0.541196100
	fix0765 = 6270  // 0.765366865
	fix0899 = 7373  // 0.899976223
	fix1175 = 9633  // 1.175875602
	fix1501 = 12299 // 1.501321110
	fix1847 = 15137 // 1.847759065
	fix1961 = 16069 // 1.961570560
	fix2053 = 16819 // 2.053119869
	fix2562 = 20995 // 2.562915447
	fix3072 = 25172 // 3.072711026

	constBits = 13
	pass1Bits = 2
)

// pass transforms the 8 values of b that lie step apart, from at on, dropping
// shift bits.
func pass(b *[64]int16, at, step int, shift uint) {
	in := func(i int) int16 { return b[(at+i*step)&63] }
	z2, z3 := int32(in(2)), int32(in(6))
	t2 := z2*fix0541 + z3*(fix0541-fix1847)
	t3 := z2*(fix0541+fix0765) + z3*fix0541
	t0 := int32(in(0)+in(4))<<constBits + 1<<(shift-1)
	t1 := int32(in(0)-in(4))<<constBits + 1<<(shift-1)
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	i1, i3, i5, i7 := int32(in(1)), int32(in(3)), int32(in(5)), int32(in(7))
	s3, s4 := int32(in(7)+in(3)), int32(in(5)+in(1))
	z3, z4 := s3*(fix1175-fix1961)+s4*fix1175, s3*fix1175+s4*(fix1175-fix0390)
	o0 := i7*-fix0899 + i1*(fix1501-fix0899) + z4
	o1 := i5*-fix2562 + i3*(fix3072-fix2562) + z3
	o2 := i5*(fix2053-fix2562) + i3*-fix2562 + z4
	o3 := i7*(fix0298-fix0899) + i1*-fix0899 + z3

	out := func(i int, v int32) { b[(at+i*step)&63] = saturate(v >> (shift & 31)) }
	out(0, e0+o0)
	out(1, e1+o1)
	out(2, e2+o2)
	out(3, e3+o3)
	out(4, e3-o3)
	out(5, e2-o2)
	out(6, e1-o1)
	out(7, e0-o0)
}

func saturate(v int32) int16 { return int16(min(max(v, -1<<15), 1<<15-1)) }

// idctPortable turns pairs of blocks into samples, side by side from dst on,
// and leaves coefficients of 0.
func idctPortable(dst []byte, stride int, coefs []int16, quant *[64]uint16, pairs int) {
	for b := range 2 * pairs {
		block := (*[64]int16)(coefs[64*b:])
		var mid [64]int16
		below := int16(0) // any coefficient of the rows below the first
		for i, c := range block {
			mid[i] = c * int16(quant[i])
			if i >= 8 {
				below |= c
			}
		}
		*block = [64]int16{}
		if below == 0 { // libjpeg's shortcut, which wraps
			for i := 63; i >= 0; i-- {
				mid[i] = mid[i&7] << pass1Bits
			}
		} else {
			for x := range 8 {
				pass(&mid, x, 8, constBits-pass1Bits)
			}
		}
		for y := range 8 {
			pass(&mid, 8*y, 1, constBits+pass1Bits+3)
			row := dst[y*stride+8*b:][:8]
			for x, v := range mid[8*y:][:8] {
				row[x] = uint8(min(max(v, -128), 127) + 128)
			}
		}
	}
}
