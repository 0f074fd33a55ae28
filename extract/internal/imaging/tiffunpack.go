package imaging

import (
	"bytes"
	"compress/zlib"
	"errors"
	"image"
	"io"

	"golang.org/x/image/ccitt"

	"icebox/extract/format"
	"icebox/extract/internal/inflate"
	"icebox/extract/internal/jpeg"
)

// unpackTIFF fills dst with the rows of a block that src holds.
func (p *Preprocessor) unpackTIFF(h header, dst, src []byte, rows int) error {
	t, d := &h.tiff, &p.tiff
	isFax := t.compression == tiffGroup3 || t.compression == tiffGroup4
	if t.reversed && !isFax && t.compression != tiffJPEG { // whose data have an order of their own
		d.source = append(d.source[:0], src...)
		reverse(d.source)
		src = d.source
	}
	switch t.compression {
	case tiffPackBits:
		return unpackBits(dst, src)
	case tiffLZW:
		return d.lzw.unpack(dst, src, p.interrupted)
	case tiffDeflate, tiffOldDeflate:
		return d.inflate(dst, src)
	case tiffJPEG:
		return p.unpackJPEG(h, dst, src, rows)
	}
	order, group := ccitt.MSB, ccitt.Group3
	if t.reversed {
		order = ccitt.LSB
	}
	if t.compression == tiffGroup4 {
		group = ccitt.Group4
	}
	// In a fax 0 is white, until the header says what 0 means.
	_, err := io.ReadFull(ccitt.NewReader(p.reader(src), order, group, t.block.X, rows, &ccitt.Options{Invert: true}), dst)
	return err
}

// inflate unpacks a zlib stream, which may hold rows behind the last one.
func (d *tiffDecoder) inflate(dst, src []byte) error {
	if cap(src)-len(src) < inflate.Slack {
		d.source = append(append(d.source[:0], src...), make([]byte, inflate.Slack)...)
		src = d.source[:len(src)]
	}
	err := d.inflater.Zlib(dst, src[:len(src)+inflate.Slack])
	if errors.Is(err, inflate.ErrLong) {
		r, err := zlib.NewReader(bytes.NewReader(src))
		if err == nil {
			_, err = io.ReadFull(r, dst)
		}
		return err
	}
	return err
}

// unpackBits unpacks runs of bytes and single ones. What does not fit dst is left out.
func unpackBits(dst, src []byte) error {
	for len(dst) > 0 {
		if len(src) < 2 {
			return truncated(format.TIFF)
		}
		n := int(int8(src[0]))
		src = src[1:]
		switch {
		case n == -128: // nothing
		case n < 0:
			run := dst[:min(1-n, len(dst))]
			for i := range run {
				run[i] = src[0]
			}
			dst, src = dst[len(run):], src[1:]
		default:
			n = min(n+1, len(dst))
			if n > len(src) {
				return truncated(format.TIFF)
			}
			copy(dst, src[:n])
			dst, src = dst[n:], src[n:]
		}
	}
	return nil
}

// unpackJPEG decodes a block that is a JPEG, whose tables may be those of all blocks. Samples
// stay as they are, unless they are YCbCr, which becomes RGB.
func (p *Preprocessor) unpackJPEG(h header, dst, src []byte, rows int) error {
	t := &h.tiff
	if len(t.tables) > 4 && len(src) > 2 { // without the end of the tables and the beginning of the data
		all := append(p.tiff.source[:0], t.tables[:len(t.tables)-2]...)
		p.tiff.source = append(all, src[2:]...)
		src = p.tiff.source
	}
	inner := header{kind: format.JPEG}
	if err := inner.parseJPEG(src); err != nil {
		return err
	}
	n := t.together()
	switch {
	case inner.jpeg.progressive:
		return unsupportedTIFF("JPEG that is progressive")
	case inner.jpeg.components != n || inner.width != t.block.X || inner.height < rows:
		return damagedTIFF("a strip or tile of %d×%d pixels of %d samples is a JPEG of %d×%d of %d", t.block.X, rows, n, inner.width, inner.height, inner.jpeg.components)
	}
	comps, err := p.jpeg.Decode(src, image.Rect(0, 0, t.block.X, rows))
	switch {
	case errors.Is(err, jpeg.ErrShort):
		return truncated(format.TIFF)
	case err != nil:
		return damagedTIFF("the JPEG that is a strip or tile cannot be read")
	}
	p.planes.adopt(inner, comps)
	for y := range rows {
		p.planes.samples(dst[y*n*t.block.X:], t.photometric == tiffYCbCr, y)
	}
	return nil
}

// samples writes row y to dst, with its samples interleaved as they are, or as YCbCr turned to
// RGB.
func (p *planes) samples(dst []byte, ycc bool, y int) {
	var c [4][]byte
	for i := range p.count {
		c[i] = p.rows.Upsample(i, &p.comp[i], y, 0, p.width)
	}
	switch {
	case ycc:
		p.rows.Convert(dst, c[0], c[1], c[2])
	case p.count == 1:
		copy(dst, c[0])
	case p.count == 3:
		interleave(dst, c[0], c[1], c[2])
	default:
		for i := range p.width {
			dst[4*i], dst[4*i+1], dst[4*i+2], dst[4*i+3] = c[0][i], c[1][i], c[2][i], c[3][i]
		}
	}
}
