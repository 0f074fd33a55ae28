// Package imaging turns the bytes of an image file into the 224×224 RGB crop
// that ResNet-18 expects, with the very pixels torchvision and Pillow produce:
//
//	bytes ──sniff, size limit──▶ decoder ──▶ raster ──▶ resize + crop ──▶ Pixels
//	                                          (rows on demand)
//
// The steps are convert("RGB"), ImageOps.exif_transpose, Resize(256,
// antialias) and CenterCrop(224). Only the rows and columns which the crop
// keeps are converted and resampled, and of plain JPEG decoded, and an orientation is an index mapping
// inside the resampler, so no full RGB copy of a photograph is ever made.
//
// # Exactness
//
// Resampling is Pillow's own fixed-point arithmetic: exact for every size.
// PNG, GIF, BMP, TIFF, WebP (lossy too) and plain JPEG, which is what cameras
// and nearly all tools write (see package jpeg), are therefore exact. Other
// JPEG (progressive, CMYK) and damaged ones go to the standard library's
// decoder, whose inverse DCT differs from libjpeg's: crops stay within 3 levels,
// 97 % of samples equal, while chroma upsampling and colour conversion are
// libjpeg-turbo's, exactly.
//
// The reference is Pillow 13, which resamples a picture more than twice as high
// as wide down first; older ones always go across first, and differ there by a
// level here and there.
//
// Known differences: 16-bit grey is scaled by v>>8 (Pillow clips it to 255);
// damaged JPEG data, which libjpeg paints over with a warning, is an error, as
// is a GIF frame beyond its canvas; EXIF that ImageMagick once wrote as text
// into a PNG is not seen. Refused with [ErrUnsupported]: JPEG with arithmetic
// coding, 12 bits or unusual sampling factors; BMP of 16 bits or run lengths;
// TIFF in CMYK, YCbCr or separate planes, or of 2, 4, 12 or 32 bits.
//
// # Memory
//
// The size in the header is checked before anything is decoded. A decoder needs
// 1.5 to 4 bytes a pixel for common kinds and up to 16 for rare ones (a
// progressive JPEG without chroma subsampling, 16-bit TIFF), so the default
// limit of 128 megapixels bounds a worker to about 2 GB in the worst case;
// Options.MaxPixels lowers it.
package imaging
