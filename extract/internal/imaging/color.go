package imaging

// clip limits v to a byte.
func clip(v int32) uint8 {
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return uint8(v)
}

// interleave copies three rows of samples as they are.
func interleave(dst, r, g, b []byte) {
	n := len(r)
	g, b, dst = g[:n], b[:n], dst[:3*n]
	for i := range r {
		px := dst[3*i:][:3]
		px[0], px[1], px[2] = r[i], g[i], b[i]
	}
}

// applyBlack turns a row of cyan, magenta and yellow into RGB, in place.
// Black comes as Adobe stores it: 255 means none. The ink of one colour is
// taken from what black leaves, in Pillow's rounding of a·b/255.
func applyBlack(cmy, black []byte) {
	for i, k := range black {
		px := cmy[3*i:][:3]
		for c, ink := range px {
			t := int32(ink)*int32(k) + 128
			px[c] = clip(int32(k) - (t>>8+t)>>8)
		}
	}
}

// invert replaces every sample v by 255-v.
func invert(row []byte) {
	for i := range row {
		row[i] = ^row[i]
	}
}

// yuvToRGB converts a row of WebP samples: BT.601 of limited range, in
// libwebp's fixed point.
func yuvToRGB(dst, luma, u, v []byte) {
	n := len(luma)
	u, v, dst = u[:n], v[:n], dst[:3*n]
	for i := range luma {
		y := (int32(luma[i]) * 19077) >> 8
		cb, cr := int32(u[i]), int32(v[i])
		px := dst[3*i:][:3]
		px[0] = clip((y + (cr*26149)>>8 - 14234) >> 6)
		px[1] = clip((y - (cb*6419)>>8 - (cr*13320)>>8 + 8708) >> 6)
		px[2] = clip((y + (cb*33050)>>8 - 17685) >> 6)
	}
}
