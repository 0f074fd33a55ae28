package imaging

import (
	"encoding/binary"
	"fmt"
	"image"
	"math"

	"icebox/extract/format"
)

// Tags of a TIFF's directory.
const (
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagStripOffsets    = 273
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanarConfig    = 284
	tagT4Options       = 292
	tagPredictor       = 317
	tagColorMap        = 320
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagJPEGTables      = 347
)

// Values of the tag of colours.
const (
	tiffWhiteIsZero = 0
	tiffBlackIsZero = 1
	tiffRGB         = 2
	tiffPalette     = 3
	tiffCMYK        = 5
	tiffYCbCr       = 6
)

// Values of the tag of compression.
const (
	tiffRaw        = 1
	tiffGroup3     = 3
	tiffGroup4     = 4
	tiffLZW        = 5
	tiffJPEG       = 7
	tiffDeflate    = 8
	tiffOldDeflate = 32946
	tiffPackBits   = 32773
)

// Values of the tag of a sample's format.
const (
	tiffUnsigned = 1
	tiffSigned   = 2
	tiffFloat    = 3
)

// Values of the tags of extra samples, of predictors and of the order of bits.
const (
	tiffAssociated   = 1 // colours are multiplied by alpha
	tiffUnassociated = 2
	tiffCorelAlpha   = 999 // as Corel Draw writes it

	tiffDifferences      = 2
	tiffFloatDifferences = 3

	tiffLowestFirst = 2
)

// tiffHeader is what a TIFF's directory says of its pixels, which come in blocks: strips, as
// wide as the picture, or tiles.
type tiffHeader struct {
	order       binary.ByteOrder
	compression int
	predictor   int
	photometric int
	format      int // of a sample
	depth       int // bits a sample
	samples     int // a pixel has
	kept        int // of them are decoded: the colour's, and then alpha
	alpha       int // tiffAssociated, tiffUnassociated or 0, which is none
	planar      bool
	reversed    bool // the lowest bit of each byte comes first
	tiled       bool
	block       image.Point // its size in pixels
	offsets     tiffValues  // of the blocks
	counts      tiffValues  // bytes of each block
	colours     tiffValues  // the palette: all reds, all greens, all blues
	tables      []byte      // JPEG's, for all blocks
}

// tiffValues are the integers of a field.
type tiffValues struct{ field }

// size is the bytes of an integer, or 0 for a type that is none.
func (v tiffValues) size() int {
	switch v.typ {
	case 1, 3, 4, 13, 16:
		return int(unitSizes[v.typ])
	}
	return 0
}

func (v tiffValues) len() int {
	if v.size() == 0 {
		return 0
	}
	return len(v.value) / v.size()
}

func (v tiffValues) at(i int) uint64 {
	switch b := v.value[i*v.size():]; v.size() {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(v.order.Uint16(b))
	case 4:
		return uint64(v.order.Uint32(b))
	default:
		return v.order.Uint64(b)
	}
}

// small returns value i, which nobody needs to be large.
func (v tiffValues) small(i int) int { return int(min(v.at(i), math.MaxInt32)) }

// tiffTags are the fields of a directory.
type tiffTags map[uint16]tiffValues

// get returns the first value of a tag, or another one if there is none.
func (t tiffTags) get(tag uint16, otherwise int) int {
	if v := t[tag]; v.len() > 0 {
		return v.small(0)
	}
	return otherwise
}

func unsupportedTIFF(what string, args ...any) error {
	return failf(ErrUnsupported, "this TIFF is not supported: %s (save it as a plain JPEG or PNG)", fmt.Sprintf(what, args...))
}

func damagedTIFF(what string, args ...any) error {
	return failf(ErrFormat, "damaged TIFF: %s", fmt.Sprintf(what, args...))
}

