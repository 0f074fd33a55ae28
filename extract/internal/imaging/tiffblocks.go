package imaging

import (
	"image/color"
	"math"
	"math/bits"

	"icebox/extract/format"
	"icebox/extract/internal/inflate"
	"icebox/extract/internal/mem"
)

// tiffDecoder decodes TIFFs, one after the other. It keeps memory between pictures.
type tiffDecoder struct {
	pix      []byte // the picture: of each pixel the samples that are kept, a byte each
	block    []byte // what a strip or tile unpacks to
	source   []byte // a packed one, where it does not serve as it lies in the file
	line     []byte // samples of a row of a block, a byte each
	inflater inflate.Decoder
	lzw      lzw
}

// forget drops the picture, and memory that is large.
func (d *tiffDecoder) forget() {
	d.inflater.Interrupted = nil
	for _, b := range []*[]byte{&d.pix, &d.block, &d.source} {
		if cap(*b) > keptPNG {
			*b = nil
		}
	}
}

// maxBlock is the most bytes that a strip or tile unpacks to.
const maxBlock = math.MaxInt32

// decodeTIFF decodes a TIFF block by block.
func (p *Preprocessor) decodeTIFF(h header, data []byte) (translucent, error) {
	t, d := &h.tiff, &p.tiff
	if err := t.checkBlocks(h, data); err != nil {
		return nil, err
	}
	across, down := t.blocks(h.width, h.height)
	d.pix = mem.Grow(d.pix, h.width*h.height*t.kept)
	if p.ctx != nil {
		d.inflater.Interrupted = p.ctx.Err
	}
	for i := range across * down * t.planes() {
		if err := p.interrupted(); err != nil {
			return nil, err
		}
		at := i % (across * down)
		x, y := at%across*t.block.X, at/across*t.block.Y
		rows := t.block.Y
		if !t.tiled {
			rows = min(rows, h.height-y)
		}
		if err := p.decodeBlock(h, data, i, x, y, rows); err != nil {
			return nil, err
		}
	}
	return p.tiffRaster(h), nil
}

// checkBlocks refuses a picture whose strips or tiles are missing, are very large or, where they
// are not packed, lie beyond the end of the file, before there is memory for it.
func (t *tiffHeader) checkBlocks(h header, data []byte) error {
	across, down := t.blocks(h.width, h.height)
	if there := t.offsets.len() / t.planes(); there/across < down {
		return damagedTIFF("%d strips or tiles a plane, where %d are needed", there, across*down)
	}
	if t.blockBytes() > maxBlock {
		return failf(ErrTooLarge, "TIFF with strips or tiles of %d MB takes too much memory (save it with smaller ones)", t.blockBytes()/1e6)
	}
	if t.compression != tiffRaw {
		return nil
	}
	for i := range across * down * t.planes() {
		rows := t.block.Y
		if !t.tiled {
			rows = min(rows, h.height-i%down*t.block.Y)
		}
		if from := t.offsets.at(i); from > uint64(len(data)) || int64(len(data))-int64(from) < t.rowBytes()*int64(rows) {
			return truncated(format.TIFF)
		}
	}
	return nil
}

// decodeBlock decodes block i, whose upper left pixel is at x and y, into the picture.
func (p *Preprocessor) decodeBlock(h header, data []byte, i, x, y, rows int) error {
	t, d := &h.tiff, &p.tiff
	src := t.packedBlock(data, i)
	size := int(t.rowBytes()) * rows
	block := src
	if t.compression != tiffRaw {
		if block = d.whole(h, x, y, size); block == nil {
			d.block = mem.Grow(d.block, size)
			block = d.block
		}
		if err := p.unpackTIFF(h, block, src, rows); err != nil {
			return err
		}
		t.undo(block, &d.line)
	} else if t.reversed {
		d.block = append(d.block[:0], src[:size]...)
		block = d.block
		reverse(block)
	}
	if len(block) < size {
		return truncated(format.TIFF)
	}
	d.place(h, block[:size], i, x, y)
	return nil
}

