package extract

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"
)

// An image of a program has the crop of a PNG file with its pixels.
func TestEncodedImagesKeepTheirPixels(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	p, err := NewPreprocessor(Options{})
	if err != nil {
		t.Fatal(err)
	}
	box := image.Rect(-3, 5, 90, 77) // not from 0
	grey, deep, clear := image.NewGray(box), image.NewRGBA64(box), image.NewNRGBA(box)
	for _, pix := range [][]uint8{grey.Pix, deep.Pix, clear.Pix} {
		for i := range pix {
			pix[i] = uint8(rng.UintN(256))
		}
	}
	for i := 0; i < len(deep.Pix); i += 8 {
		deep.Pix[i+6], deep.Pix[i+7] = 255, 255
	}
	few := image.NewPaletted(box, color.Palette{color.White, color.Black, color.NRGBA{200, 10, 10, 255}})
	for i := range few.Pix {
		few.Pix[i] = uint8(rng.UintN(3))
	}
	for _, img := range []image.Image{grey, deep, clear, few, grey.SubImage(image.Rect(0, 10, 50, 60))} {
		data, err := Encode(img)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			t.Fatal(err)
		}
		got, want := make([]uint8, PixelBytes), make([]uint8, PixelBytes)
		if _, err := p.Crop(context.Background(), got, data); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Crop(context.Background(), want, file.Bytes()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%T has another crop", img)
		}
	}
}

func TestEncodeRefusesWhatHasNoSize(t *testing.T) {
	if _, err := Encode(image.NewUniform(color.White)); !errors.Is(err, ErrImageTooLarge) {
		t.Errorf("%v", err)
	}
	if _, err := Encode(image.NewGray(image.Rectangle{})); err == nil {
		t.Error("an image of no pixels has bytes")
	}
}