// parseTIFF reads the first directory, and refuses kinds that are not decoded.
func (h *header) parseTIFF(data []byte) error {
	order, ok := byteOrder(data)
	if !ok {
		return truncated(format.TIFF)
	}
	tags := tiffTags{}
	entries(data, func(f field, _ uint64) bool { tags[f.tag] = tiffValues{f}; return true })
	if len(tags) == 0 {
		return truncated(format.TIFF)
	}
	h.width, h.height = tags.get(tagWidth, 0), tags.get(tagHeight, 0)
	if h.width == 0 || h.height == 0 {
		return damagedTIFF("its size is %d×%d", h.width, h.height)
	}
	t := &h.tiff
	*t = tiffHeader{
		order:       order,
		compression: max(tags.get(tagCompression, tiffRaw), tiffRaw), // some writers mean raw by 0
		photometric: tags.get(tagPhotometric, tiffWhiteIsZero),
		reversed:    tags.get(tagFillOrder, 1) == tiffLowestFirst,
		planar:      tags.get(tagPlanarConfig, 1) == 2,
		colours:     tags[tagColorMap],
		tables:      tags[tagJPEGTables].value,
	}
	if err := t.chooseSamples(tags); err != nil {
		return err
	}
	if err := t.chooseCompression(tags); err != nil {
		return err
	}
	if err := t.layOut(tags, h.width, h.height); err != nil {
		return err
	}
	h.grey16 = t.kept == 1 && t.photometric < tiffRGB && (t.depth == 12 || t.depth == 16 && t.format == tiffUnsigned)
	h.orientation = metadata{exif: data}.orientation()
	return nil
}

// maxSamples is the most samples of a pixel.
const maxSamples = 32

// chooseSamples says what the samples of a pixel mean.
func (t *tiffHeader) chooseSamples(tags tiffTags) error {
	colours, ok := map[int]int{tiffWhiteIsZero: 1, tiffBlackIsZero: 1, tiffRGB: 3, tiffPalette: 1, tiffCMYK: 4, tiffYCbCr: 3}[t.photometric]
	if !ok {
		name := map[int]string{4: "a mask", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32803: "raw sensor data", 34892: "raw sensor data"}[t.photometric]
		if name == "" {
			name = fmt.Sprintf("a photometric interpretation of %d", t.photometric)
		}
		return unsupportedTIFF("its colours are %s", name)
	}
	bits := tags[tagBits]
	t.depth = tags.get(tagBits, 1)
	t.samples = tags.get(tagSamples, max(bits.len(), 1))
	if t.samples > maxSamples {
		return unsupportedTIFF("%d samples a pixel", t.samples)
	}
	if t.samples < colours || bits.len() > 1 && bits.len() < t.samples {
		return damagedTIFF("%d samples a pixel, and %d depths, for %d colours", t.samples, bits.len(), colours)
	}
	for i := range min(bits.len(), t.samples) {
		if bits.small(i) != t.depth {
			return unsupportedTIFF("samples of different depths")
		}
	}
	t.format = tags.get(tagSampleFormat, tiffUnsigned)
	grey := t.samples == 1 && colours == 1 && t.photometric != tiffPalette
	switch {
	case t.format == tiffUnsigned && (t.depth == 1 || t.depth == 2 || t.depth == 4 || t.depth == 8):
	case t.format == tiffUnsigned && (t.depth == 12 || t.depth == 16) && t.photometric != tiffPalette:
	case t.format == tiffUnsigned && t.depth == 32 && grey:
	case t.format == tiffSigned && (t.depth == 8 || t.depth == 16 || t.depth == 32) && grey:
	case t.format == tiffFloat && t.depth == 32 && grey:
	default:
		return unsupportedTIFF("%d samples of %d bits a pixel in format %d", t.samples, t.depth, t.format)
	}
	t.kept = colours
	if t.samples > colours && t.photometric < tiffPalette {
		t.chooseAlpha(tags, colours)
	}
	return nil
}

// chooseAlpha says whether the first sample behind a pixel's colour is its alpha. Where nothing
// tells, the fourth one of RGB is, as Pillow has it.
func (t *tiffHeader) chooseAlpha(tags tiffTags, colours int) {
	unsaid := 0
	if t.photometric == tiffRGB && t.samples == 4 {
		unsaid = tiffUnassociated
	}
	switch extra := tags.get(tagExtraSamples, unsaid); extra {
	case tiffAssociated, tiffUnassociated:
		t.alpha = extra
	case tiffCorelAlpha:
		t.alpha = tiffUnassociated
	}
	if t.alpha != 0 {
		t.kept = colours + 1
	}
}

