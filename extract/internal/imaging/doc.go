// Package imaging turns the bytes of an image file into the 224×224 RGB crop
// that ResNet-18 expects, with the very pixels torchvision and Pillow produce:
//
//	bytes ──sniff, size limit──▶ decoder ──▶ raster ──▶ resize + crop ──▶ Pixels
//	                                          (rows on demand)
//
// The steps are convert("RGB"), ImageOps.exif_transpose, Resize(256, antialias) and
// CenterCrop(224), unless Options ask for another fit, for a colour below transparent
// pixels or for pictures of files that end early; these are as Pillow's and torchvision's,
// too, bit by bit. Only the rows and columns that the crop keeps are converted and
// resampled; of a JPEG, only what they need is made pixels. An orientation is a mapping
// of indices inside the resampler. So no full RGB copy of a photograph is ever made.
//
// # Exactness
//
// Resampling is Pillow's own fixed-point arithmetic, and exact for every size. So the
// crops of JPEG (progressive and CMYK, too; see package jpeg), PNG, GIF, BMP, TIFF and WebP
// (lossy too) are exact. TIFF is TIFF 6.0 and BigTIFF, in strips, tiles and planes: grey, RGB,
// CMYK and palettes of 1, 2, 4, 8, 12 and 16 bits, with alpha and other samples, grey of signed
// numbers, of 32 bits and in floating point; raw, PackBits, LZW, Deflate, fax and JPEG. A progressive JPEG whose last scans are missing is smoothed as by
// libjpeg-turbo. What libjpeg only warns of is read as it reads it: bytes and markers between
// segments that belong to none, bytes before restart markers that are not needed. A
// sequential JPEG that is damaged in another way goes to the standard library's decoder: what
// that one takes lies within 3 levels.
//
// The reference is Pillow 13. It resamples a picture down first where that loses many
// more rows than the other way loses columns. Older versions always go across first,
// and differ for such pictures by a level here and there.
//
// Known differences: 16-bit grey is scaled by v>>8, and 12-bit grey by v>>4 (Pillow clips them to
// 255); TIFFs are read that Pillow does not read, such as big-endian BigTIFF, or RGB of 4 or 12
// bits, or mistakes, such as big-endian numbers of 32 bits that are packed; damaged
// JPEG data is an error (libjpeg fills the gap and warns), and so is a GIF frame beyond
// its canvas; EXIF that ImageMagick once wrote as text into a PNG is not read; the one
// transparent colour of a PNG of 2, 4 or 16 bits is found (Pillow compares it with samples
// that it has scaled); a padded picture keeps a line however long it is (torchvision
// fails). Files that end early, even where they are accepted, are refused where they end
// within a header, and so are GIF, BMP, WebP and TIFF.
//
// Refused with [ErrUnsupported]: JPEG with arithmetic coding, 12 bits or samples that are
// no whole number of pixels wide or high; BMP of other masks than Pillow reads; TIFF in
// L*a*b*, in YCbCr that is no JPEG, of sensors' raw data, of faxes in two dimensions of Group 3, with JPEG
// as TIFF 6.0 had it, or packed in another way, as with Zstandard.
//
// # Memory
//
// The header is checked before anything is decoded: the number of pixels against
// Options.MaxPixels, and what the picture will take against Options.Memory. A decoder takes
// 1 to 4 bytes a pixel for common kinds, 5 to 10 for a progressive JPEG, and up to 24 for
// rare ones: a CMYK JPEG, a packed TIFF of many samples in one strip. Metadata are skipped.
// See [Preprocessor.Memory], which callers with several workers share memory out by; a
// lossless WebP made for it can take up to 200 MB more, for the codes that it is packed with.
package imaging
