package pipeline

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/runs"
)

// Prediction is a head's answer for one image.
type Prediction struct {
	Path  string                 `json:"path"`
	Label string                 `json:"label,omitempty"` // "unknown" where Unknown is set
	Top   []headtrain.Prediction `json:"top,omitempty"`   // calibrated, where the head is
	// Unknown is set where the first of Top is less probable than the head's threshold.
	Unknown bool   `json:"unknown,omitempty"`
	Error   string `json:"error,omitempty"` // why there is no answer
}

// unknownLabel is the answer where a head has better none.
const unknownLabel = "unknown"

// Predictor answers for new images with the head of a run. It neither reads nor
// writes a cache.
type Predictor struct {
	head *headtrain.Head
	x    *extract.Single
	topK int
}

// OpenPredictor loads the head of the run in dir and finds the weights that it was
// trained on. TopK is the number of classes in an answer.
func OpenPredictor(ctx context.Context, dir string, o Options, topK int) (*Predictor, error) {
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, err
	}
	if info.Features != "" {
		return nil, noImages(dir, info)
	}
	if topK < 1 {
		return nil, fmt.Errorf("top (%d) must be ≥ 1", topK)
	}
	o = o.adopt(info)
	x, err := extract.OpenSingle(ctx, o.extractOptions())
	if err != nil {
		return nil, err
	}
	if err := head.Check(x.Fingerprint().ID(o.Cache.DType), extract.Dim); err != nil {
		x.Close()
		return nil, err
	}
	return &Predictor{head: head, x: x, topK: min(topK, len(head.Classes))}, nil
}

// Weights says which weights the answers stand on.
func (p *Predictor) Weights() extract.WeightsInfo { return p.x.Weights() }

// Close lets go of the backbone.
func (p *Predictor) Close() error { return p.x.Close() }

// Image is an encoded image and the name that its answer goes by.
type Image struct {
	Name string
	Data []byte
	Err  error // why there are no bytes
}

// Files reads the image files at paths; of a folder, all images below it. Left, which may
// be nil, is called for each folder with files that are none, before its first image.
func Files(ctx context.Context, paths []string, left func(dataset.Skipped)) iter.Seq[Image] {
	return func(yield func(Image) bool) {
		for _, p := range paths {
			for img := range filesAt(ctx, p, left) {
				if !yield(img) {
					return
				}
			}
		}
	}
}

func filesAt(ctx context.Context, p string, left func(dataset.Skipped)) iter.Seq[Image] {
	return func(yield func(Image) bool) {
		if fi, err := os.Stat(p); err != nil || !fi.IsDir() {
			yield(readNamed(p))
			return
		}
		paths, skipped, err := dataset.ImagesBelow(ctx, p)
		if err != nil {
			yield(Image{Name: p, Err: err})
			return
		}
		if left != nil && len(skipped) > 0 {
			left(skipped)
		}
		for _, path := range paths {
			if !yield(readNamed(path)) {
				return
			}
		}
	}
}

func readNamed(path string) Image {
	data, _, err := features.ReadImage(path)
	return Image{Name: path, Data: data, Err: err}
}

// Stdin reads one image from r.
func Stdin(r io.Reader) iter.Seq[Image] {
	return func(yield func(Image) bool) {
		data, err := io.ReadAll(io.LimitReader(r, features.MaxFileBytes))
		yield(Image{Name: "-", Data: data, Err: err})
	}
}

// Predict answers for images one by one, in their order.
func (p *Predictor) Predict(ctx context.Context, images iter.Seq[Image]) iter.Seq2[Prediction, error] {
	return func(yield func(Prediction, error) bool) {
		row := make([]float32, extract.Dim)
		for img := range images {
			if img.Err != nil {
				if !yield(Prediction{Path: img.Name, Error: img.Err.Error()}, nil) {
					return
				}
				continue
			}
			fault, err := p.x.Feature(ctx, row, img.Data)
			if err != nil {
				yield(Prediction{Path: img.Name}, err)
				return
			}
			answer := Prediction{Path: img.Name}
			if fault != nil {
				answer.Error = fault.Error()
			} else {
				answer.Top = p.head.Predict(row, p.topK)
				answer.Label = answer.Top[0].Class
				if answer.Unknown = p.head.Unknown(answer.Top); answer.Unknown {
					answer.Label = unknownLabel
				}
			}
			if !yield(answer, nil) {
				return
			}
		}
	}
}