// chooseCompression says how the blocks are packed.
func (t *tiffHeader) chooseCompression(tags tiffTags) error {
	switch t.compression {
	case tiffRaw, tiffPackBits:
	case tiffLZW, tiffDeflate, tiffOldDeflate:
		t.predictor = tags.get(tagPredictor, 1)
		switch {
		case t.predictor == 1:
		case t.predictor == tiffDifferences && t.depth%8 == 0 && t.format != tiffFloat:
		case t.predictor == tiffFloatDifferences && t.format == tiffFloat:
		default:
			return unsupportedTIFF("predictor %d of samples of %d bits", t.predictor, t.depth)
		}
	case tiffGroup3, tiffGroup4:
		if t.depth != 1 || t.samples != 1 {
			return unsupportedTIFF("a fax of %d samples of %d bits a pixel", t.samples, t.depth)
		}
		if t.compression == tiffGroup3 && tags.get(tagT4Options, 0)&1 != 0 {
			return unsupportedTIFF("a fax of Group 3 in two dimensions")
		}
	case tiffJPEG:
		if t.depth != 8 || t.samples > 4 || t.samples == 2 && !t.planar {
			return unsupportedTIFF("JPEG of %d samples of %d bits a pixel", t.samples, t.depth)
		}
	default:
		name := map[int]string{
			2: "Huffman-coded runs", 6: "JPEG in the way of TIFF 6.0", 32809: "ThunderScan", 33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000",
			34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
		}[t.compression]
		if name == "" {
			name = "an unknown kind"
		}
		return unsupportedTIFF("compression %d, which is %s", t.compression, name)
	}
	if t.photometric == tiffYCbCr && (t.compression != tiffJPEG || t.planar || t.samples != 3) {
		return unsupportedTIFF("YCbCr that is no JPEG")
	}
	return nil
}

// tileSide is how long a side of a tile may be that is longer than the picture's.
const tileSide = 4096

// layOut finds the blocks.
func (t *tiffHeader) layOut(tags tiffTags, width, height int) error {
	t.offsets, t.counts = tags[tagStripOffsets], tags[tagStripByteCounts]
	t.block = image.Pt(width, min(tags.get(tagRowsPerStrip, height), height))
	if t.block.Y == 0 {
		t.block.Y = height
	}
	if t.tiled = tags[tagTileOffsets].len() > 0 && t.offsets.len() == 0; t.tiled {
		t.offsets, t.counts = tags[tagTileOffsets], tags[tagTileByteCounts]
		t.block = image.Pt(tags.get(tagTileWidth, 0), tags.get(tagTileLength, 0))
		if t.block.X < 1 || t.block.Y < 1 || t.block.X > max(width+15, tileSide) || t.block.Y > max(height+15, tileSide) {
			return damagedTIFF("tiles of %d×%d pixels", t.block.X, t.block.Y)
		}
	}
	return nil
}

// blocks returns how many blocks cover a plane.
func (t *tiffHeader) blocks(width, height int) (across, down int) {
	return (width-1)/t.block.X + 1, (height-1)/t.block.Y + 1
}

// planes returns how many planes are decoded.
func (t *tiffHeader) planes() int {
	if t.planar {
		return t.kept
	}
	return 1
}

// together returns how many samples of a pixel lie together.
func (t *tiffHeader) together() int {
	if t.planar {
		return 1
	}
	return t.samples
}

// rowBytes returns the bytes of a row of a block.
func (t *tiffHeader) rowBytes() int64 {
	return (int64(t.block.X)*int64(t.together())*int64(t.depth) + 7) / 8
}

func (t *tiffHeader) blockBytes() int64 { return t.rowBytes() * int64(t.block.Y) }

// leastBytes is a lower bound for the length of a file: that of one block, by the best ratio of
// its compression.
func (t *tiffHeader) leastBytes() int64 {
	ratio := map[int]int64{tiffRaw: 1, tiffPackBits: 64, tiffLZW: 1 << lzwMost, tiffDeflate: maxDeflate, tiffOldDeflate: maxDeflate}[t.compression]
	if ratio == 0 {
		return 0
	}
	return t.blockBytes() / ratio
}
