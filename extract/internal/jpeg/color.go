package jpeg

// The factors of JFIF in 16 fractional bits, as libjpeg rounds them.
const (
	redCr   = 91881  // 1.40200
	greenCb = 22554  // 0.34414
	greenCr = 46802  // 0.71414
	blueCb  = 116130 // 1.77200
)

// clip limits v to a byte.
func clip(v int32) uint8 {
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return uint8(v)
}

// Convert turns a row of YCbCr into interleaved RGB: 3 bytes of dst for each of luma.
func (r *Rows) Convert(dst, luma, cb, cr []byte) {
	convert(r.isa(), dst[:3*len(luma)], luma, cb[:len(luma)], cr[:len(luma)])
}

func convertPortable(dst, luma, cb, cr []byte) {
	n := len(luma)
	cb, cr, dst = cb[:n], cr[:n], dst[:3*n]
	for i, y8 := range luma {
		y, u, v := int32(y8), int32(cb[i])-128, int32(cr[i])-128
		px := dst[3*i:][:3]
		px[0] = clip(y + (redCr*v+1<<15)>>16)
		px[1] = clip(y + (1<<15-greenCb*u-greenCr*v)>>16)
		px[2] = clip(y + (blueCb*u+1<<15)>>16)
	}
}
