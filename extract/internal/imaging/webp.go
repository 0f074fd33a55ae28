package imaging

import (
	"encoding/binary"
	"image"

	"golang.org/x/image/webp"

	"icebox/extract/internal/mem"

	"icebox/extract/format"
)

// webpHeader locates the first frame of an animation.
type webpHeader struct {
	frame    []byte // body of its ANMF chunk; nil for a still picture
	lossless bool   // pixels or their alpha are packed as VP8L does
}

// parseWebP walks over the chunks: the size comes first, metadata last.
func (h *header) parseWebP(data []byte) error {
	var m metadata
	first := true
	for rest := data[12:]; len(rest) >= 8; {
		body, next := chunk(rest)
		if first {
			if err := h.sizeWebP(string(rest[:4]), body); err != nil {
				return err
			}
			first = false
		}
		switch string(rest[:4]) {
		case "ANMF":
			if h.webp.frame == nil {
				if err := h.frameWebP(body); err != nil {
					return err
				}
			}
		case "ALPH", "VP8L":
			h.webp.lossless = true
		case "EXIF":
			m.exif = body
		case "XMP ":
			m.xmp = body
		}
		rest = next
	}
	if first {
		return truncated(format.WebP)
	}
	h.orientation = m.orientation()
	return nil
}

// frameHeader is the length of what an ANMF chunk begins with: place, size, duration, flags.
const frameHeader = 16

// frameWebP looks at the body of the first frame's chunk, whose picture must fit the canvas.
func (h *header) frameWebP(frame []byte) error {
	if len(frame) < frameHeader {
		return truncated(format.WebP)
	}
	h.webp.frame = frame
	for rest := frame[frameHeader:]; len(rest) >= 8; {
		name, body := string(rest[:4]), []byte(nil)
		body, rest = chunk(rest)
		h.webp.lossless = h.webp.lossless || name == "ALPH" || name == "VP8L"
		if name != "VP8 " && name != "VP8L" {
			continue
		}
		var inner header
		if err := inner.sizeWebP(name, body); err != nil {
			return err
		}
		if 2*uint24(frame)+inner.width > h.width || 2*uint24(frame[3:])+inner.height > h.height {
			return failf(ErrFormat, "damaged WebP: its first frame exceeds the canvas")
		}
	}
	return nil
}

// chunk splits off the body of the RIFF chunk that rest begins with. If the data end
// within the body, it ends there as well.
func chunk(rest []byte) (body, next []byte) {
	n := uint64(binary.LittleEndian.Uint32(rest[4:]))
	rest = rest[8:]
	body = rest[:min(n, uint64(len(rest)))]
	return body, rest[min(n+n&1, uint64(len(rest))):]
}

func (h *header) sizeWebP(name string, body []byte) error {
	switch {
	case name == "VP8X" && len(body) >= 10:
		h.width, h.height = uint24(body[4:])+1, uint24(body[7:])+1
	case name == "VP8L" && len(body) >= 5 && body[0] == 0x2f:
		bits := binary.LittleEndian.Uint32(body[1:])
		h.width, h.height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
	case name == "VP8 " && len(body) >= 10 && has(body, 3, "\x9d\x01\x2a"):
		h.width = int(binary.LittleEndian.Uint16(body[6:]) & 0x3fff)
		h.height = int(binary.LittleEndian.Uint16(body[8:]) & 0x3fff)
	case len(body) < 10:
		return truncated(format.WebP)
	default:
		return failf(ErrFormat, "damaged WebP: bad %q chunk", name)
	}
	return nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// decodeWebP decodes a still picture, or the first frame of an animation on
// its transparent black canvas.
func (p *Preprocessor) decodeWebP(h header, data []byte) (raster, error) {
	if h.webp.frame == nil {
		return p.decodeStillWebP(data)
	}
	f := h.webp.frame
	src, err := p.decodeStillWebP(still(uint24(f[6:]), uint24(f[9:]), f[frameHeader:]))
	if err != nil {
		return nil, err
	}
	return &framed{translucent: src, width: h.width, height: h.height, x: 2 * uint24(f), y: 2 * uint24(f[3:])}, nil
}

// still wraps the chunks of a frame into a file of their own.
func still(widthLess1, heightLess1 int, chunks []byte) []byte {
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	if has(chunks, 0, "ALPH") {
		const hasAlpha = 1 << 4
		out = append(out, "VP8X\x0a\x00\x00\x00"...)
		out = append(out, hasAlpha, 0, 0, 0,
			byte(widthLess1), byte(widthLess1>>8), byte(widthLess1>>16),
			byte(heightLess1), byte(heightLess1>>8), byte(heightLess1>>16))
	}
	out = append(out, chunks...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func (p *Preprocessor) decodeStillWebP(data []byte) (translucent, error) {
	img, err := webp.Decode(p.reader(data))
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		p.webp.img, p.webp.alpha = img, nil
		return &p.webp, nil
	case *image.NYCbCrA:
		p.webp.img, p.webp.alpha, p.webp.alphaStride = &img.YCbCr, img.A, img.AStride
		return &p.webp, nil
	}
	return p.fromImage(img)
}

// webpPlanes is a raster of 4:2:0 planes, upsampled as libwebp does.
type webpPlanes struct {
	img         *image.YCbCr
	alpha       []byte // nil is none
	alphaStride int
	u, v        []byte
}

func (p *webpPlanes) size() (int, int) { return p.img.Rect.Dx(), p.img.Rect.Dy() }

func (p *webpPlanes) row(dst []byte, y, x0, x1 int) {
	w, h := p.size()
	near, far := y/2, (y+1)/2
	if near == far {
		far = max(near-1, 0)
	}
	far = min(far, (h+1)/2-1)
	cw := (w + 1) / 2
	line := func(plane []byte, y int) []byte { return plane[y*p.img.CStride:][:cw] }
	p.u, p.v = mem.Grow(p.u, 2*cw+1), mem.Grow(p.v, 2*cw+1)
	upsampleWebP(p.u, line(p.img.Cb, near), line(p.img.Cb, far))
	upsampleWebP(p.v, line(p.img.Cr, near), line(p.img.Cr, far))
	luma := p.img.Y[y*p.img.YStride:]
	yuvToRGB(dst, luma[x0:x1], p.u[x0:x1], p.v[x0:x1])
}

// upsampleWebP weighs four neighbours 9:3:3:1, rounding twice, and two at the
// ends of a row 3:1. dst has room for two samples a column and one more.
func upsampleWebP(dst, near, far []byte) {
	n0, f0 := int(near[0]), int(far[0])
	dst[0] = uint8((3*n0 + f0 + 2) >> 2)
	for x := 1; x < len(near); x++ {
		n1, f1 := int(near[x]), int(far[x])
		sum := n0 + n1 + f0 + f1 + 8
		dst[2*x-1] = uint8(((sum+2*(n1+f0))>>3 + n0) >> 1)
		dst[2*x] = uint8(((sum+2*(n0+f1))>>3 + n1) >> 1)
		n0, f0 = n1, f1
	}
	dst[2*len(near)-1] = uint8((3*n0 + f0 + 2) >> 2)
}