// packedBlock returns block i as it lies in the file, as far as the file has it. Its capacity
// is the rest of the file. How long a raw one is its pixels tell.
func (t *tiffHeader) packedBlock(data []byte, i int) []byte {
	from, length := min(t.offsets.at(i), uint64(len(data))), uint64(len(data))
	if t.compression != tiffRaw && i < t.counts.len() {
		length = t.counts.at(i)
	}
	until := from + min(length, uint64(len(data))-from)
	return data[from:until:len(data)]
}

// whole returns the part of the picture that a block unpacks to where its bytes are the
// picture's, or nil.
func (d *tiffDecoder) whole(h header, x, y, size int) []byte {
	t := &h.tiff
	at := y * h.width * t.kept
	if t.depth != 8 || t.together() != t.kept || t.block.X != h.width || x != 0 || size > len(d.pix)-at {
		return nil
	}
	return d.pix[at:][:size]
}

// place makes bytes of the samples of block i, and puts those that are kept into the picture.
func (d *tiffDecoder) place(h header, block []byte, i, x, y int) {
	t := &h.tiff
	n, kept, channel := t.together(), t.kept, 0
	if t.planar {
		across, down := t.blocks(h.width, h.height)
		channel, kept = i/(across*down), 1
	}
	width, rowBytes := min(t.block.X, h.width-x), int(t.rowBytes())
	rows := min(len(block)/rowBytes, h.height-y)
	inverted := t.photometric == tiffWhiteIsZero && t.format != tiffFloat && channel == 0
	if whole := d.whole(h, x, y, rows*rowBytes); whole != nil {
		if &whole[0] != &block[0] { // where it has not been unpacked to
			copy(whole, block)
		}
		if inverted {
			invertEach(whole, n)
		}
		return
	}
	d.line = mem.Grow(d.line, width*n)
	for r := range rows {
		t.bytes(d.line, block[r*rowBytes:][:rowBytes])
		if inverted {
			invertEach(d.line, n)
		}
		out := d.pix[((y+r)*h.width+x)*t.kept+channel:]
		for i, from := 0, d.line; i < width; i, from = i+1, from[n:] {
			copy(out[i*t.kept:], from[:kept])
		}
	}
}

// invertEach inverts the first of each n bytes.
func invertEach(line []byte, n int) {
	for i := 0; i < len(line); i += n {
		line[i] = ^line[i]
	}
}

func reverse(b []byte) {
	for i := range b {
		b[i] = bits.Reverse8(b[i])
	}
}

// tiffRaster makes a raster of the decoded picture.
func (p *Preprocessor) tiffRaster(h header) translucent {
	t := &h.tiff
	at := packed{width: h.width, height: h.height, pix: p.tiff.pix, stride: h.width * t.kept, step: t.kept}
	switch {
	case t.photometric == tiffPalette:
		p.indexed.width, p.indexed.height, p.indexed.stride, p.indexed.pix = h.width, h.height, h.width, p.tiff.pix
		p.indexed.setPalette(t.palette())
		return &p.indexed
	case t.photometric == tiffCMYK:
		return &inked{packed: at}
	case t.kept > 2:
		at.rgb = [3]int{0, 1, 2}
	}
	if t.alpha != 0 {
		at.alpha = t.kept - 1
	}
	if t.alpha == tiffAssociated {
		return &premultiplied{at}
	}
	return &at
}

// palette returns the colours, of which the upper bytes count.
func (t *tiffHeader) palette() (p color.Palette) {
	n := t.colours.len() / 3
	for i := range min(n, 256) {
		p = append(p, color.NRGBA{uint8(t.colours.at(i) >> 8), uint8(t.colours.at(n+i) >> 8), uint8(t.colours.at(2*n+i) >> 8), 255})
	}
	return p
}

// inked is a raster of cyan, magenta, yellow and black, of which 0 is no ink.
type inked struct {
	packed
	black []byte
}

func (p *inked) row(dst []byte, y, x0, x1 int) {
	p.black = mem.Grow(p.black, x1-x0)
	for i := range p.black {
		px := p.pix[y*p.stride+4*(x0+i):][:4]
		copy(dst[3*i:], px[:3])
		p.black[i] = ^px[3]
	}
	applyBlack(dst, p.black)
}
