package thumbs

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"

	"github.com/disintegration/imaging"

	"icebox/extract"
)

// Side is the width and height of a picture.
const Side = 96

// quality is that of the JPEG: a picture takes some 3 KB.
const quality = 80

// Picture makes the small picture of a crop of extract.Side × extract.Side pixels, RGB.
func Picture(crop []uint8) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, extract.Side, extract.Side))
	for i := range extract.Side * extract.Side {
		copy(img.Pix[4*i:], crop[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, imaging.Resize(img, Side, Side, imaging.Box), &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}

// Draw draws a picture into a square of dst.
func Draw(dst draw.Image, at image.Rectangle, picture []byte) error {
	img, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return err
	}
	if img.Bounds().Size() != at.Size() {
		img = imaging.Resize(img, at.Dx(), at.Dy(), imaging.Box)
	}
	draw.Draw(dst, at, img, img.Bounds().Min, draw.Src)
	return nil
}
