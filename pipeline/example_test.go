package pipeline_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"icebox/pipeline"
)

// Tuning chooses the options of the head; without it, the head is trained as Options.Head
// says, by Adam at a rate of 1e-3 for 10 epochs.
func ExampleOptions_tune() {
	o := pipeline.Default()
	fmt.Println(o.Tune, o.Head.Optimizer, o.Head.LR, o.Head.Epochs)
	o.Tune = pipeline.TuneAuto
	fmt.Println(o.Tune, o.Validate())
	// Output:
	// off adam 0.001 10
	// auto <nil>
}

// The whole way from images to an answer: a folder of class folders becomes a run folder,
// and its head answers for a new image.
func Example() {
	dir, err := os.MkdirTemp("", "icebox")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for n := range 6 {
		draw(filepath.Join(dir, "photos", "dark", fmt.Sprintf("%d.png", n)), uint8(10*n))
		draw(filepath.Join(dir, "photos", "light", fmt.Sprintf("%d.png", n)), uint8(255-10*n))
	}
	draw(filepath.Join(dir, "new.png"), 215)

	o := pipeline.Default()
	o.Data.Train = filepath.Join(dir, "photos")
	o.Backbone.Weights = "random" // trained ones are a file, or "auto"
	o.Cache.Path = filepath.Join(dir, "features.db")
	o.Output.Dir = filepath.Join(dir, "runs")
	ctx := context.Background()
	run, err := pipeline.Run(ctx, o, pipeline.Silent)
	if err != nil {
		panic(err)
	}
	fmt.Println(run.Images, "images,", run.Computed, "features computed")

	again, err := pipeline.Run(ctx, o, pipeline.Silent) // every feature is in the cache
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Hits, "from the cache,", again.ImagesOpened, "images opened")

	predictor, err := pipeline.OpenPredictor(ctx, *run.RunDir, o)
	if err != nil {
		panic(err)
	}
	defer predictor.Close()
	for answer, err := range predictor.Predict(ctx, pipeline.Files(ctx, []string{filepath.Join(dir, "new.png")}, nil)) {
		if err != nil {
			panic(err)
		}
		fmt.Println(filepath.Base(answer.Path), "is", answer.Label)
	}
	// Output:
	// 12 images, 12 features computed
	// 12 from the cache, 0 images opened
	// new.png is light
}

// draw writes a picture of one grey with a darker edge.
func draw(path string, grey uint8) {
	img := image.NewGray(image.Rect(0, 0, 32, 32))
	for y := range 32 {
		for x := range 32 {
			v := grey
			if x < 4 || y < 4 {
				v /= 2
			}
			img.SetGray(x, y, color.Gray{Y: v})
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		panic(err)
	}
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		panic(err)
	}
}
