package pipeline

import (
	"context"
	"io"
	"iter"
	"os"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/origin"
	"icebox/pipeline/predictions"
	"icebox/pipeline/runs"
)

// Predictor answers for new images with the head of a run, one at a time. It neither reads
// nor writes a cache, and the first answer comes sooner than a [Scorer]'s: the backbone
// computes by a plan that gets ready faster. Its features agree with those of the cache
// within the numeric class and not bit by bit, so that a probability may differ from that
// of [Eval] and of a Scorer; on real photos and in fp32 it does by less than 0.01.
type Predictor struct {
	head      *headtrain.Head
	x         *extract.Single
	o         Options    // adopted from the head
	explainer *explainer // nil: nothing is explained
}

// OpenPredictor loads the head of the run in dir and finds the weights that it was
// trained on.
func OpenPredictor(ctx context.Context, dir string, o Options) (*Predictor, error) {
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, err
	}
	if info.Features != "" {
		return nil, noImages(dir, info)
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
	return &Predictor{head: head, x: x, o: o}, nil
}

// Weights says which weights the answers stand on.
func (p *Predictor) Weights() extract.WeightsInfo { return p.x.Weights() }

// Classes are those of the head, in its order.
func (p *Predictor) Classes() []string { return p.head.Classes }

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
	data, _, err := origin.File(path)
	return Image{Name: path, Data: data, Err: err}
}

// Stdin reads one image from r.
func Stdin(r io.Reader) iter.Seq[Image] {
	return func(yield func(Image) bool) {
		data, err := origin.ReadStream(r, origin.MaxFileBytes)
		yield(Image{Name: "-", Data: data, Err: err})
	}
}

// Predict answers for images one by one, in their order. A row may be changed once the next
// one is asked for.
func (p *Predictor) Predict(ctx context.Context, images iter.Seq[Image]) iter.Seq2[*predictions.Row, error] {
	return func(yield func(*predictions.Row, error) bool) {
		var row predictions.Row
		for img := range images {
			row.Path = img.Name
			if err := p.answer(ctx, &row, img); err != nil {
				yield(&row, err)
				return
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// answer fills the row of one image. The error is not the image's.
func (p *Predictor) answer(ctx context.Context, row *predictions.Row, img Image) error {
	if img.Err != nil {
		row.Fail(img.Err.Error())
		return nil
	}
	feature := make([]float32, extract.Dim)
	fault, err := p.x.Feature(ctx, feature, img.Data)
	if err != nil {
		return err
	}
	if fault != nil {
		row.Fail(fault.Error())
		return nil
	}
	logits := make([]float32, len(p.head.Classes))
	p.head.Logits(logits, feature, 1)
	row.Answer(p.head, logits)
	if p.explainer == nil {
		return nil
	}
	return p.explainer.explain(ctx, row, img.Data)
}
