package imaging

import (
	"bytes"
	"encoding/binary"

	"icebox/extract/format"
)

// Info is what the header of an image says.
type Info struct {
	Format        string // "JPEG", "PNG", "GIF", "BMP", "WebP" or "TIFF"
	Width, Height int    // as stored, before orientation
	Orientation   int    // EXIF value, 1 to 8
}

// Probe reads the header alone. It decodes nothing and applies no limit.
func Probe(data []byte) (Info, error) {
	h, err := parseHeader(data)
	if err != nil {
		return Info{}, err
	}
	return Info{h.kind.String(), h.width, h.height, h.orientation}, nil
}

// header is Info and what the decoders need besides.
type header struct {
	kind          format.Format
	width, height int
	orientation   int
	rowBits       int  // PNG and BMP: bits of a row of samples
	grey16        bool // a picture of grey samples of 16 bits, and no alpha channel
	jpeg          jpegHeader
	png           ihdr
	gif           gifHeader
	bmp           bmpHeader
	webp          webpHeader
	tiff          tiffHeader
}

// ihdr is what a PNG's header says of the samples, and whether one colour is transparent.
type ihdr struct {
	colour     byte // pngGrey, pngIndexed or another
	depth      byte // bits a sample
	interlaced bool
	keyed      bool
}

const (
	pngGrey    = 0
	pngIndexed = 3
)

// parseHeader returns, for any bytes, a header with a positive size or an error of one
// of this package's classes.
func parseHeader(data []byte) (h header, err error) {
	if len(data) == 0 {
		return header{}, failf(ErrEmpty, "empty file (0 bytes)")
	}
	h = header{kind: format.Sniff(data), orientation: int(upright)}
	defer recovered(h.kind, &err)
	switch h.kind {
	case format.None:
		return header{}, unreadable(data)
	case format.JPEG:
		err = h.parseJPEG(data)
	case format.PNG:
		err = h.parsePNG(data)
	case format.GIF:
		err = h.parseGIF(data)
	case format.BMP:
		err = h.parseBMP(data)
	case format.WebP:
		err = h.parseWebP(data)
	case format.TIFF:
		err = h.parseTIFF(data)
	}
	if err != nil {
		return header{}, err
	}
	if h.width <= 0 || h.height <= 0 {
		return header{}, failf(ErrFormat, "damaged %v: its size is %d×%d", h.kind, h.width, h.height)
	}
	return h, nil
}

// truncated is the error for a file that ends within its header or data.
func truncated(k format.Format) error {
	return failf(ErrTruncated, "truncated %v: the file ends before the image does", k)
}

// maxDeflate is the best ratio that the deflate format can reach.
const maxDeflate = 1032

// leastBytes is a lower bound for the length of a file with this header.
func (h *header) leastBytes() int64 {
	switch h.kind {
	case format.JPEG: // at least one bit a block
		return int64((h.width+7)/8) * int64((h.height+7)/8) / 8
	case format.PNG:
		return int64(h.height) * int64((h.rowBits+7)/8) / maxDeflate
	case format.BMP:
		return int64(h.height) * int64((h.rowBits+7)/8)
	case format.TIFF:
		return h.tiff.leastBytes()
	}
	return 0
}

// parsePNG reads IHDR, and then walks over the chunks in search of metadata,
// which may follow the pixels.
func (h *header) parsePNG(data []byte) error {
	if len(data) < 33 {
		return truncated(format.PNG)
	}
	if string(data[12:16]) != "IHDR" {
		return failf(ErrFormat, "damaged PNG: it does not begin with IHDR")
	}
	width, height := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return failf(ErrFormat, "damaged PNG: its size is %d×%d", width, height)
	}
	h.width, h.height = int(width), int(height)
	samples := [...]int{1, 0, 3, 1, 2, 0, 4}
	h.png = ihdr{depth: data[24], colour: data[25], interlaced: data[28] != 0}
	if kind := int(h.png.colour); kind < len(samples) {
		h.rowBits = h.width * samples[kind] * int(h.png.depth)
	}
	h.grey16 = h.png.depth == 16 && h.png.colour == pngGrey

	var m metadata
	for rest := data[8:]; len(rest) >= 12; {
		n := uint64(binary.BigEndian.Uint32(rest))
		if n+12 > uint64(len(rest)) {
			break
		}
		body := rest[8 : 8+n]
		switch string(rest[4:8]) {
		case "eXIf":
			m.exif = body
		case "tRNS":
			h.png.keyed = true
		case "iTXt":
			// keyword 0 compressed? method language 0 translation 0 text
			if text, ok := bytes.CutPrefix(body, []byte("XML:com.adobe.xmp\x00\x00")); ok {
				m.xmp = text
			}
		}
		rest = rest[12+n:]
	}
	h.orientation = m.orientation()
	return nil
}
