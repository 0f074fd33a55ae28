package imaging

import (
	"fmt"
	"math"

	"icebox/extract/format"
)

// MemoryError is the [ErrTooLarge] of an image that needs more memory than Options.Memory
// allows.
type MemoryError struct {
	Need, Limit   int64 // in bytes
	kind          format.Format
	width, height int
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%v of %d×%d pixels needs %d MB of memory, where %d MB are allowed (allow more memory, or shrink the image)",
		e.kind, e.width, e.height, (e.Need+1e6-1)/1e6, e.Limit/1e6)
}

// Is reports whether target is ErrTooLarge.
func (e *MemoryError) Is(target error) bool { return target == ErrTooLarge }

// Memory returns, from its header alone, how many bytes an image takes at most while it is
// turned into a crop, those of its file among them.
func (p *Preprocessor) Memory(data []byte) (int64, error) {
	h, err := p.examine(data)
	if err != nil {
		return 0, err
	}
	return p.memory(h, int64(len(data))), nil
}

// fixedBytes are for what does not grow with the picture.
const fixedBytes = 1 << 20

func (p *Preprocessor) memory(h header, file int64) int64 {
	w, ht := int64(h.width), int64(h.height)
	if w > math.MaxInt64/1000/ht {
		return math.MaxInt64
	}
	need := fixedBytes + file + resizeBytes(w, ht)
	switch h.kind {
	case format.JPEG:
		need += h.jpegBytes() + 2*file // its entropy-coded data, which grow as they are copied
	case format.PNG:
		need += h.pngBytes() + file // whose pixels are put together from chunks
	case format.GIF:
		need += 2 * w * ht // as it is stored, and its lines in order
	case format.BMP:
		need += 4 * w * ht
	case format.WebP:
		need += h.webpBytes() + file
	case format.TIFF:
		need += h.tiffBytes(file)
	}
	if p.opts.AcceptTruncated && salvageable(h.kind) {
		need += 3*file + 4*(ht*int64(h.rowBits+15)/8) // the rows are unpacked, and packed again
	}
	return need
}

// resizeBytes bounds the memory of a resizer for a stored picture of w×h. A weight takes 8
// bytes, and at most two fall to each column and row; a line is a row that is resampled,
// or, where rows are resampled first, one of at most 1/100 of them.
func resizeBytes(w, h int64) int64 {
	const weight, line = 2 * 8, lineBytes + 64
	return weight*(w+h) + line*h + w*h/32 + 64*w
}

// jpegBytes is what package jpeg takes: planes, a row of coefficients, and of a progressive
// picture all of them, in 2 bytes each and a bit that tells that it is not 0. Of a sequential
// picture of four components that it refuses, the standard library makes a whole picture,
// from which the planes are then made again.
func (h *header) jpegBytes() int64 {
	f := h.jpeg.factors
	if h.jpeg.components == 1 {
		f[0].h, f[0].v = 1, 1
	}
	hMax, vMax := 1, 1
	for i := range h.jpeg.components {
		hMax, vMax = max(hMax, f[i].h), max(vMax, f[i].v)
	}
	across, down := int64(h.width+8*hMax-1)/int64(8*hMax), int64(h.height+8*vMax-1)/int64(8*vMax) // MCUs
	var need int64
	for i := range h.jpeg.components {
		row, rows := across*int64(f[i].h)+2, down*int64(f[i].v) // in blocks, and some columns to make them even
		need += 64 * row * (rows + 2*int64(f[i].v))             // coefficients of a row of MCUs, or of smoothed ones
		if h.jpeg.progressive {
			need += (2*64 + 64/8) * row * (rows + 3) // rows as the file counts them, which may be 4 together
		}
	}
	if h.jpeg.components == 4 && !h.jpeg.progressive {
		need += 8 * int64(h.width) * int64(h.height)
	}
	return need
}

// pngBytes is what the standard library's decoder takes: it makes whole pixels of all that
// is not grey or of a palette, and of an interlaced picture it makes each pass a picture. Those
// that this package decodes take no more.
func (h *header) pngBytes() int64 {
	pixel := int64(4)
	if h.png.colour == pngIndexed || h.png.colour == pngGrey && !h.png.keyed {
		pixel = 1
	}
	if h.png.depth == 16 {
		pixel *= 2
	}
	need := pixel * int64(h.width) * int64(h.height)
	if h.png.interlaced {
		need *= 2
	}
	return need + int64(h.height) + 2*int64(h.rowBits/8+2) // a byte a row where this package decodes
}

// webpBytes bounds what the decoder takes: planes, or pixels of which a palette makes others,
// with the pictures of a sixteenth of their size that tell what is done to them.
func (h *header) webpBytes() int64 {
	pixels := int64(h.width+15) / 16 * 16 * (int64(h.height+15) / 16 * 16)
	if h.webp.lossless {
		const codes = 16 << 20 // usual files have some MB of them
		return 10*pixels + codes
	}
	return 2 * pixels
}

// tiffBytes is the picture, the strip or tile that is unpacked into it, and where a packed one
// is copied, the file. A strip that is a JPEG is planes first, whose blocks go beyond it.
func (h *header) tiffBytes(file int64) int64 {
	t := &h.tiff
	need := int64(t.kept)*int64(h.width)*int64(h.height) + 2*int64(t.block.X)*int64(t.together())
	if t.compression != tiffRaw || t.reversed {
		need += t.blockBytes() + file
	}
	if t.compression == tiffJPEG {
		const mcu = 32 // pixels; a row of it has coefficients, too
		width, height := int64(t.block.X)+2*mcu, int64(t.block.Y)+mcu
		need += int64(t.together())*width*(height+2*mcu) + 2*file
	}
	return need
}
