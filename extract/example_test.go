package extract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"

	"icebox/extract"
)

// picture returns the bytes of a PNG file of one colour.
func picture(c color.NRGBA) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range img.Pix {
		img.Pix[i] = [4]uint8{c.R, c.G, c.B, c.A}[i%4]
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		log.Fatal(err)
	}
	return file.Bytes()
}

// One call takes the bytes of any number of image files. A bad one has an error of its
// own and spoils no other.
func ExampleExtractor() {
	ctx := context.Background()
	x, err := extract.Open(ctx, extract.Options{Weights: extract.Random}) // untrained: it needs no file
	if err != nil {
		log.Fatal(err)
	}
	defer x.Close()

	red := picture(color.NRGBA{R: 255, A: 255})
	images := [][]byte{red, []byte("no image"), red}
	rows, errs := make([]float32, len(images)*extract.Dim), make([]error, len(images))
	if err := x.Extract(ctx, images, rows, errs); err != nil {
		log.Fatal(err)
	}
	row := func(i int) []float32 { return rows[i*extract.Dim : (i+1)*extract.Dim] }
	fmt.Println("space", x.Fingerprint().ID("float32")[:12])
	fmt.Println("values", len(row(0)))
	fmt.Println("bad", errors.Is(errs[1], extract.ErrImageFormat))
	fmt.Println("same picture, same bits", fmt.Sprint(row(0)) == fmt.Sprint(row(2)))
	// Output:
	// space a9b46e62be55
	// values 512
	// bad true
	// same picture, same bits true
}

// A Single answers for one image at a time, on all processors.
func ExampleSingle() {
	ctx := context.Background()
	s, err := extract.OpenSingle(ctx, extract.Options{Weights: extract.Random})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	feature := make([]float32, extract.Dim)
	fault, err := s.Feature(ctx, feature, picture(color.NRGBA{B: 255, A: 255}))
	if err != nil {
		log.Fatal(err) // the engine failed
	}
	fmt.Println("fault of the image:", fault)
	fault, _ = s.Feature(ctx, feature, nil)
	fmt.Println("fault of no bytes at all:", fault)
	// Output:
	// fault of the image: <nil>
	// fault of no bytes at all: empty file (0 bytes)
}

// A program finds its own name for the field of a Fault.
func ExampleFault() {
	err := extract.Options{Plan: "quick", Threads: -1}.Validate()
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		var fault extract.Fault
		if errors.As(err, &fault) {
			fmt.Println(fault.Field+":", fault.Text)
		}
	}
	// Output:
	// Plan: "quick" is not known: choose auto, winograd or compact
	// Threads: (-1) must be ≥ 0
}
