package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io"

	"icebox/extract/format"
)

// salvageable tells of which kinds of file salvage may make something.
func salvageable(k format.Format) bool { return k == format.JPEG || k == format.PNG }

// salvage makes a picture of a file that the decoder refuses because its data end early,
// as Pillow does with LOAD_TRUNCATED_IMAGES. It returns false where something else is
// wrong: it looks for itself, because a JPEG that ends between restart markers seems
// damaged to the decoder.
func (p *Preprocessor) salvage(h header, data []byte, window image.Rectangle) (raster, bool) {
	if h.kind == format.JPEG {
		comps, err := p.jpeg.Salvage(data, window)
		p.planes.adopt(h, comps)
		return &p.planes, err == nil
	}
	whole, ok := wholePNG(h, data)
	if !ok {
		return nil, false
	}
	src, err := p.decodeWith(png.Decode, whole)
	return src, err == nil
}

// pngPass holds a part of the pixels: the first column and row, and the steps from there.
type pngPass struct{ x, y, dx, dy int }

// adam7 are the passes of an interlaced PNG.
var adam7 = []pngPass{
	{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
}

// pngRows lists the lengths of the rows of a PNG, with their filter bytes, pass by pass.
func (h *header) pngRows(interlaced bool) []int {
	passes := []pngPass{{0, 0, 1, 1}}
	if interlaced {
		passes = adam7
	}
	var rows []int
	bits := h.rowBits / h.width
	for _, s := range passes {
		w, n := (h.width-s.x+s.dx-1)/s.dx, (h.height-s.y+s.dy-1)/s.dy
		for range n {
			if w > 0 {
				rows = append(rows, 1+(w*bits+7)/8)
			}
		}
	}
	return rows
}

// wholePNG returns a PNG with all the rows that are complete in data, and 0 in the others:
// black, the first colour of a palette, transparent where there is alpha.
//
// It is false where data do not end early: the last chunk is there.
func wholePNG(h header, data []byte) ([]byte, bool) {
	out, packed := []byte("\x89PNG\r\n\x1a\n"), []byte(nil)
	for rest := data[8:]; len(rest) >= 8; {
		n, name := uint64(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		body := rest[8:]
		body = body[:min(n, uint64(len(body)))]
		switch name {
		case "IHDR", "PLTE", "tRNS":
			out = appendChunk(out, name, body)
		case "IDAT":
			packed = append(packed, body...)
		case "IEND":
			if len(rest) >= 12 {
				return nil, false
			}
		}
		rest = rest[min(n+12, uint64(len(rest))):]
	}
	rows, ok := unpackRows(packed, h.pngRows(data[28] == 1))
	return appendChunk(appendChunk(out, "IDAT", rows), "IEND", nil), ok
}

// unpackRows inflates rows, and deflates them again, without packing, with rows of 0 for
// those that are not complete. It is false where there is nothing to inflate.
func unpackRows(packed []byte, lengths []int) ([]byte, bool) {
	from, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, false
	}
	var out bytes.Buffer
	to, err := zlib.NewWriterLevel(&out, zlib.NoCompression)
	if err != nil {
		return nil, false
	}
	var row []byte
	for _, n := range lengths {
		row = append(row[:0], make([]byte, n)...)
		if err == nil {
			if _, err = io.ReadFull(from, row); err != nil {
				clear(row)
			}
		}
		if _, err := to.Write(row); err != nil {
			return nil, false
		}
	}
	err = to.Close()
	return out.Bytes(), err == nil
}

func appendChunk(to []byte, name string, body []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(body)))
	from := len(to)
	to = append(append(to, name...), body...)
	return binary.BigEndian.AppendUint32(to, crc32.ChecksumIEEE(to[from:]))
}
