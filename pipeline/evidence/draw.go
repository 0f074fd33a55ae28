package evidence

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"github.com/disintegration/imaging"

	"icebox/extract"
)

// The colours of what speaks for a class and of what speaks against it: an orange and a blue
// that people with colour blindness tell apart (Okabe and Ito, 2008).
var (
	forColour     = [3]float64{230, 120, 0}
	againstColour = [3]float64{0, 110, 200}
)

// strongest is how much of a pixel the colour of the strongest cell covers. The image under it
// has lost half of its own colours, so that these are not taken for evidence.
const strongest, faded = 0.75, 0.5

// Over draws m over its crop: RGB in rows, extract.PixelBytes long, as the result is. Orange
// speaks for the class, blue against it; the strongest cell of the map is the most colourful,
// however strong it is, and cells run into each other between their middles.
func (m *Map) Over(crop []uint8) []uint8 {
	out := make([]uint8, extract.PixelBytes)
	for i, v := range m.smooth() {
		colour := forColour
		if v < 0 {
			colour = againstColour
		}
		alpha := strongest * math.Abs(v)
		rgb := crop[3*i : 3*i+3]
		grey := 0.299*float64(rgb[0]) + 0.587*float64(rgb[1]) + 0.114*float64(rgb[2])
		for c := range 3 {
			under := faded*grey + (1-faded)*float64(rgb[c])
			out[3*i+c] = uint8((1-alpha)*under + alpha*colour[c] + 0.5)
		}
	}
	return out
}

// smooth are the cells over all pixels of a crop, from -1 to 1.
func (m *Map) smooth() []float64 {
	most := 0.0
	for _, v := range m.Cells {
		most = math.Max(most, math.Abs(v))
	}
	if most == 0 {
		most = 1
	}
	small := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i, v := range m.Cells {
		grey := uint8(math.Round(127*v/most) + 127)
		small.SetNRGBA(i%side, i/side, color.NRGBA{grey, grey, grey, 255})
	}
	large := imaging.Resize(small, extract.Side, extract.Side, imaging.Linear)
	all := make([]float64, extract.Side*extract.Side)
	for i := range all {
		all[i] = max(-1, (float64(large.Pix[4*i])-127)/127)
	}
	return all
}

// quality is that of JPEGs for people to look at.
const quality = 90

// Encode draws crops as a JPEG, from left to right.
func Encode(crops ...[]uint8) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, len(crops)*extract.Side, extract.Side))
	for n, crop := range crops {
		for i := range extract.Side * extract.Side {
			at := img.PixOffset(n*extract.Side+i%extract.Side, i/extract.Side)
			copy(img.Pix[at:], crop[3*i:3*i+3])
			img.Pix[at+3] = 255
		}
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}
