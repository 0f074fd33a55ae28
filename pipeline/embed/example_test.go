package embed_test

import (
	"context"
	"fmt"
	"image"
	"log"
	"os"
	"path/filepath"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/embed"
)

// drawn is a picture of 64 × 64 pixels of one grey, with a darker edge.
func drawn(grey uint8) image.Image {
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = grey
		if i%64 < 8 {
			img.Pix[i] = grey / 2
		}
	}
	return img
}

// The whole way in a program: images become features, features become a head, the head
// answers, and is saved for the command.
func Example() {
	dir, err := os.MkdirTemp("", "icebox")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	e, err := embed.Open(ctx, embed.Options{
		Cache:    filepath.Join(dir, "features.db"),
		Backbone: extract.Options{Weights: extract.Random}, // trained ones are the default
	})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	var photos [][]byte
	var labels []int32
	for n := range 12 {
		photo, err := extract.Encode(drawn([]uint8{30, 220}[n%2] + uint8(n)))
		if err != nil {
			log.Fatal(err)
		}
		photos, labels = append(photos, photo), append(labels, int32(n%2))
	}
	x, errs, err := e.Images(ctx, photos...)
	if err != nil {
		log.Fatal(err)
	}
	for _, fault := range errs {
		if fault != nil {
			log.Fatal(fault)
		}
	}

	fit, err := headtrain.New().Fit(ctx, headtrain.Job{
		Train: &headtrain.Dataset{X: x, Dim: extract.Dim, Labels: labels, Classes: []string{"dark", "light"}},
		Heads: []headtrain.Options{{Optimizer: headtrain.OptimizerLBFGS, WeightDecay: 0.01, Epochs: 500}},
	})
	if err != nil {
		log.Fatal(err)
	}
	head := fit[0].Head
	if err := e.Describe(head); err != nil {
		log.Fatal(err)
	}
	if err := head.Save(filepath.Join(dir, "head.safetensors")); err != nil {
		log.Fatal(err)
	}

	fresh, err := extract.Encode(drawn(200))
	if err != nil {
		log.Fatal(err)
	}
	row, err := e.Image(ctx, fresh)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(head.Predict(row, 1)[0].Class)
	if _, _, err := e.Images(ctx, photos...); err != nil {
		log.Fatal(err)
	}
	hits, computed := e.Counts()
	fmt.Println(hits, "from the cache,", computed, "computed")
	// Output:
	// light
	// 12 from the cache, 13 computed
}
