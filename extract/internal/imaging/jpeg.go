package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	"strings"

	"icebox/extract/internal/jpeg"

	"icebox/extract/format"
)

// colorModel says what the components of a JPEG mean.
type colorModel uint8

const (
	modelGrey colorModel = iota
	modelRGB
	modelYCC
	modelCMYK
	modelYCCK
)

// jpegHeader is what the segments before the first scan say.
type jpegHeader struct {
	components int
	factors    [4]struct{ id, h, v int }
	model      colorModel
	scan       int // offset of the first start-of-scan marker

	progressive bool
}

// JPEG markers.
const (
	markSOF2  = 0xc2
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markAPP0  = 0xe0
	markAPP1  = 0xe1
	markAPP14 = 0xee
)

// maxEXIF is how much is kept of an EXIF stream that is split over several segments.
const maxEXIF = 4 << 20

// jpegApps is what the application segments say.
type jpegApps struct {
	jfif, adobe bool
	transform   byte // Adobe's
	meta        metadata
}

// parseJPEG walks over the segments up to the first scan.
func (h *header) parseJPEG(data []byte) error {
	var apps jpegApps
	for at := 2; ; {
		mark, next := nextMarker(data, at)
		if next+2 > len(data) {
			return truncated(format.JPEG)
		}
		n := int(binary.BigEndian.Uint16(data[next:]))
		if n < 2 {
			return failf(ErrFormat, "damaged JPEG: segment of length %d", n)
		}
		if next+n > len(data) {
			return truncated(format.JPEG)
		}
		body := data[next+2 : next+n]
		switch {
		case mark == markSOS:
			if h.jpeg.components == 0 {
				return failf(ErrFormat, "damaged JPEG: no frame before the first scan")
			}
			h.jpeg.scan = next - 2
			h.jpeg.model = h.jpeg.guessModel(apps)
			h.orientation = apps.meta.orientation()
			return nil
		case isFrame(mark):
			if err := h.parseFrame(mark, body); err != nil {
				return err
			}
		case mark == markAPP0 || mark == markAPP1 || mark == markAPP14:
			apps.add(mark, body)
		}
		at = next + n
	}
}

// nextMarker finds the next marker with a segment, from at on, and returns it and the
// offset behind it. Like the decoders it skips bytes that belong to no segment.
func nextMarker(data []byte, at int) (mark byte, next int) {
	for at < len(data) {
		i := bytes.IndexByte(data[at:], 0xff)
		if at += i + 1; i < 0 || at == len(data) {
			break
		}
		m := data[at]
		if m == 0xff || m == 0 || m == 1 || m >= 0xd0 && m <= markSOI {
			continue
		}
		return m, at + 1
	}
	return 0, len(data)
}

func isFrame(mark byte) bool {
	return mark >= 0xc0 && mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc
}

func (h *header) parseFrame(mark byte, body []byte) error {
	switch {
	case mark > 0xc8:
		return failf(ErrUnsupported, "JPEG with arithmetic coding is not supported (convert it to a plain JPEG)")
	case mark > 0xc2:
		return failf(ErrUnsupported, "lossless or hierarchical JPEG is not supported (convert it to a plain JPEG or PNG)")
	case len(body) < 6 || len(body) != 6+3*int(body[5]):
		return failf(ErrFormat, "damaged JPEG: bad frame header")
	case body[0] != 8:
		return failf(ErrUnsupported, "JPEG with %d bits a sample is not supported (convert it to 8 bits)", body[0])
	}
	h.height = int(binary.BigEndian.Uint16(body[1:]))
	h.width = int(binary.BigEndian.Uint16(body[3:]))
	h.jpeg.progressive = mark == markSOF2
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return failf(ErrUnsupported, "JPEG with %d components is not supported", n)
	}
	if h.height == 0 {
		return failf(ErrUnsupported, "JPEG that does not state its height is not supported")
	}
	h.jpeg.components = n
	for i := range n {
		f := &h.jpeg.factors[i]
		f.id, f.h, f.v = int(body[6+3*i]), int(body[7+3*i]>>4), int(body[7+3*i]&15)
	}
	return nil
}

func (a *jpegApps) add(mark byte, body []byte) {
	switch {
	case mark == markAPP0 && len(body) >= 14 && has(body, 0, "JFIF\x00"):
		a.jfif = true
	case mark == markAPP14 && len(body) >= 12 && has(body, 0, "Adobe"):
		a.adobe, a.transform = true, body[11]
	case mark == markAPP1 && has(body, 0, exifPrefix):
		// A long EXIF stream is split over several segments. What is looked for stands in
		// its first bytes.
		switch {
		case a.meta.exif == nil:
			a.meta.exif = body[:len(body):len(body)]
		case len(a.meta.exif) < maxEXIF:
			a.meta.exif = append(a.meta.exif, body[len(exifPrefix):]...)
		}
	case mark == markAPP1:
		if xmp, ok := bytes.CutPrefix(body, []byte("http://ns.adobe.com/xap/1.0/\x00")); ok {
			a.meta.xmp = xmp
		}
	}
}

// guessModel follows libjpeg: a JFIF file is YCbCr; else Adobe's marker decides, and
// without one the names of the components.
func (j *jpegHeader) guessModel(apps jpegApps) colorModel {
	switch j.components {
	case 1:
		return modelGrey
	case 4:
		if apps.adobe && apps.transform != 0 {
			return modelYCCK
		}
		return modelCMYK
	}
	f := &j.factors
	isRGB := f[0].id == 'R' && f[1].id == 'G' && f[2].id == 'B'
	switch {
	case apps.jfif:
		return modelYCC
	case apps.adobe && apps.transform == 0, !apps.adobe && isRGB:
		return modelRGB
	}
	return modelYCC
}

