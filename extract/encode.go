package extract

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

// Encode returns the bytes of an image that a program has decoded, or drawn, so that it can
// be handed to whatever takes encoded images: an uncompressed PNG, which loses nothing of 8
// or 16 bits a channel. It takes some milliseconds a megapixel.
//
// The bytes stand for the pixels, and the cache finds a feature by them. The feature is that
// of a PNG file with these pixels. It is not quite that of the JPEG that img was decoded
// from by another decoder: where the file is at hand, its bytes are the better choice. The
// error is an [ErrImageTooLarge] above [DefaultMaxPixels], or that of a picture of no pixels.
func Encode(img image.Image) ([]byte, error) {
	if size := img.Bounds().Size(); size.Y > 0 && size.X > DefaultMaxPixels/size.Y {
		return nil, fmt.Errorf("%w: %d×%d pixels exceed the limit of %d", ErrImageTooLarge, size.X, size.Y, DefaultMaxPixels)
	}
	var out bytes.Buffer
	e := png.Encoder{CompressionLevel: png.NoCompression}
	err := e.Encode(&out, img)
	return out.Bytes(), err
}
