package worker

import (
	"context"
	"crypto/sha256"
	"iter"

	"icebox/extract"
)

// Row is what came of an image.
type Row struct {
	Name    string
	SHA256  [sha256.Size]byte // of its bytes; zero where they could not be read
	Feature []float32         // [extract.Dim]; nil where Err says why
	Err     error
}

// Output takes rows; they are its own until Write returns.
type Output interface {
	Write(rows []Row) error
	Close() error // nothing follows
}

// Counts says what was done.
type Counts struct {
	Images int `json:"images"`
	Bad    int `json:"bad"` // of them, without a feature
}

// batch is how many images are computed at once. More are read meanwhile.
const batch = 64

// Run computes the features of images and writes them, in their order. It waits for no batch to
// fill: what has come is computed, so that a program which sends an image and waits for its
// row gets it. An image that is bad is a row with an error. The error is that of the stream, of
// the output, of the engine or of ctx; what was written before it is right.
func Run(ctx context.Context, x *extract.Extractor, images iter.Seq2[Image, error], out Output) (c Counts, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := make(chan Image, batch)
	var broken error // of the stream; to be read when it is closed
	go func() {
		defer close(stream)
		for img, err := range images {
			if err != nil {
				broken = err
				return
			}
			select {
			case stream <- img:
			case <-ctx.Done():
				return
			}
		}
	}()
	x64 := make([]float32, batch*extract.Dim)
	for {
		some := take(ctx, stream)
		if len(some) == 0 {
			break
		}
		rows, err := compute(ctx, x, some, x64)
		if err == nil {
			err = out.Write(rows)
		}
		if err != nil {
			return c, err
		}
		for _, r := range rows {
			if c.Images++; r.Err != nil {
				c.Bad++
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return c, err
	}
	if broken != nil {
		return c, broken
	}
	return c, out.Close()
}

// take waits for an image, and takes what has come by then, up to a batch; none is the end.
func take(ctx context.Context, stream <-chan Image) (some []Image) {
	select {
	case img, ok := <-stream:
		if !ok {
			return nil
		}
		some = append(some, img)
	case <-ctx.Done():
		return nil
	}
	for len(some) < batch {
		select {
		case img, ok := <-stream:
			if !ok {
				return some
			}
			some = append(some, img)
		default:
			return some
		}
	}
	return some
}

// compute returns a row an image; features holds theirs.
func compute(ctx context.Context, x *extract.Extractor, some []Image, features []float32) ([]Row, error) {
	rows := make([]Row, len(some))
	var at []int // the images that can be read
	var data [][]byte
	for i, img := range some {
		rows[i] = Row{Name: img.Name, Err: img.Err}
		if img.Err == nil {
			rows[i].SHA256 = sha256.Sum256(img.Bytes)
			at, data = append(at, i), append(data, img.Bytes)
		}
	}
	errs := make([]error, len(at))
	features = features[:len(at)*extract.Dim]
	if len(at) > 0 {
		if err := x.Extract(ctx, data, features, errs); err != nil {
			return nil, err
		}
	}
	for n, i := range at {
		if rows[i].Err = errs[n]; errs[n] == nil {
			rows[i].Feature = features[n*extract.Dim:][:extract.Dim]
		}
	}
	return rows, nil
}