// Segments put before the first scan so that the standard library leaves the
// components alone: as YCbCr planes, or as unconverted CMYK.
const (
	jfifSegment  = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	adobeSegment = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
)

// decodeJPEG decodes the planes within the window with package jpeg. A sequential JPEG that
// it refuses goes to the standard library.
func (p *Preprocessor) decodeJPEG(h header, data []byte, window image.Rectangle) (raster, error) {
	if h.jpeg.progressive {
		if err := checkScans(h, data); err != nil {
			return nil, err
		}
	}
	if p.ctx != nil {
		p.jpeg.Interrupted = p.ctx.Err
		defer func() { p.jpeg.Interrupted = nil }()
	}
	comps, err := p.jpeg.Decode(data, window)
	switch {
	case err == nil:
		p.planes.adopt(h, comps)
		return &p.planes, nil
	case !errors.Is(err, jpeg.ErrForeign):
		return nil, err
	case !h.jpeg.progressive:
		p.jpeg.Forget()
		return p.decodeOtherJPEG(h, data)
	case errors.Is(err, jpeg.ErrShort):
		return nil, truncated(format.JPEG)
	}
	return nil, failf(ErrFormat, "damaged JPEG: the data of a scan make no sense")
}

func (p *Preprocessor) decodeOtherJPEG(h header, data []byte) (raster, error) {
	segment := ""
	switch h.jpeg.components {
	case 3:
		segment = jfifSegment
	case 4:
		segment = adobeSegment
	}
	if err := checkScans(h, data); err != nil {
		return nil, err
	}
	img, err := stdjpeg.Decode(p.reader(data[:h.jpeg.scan], []byte(segment), data[h.jpeg.scan:]))
	if err != nil {
		// The decoder returns the same error for a file that is cut off within a scan as
		// for bad data before a marker.
		if strings.Contains(err.Error(), "short Huffman data") && !bytes.Contains(data[h.jpeg.scan:], []byte{0xff, markEOI}) {
			return nil, truncated(format.JPEG)
		}
		return nil, err
	}
	return &p.planes, p.planes.take(h, img)
}

// planes is a raster of JPEG components.
type planes struct {
	width, height int
	model         colorModel
	count         int
	comp          [4]jpeg.Plane
	rows          jpeg.Rows
}

// adopt makes planes of package jpeg the raster's own.
func (p *planes) adopt(h header, comps []jpeg.Plane) {
	p.width, p.height, p.model, p.count = h.width, h.height, h.jpeg.model, len(comps)
	copy(p.comp[:], comps)
}

// take makes the planes of the standard library's decoder the raster's own.
func (p *planes) take(h header, img image.Image) error {
	p.width, p.height, p.model, p.count = h.width, h.height, h.jpeg.model, h.jpeg.components
	f := &h.jpeg.factors
	maxH, maxV := 1, 1
	if h.jpeg.components > 1 {
		maxH, maxV = f[0].h, f[0].v
	} else {
		f[0].h, f[0].v = 1, 1
	}
	for i := range h.jpeg.components {
		c := jpeg.Plane{H: maxH / f[i].h, V: maxV / f[i].v}
		c.Width, c.Height = (h.width+c.H-1)/c.H, (h.height+c.V-1)/c.V
		switch img := img.(type) {
		case *image.Gray:
			c.Pix, c.Stride = img.Pix, img.Stride
		case *image.YCbCr:
			c.Pix, c.Stride = img.Cb, img.CStride
			if i == 0 {
				c.Pix, c.Stride = img.Y, img.YStride
			} else if i == 2 {
				c.Pix = img.Cr
			}
		case *image.CMYK:
			fill(&c, img, i)
		}
		if c.Pix == nil {
			return failf(ErrUnsupported, "JPEG decoded as %T is not supported", img)
		}
		p.comp[i] = c
	}
	return nil
}

// fill recovers the samples of channel i, which the decoder has inverted and
// replicated to full size.
func fill(p *jpeg.Plane, img *image.CMYK, i int) {
	p.Stride = p.Width
	p.Pix = make([]byte, p.Width*p.Height)
	for y := range p.Height {
		for x := range p.Width {
			p.Pix[y*p.Stride+x] = ^img.Pix[y*p.V*img.Stride+4*x*p.H+i]
		}
	}
}

func (p *planes) size() (int, int) { return p.width, p.height }

func (p *planes) row(dst []byte, y, x0, x1 int) {
	var c [4][]byte
	for i := range p.count {
		c[i] = p.rows.Upsample(i, &p.comp[i], y, x0, x1)
	}
	switch p.model {
	case modelGrey:
		interleave(dst, c[0], c[0], c[0])
	case modelRGB:
		interleave(dst, c[0], c[1], c[2])
	case modelYCC:
		p.rows.Convert(dst, c[0], c[1], c[2])
	case modelCMYK:
		interleave(dst, c[0], c[1], c[2])
		invert(dst[:3*(x1-x0)])
		applyBlack(dst, c[3])
	case modelYCCK:
		p.rows.Convert(dst, c[0], c[1], c[2])
		applyBlack(dst, c[3])
	}
}
