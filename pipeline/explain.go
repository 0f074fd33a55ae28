package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/evidence"
	"icebox/pipeline/files"
	"icebox/pipeline/origin"
	"icebox/pipeline/predictions"
)

// errChanged is returned for a file that is not the one that the cache has the feature of.
var errChanged = errors.New("the file has changed")

// mapper finds where in an image a head has its evidence. Maps come from the plan of the
// backbone for single images, as the answers of a [Predictor] do.
type mapper struct {
	head  *headtrain.Head
	x     *extract.Single
	crops *extract.Preprocessor
}

// openMapper gets the backbone of a head ready, whose options o has adopted. The error is an
// [evidence.ErrNone] where the head has no maps.
func openMapper(ctx context.Context, head *headtrain.Head, o Options) (*mapper, error) {
	if err := evidence.Check(head); err != nil {
		return nil, err
	}
	x, err := extract.OpenSingle(ctx, o.extractOptions())
	if err != nil {
		return nil, err
	}
	m, err := newMapper(head, x, o)
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return m, nil
}

// newMapper is openMapper with a backbone that is open.
func newMapper(head *headtrain.Head, x *extract.Single, o Options) (*mapper, error) {
	if err := cmp.Or(evidence.Check(head), head.Check(x.Fingerprint().ID(o.Cache.DType), extract.Dim)); err != nil {
		return nil, err
	}
	crops, err := extract.NewPreprocessor(o.extractOptions())
	return &mapper{head, x, crops}, err
}

// find computes the map of two classes in an encoded image, and the crop that it lies over.
func (m *mapper) find(ctx context.Context, image []byte, of, against int) (*evidence.Map, []uint8, error) {
	crop, grid := make([]uint8, extract.PixelBytes), make([]float32, extract.GridLen)
	if _, err := m.crops.Crop(ctx, crop, image); err != nil {
		return nil, nil, err
	}
	if err := m.x.Grid(ctx, grid, crop); err != nil {
		return nil, nil, err
	}
	return evidence.Find(m.head, grid, of, against), crop, nil
}

// readItem reads the file of an item; the error is an errChanged where its content is another
// by now.
func readItem(ctx context.Context, images *origin.Reader, ds *dataset.Dataset, it *dataset.Item) ([]byte, error) {
	data, _, err := images.Get(ctx, origin.Of(ds, it))
	if err == nil && cache.Key(sha256.Sum256(data)) != it.Hash {
		err = fmt.Errorf("%w: %s", errChanged, ds.File(it))
	}
	return data, err
}

// explainer draws maps of evidence into the files of a folder.
type explainer struct {
	*mapper
	dir  string
	from map[string]string // the name of the image that a file is of

	images *origin.Reader // nil where somebody else reads them
}

// evidenceEnding ends the name of a file with a map.
const evidenceEnding = ".evidence.jpg"

// CheckExplained returns a [predictions.ErrExists] where maps of evidence would mix with files
// that are in dir already, unless overwrite is set. A folder that is not there is made later.
func CheckExplained(dir string, overwrite bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0 && !overwrite:
		return fmt.Errorf("%w: %s in the folder %s", predictions.ErrExists, entries[0].Name(), dir)
	}
	return nil
}

// explain draws why an image has the likeliest class of its row and not the second, and puts
// the file's path into the row. A fault of the image leaves the row without one.
func (e *explainer) explain(ctx context.Context, row *predictions.Row, image []byte) error {
	top := row.Top(e.head.Classes, 2)
	m, crop, err := e.find(ctx, image, top[0].Index, top[1].Index)
	if errors.Is(err, extract.ErrEngine) || ctx.Err() != nil {
		return cmp.Or(ctx.Err(), err)
	}
	if err != nil {
		return nil //nolint:nilerr // the row says that there is no map
	}
	file, err := e.file(row.Path)
	if err != nil {
		return err
	}
	jpeg, err := evidence.Encode(crop, m.Over(crop))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	row.Evidence, row.Against = file, top[1].Class
	return files.Write(file, jpeg)
}

// file is where the map of an image goes: below the folder as the image's name says, and
// never outside of it. An image that is named from the root of the disk has it at the top of
// the folder.
func (e *explainer) file(name string) (string, error) {
	inside := strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(name)), "/")
	switch {
	case name == "-":
		inside = "stdin"
	case filepath.IsAbs(name):
		inside = filepath.Base(name)
	}
	inside, err := filepath.Localize(strings.ReplaceAll(inside, ":", "_"))
	if err != nil {
		return "", fmt.Errorf("no file can be named for the map of %q: %w", name, err)
	}
	for n := 1; ; n++ {
		file := filepath.Join(e.dir, inside+evidenceEnding)
		if n > 1 {
			file = filepath.Join(e.dir, fmt.Sprintf("%s-%d%s", inside, n, evidenceEnding))
		}
		if of, taken := e.from[file]; !taken || of == name {
			e.from[file] = name
			return file, nil
		}
	}
}

// ExplainInto has Predict draw, for each answer, where in the image it comes from: the
// likeliest class against the second, in a file below the folder dir that is named in the
// row. The error is an [evidence.ErrNone] where the head has no such maps.
func (p *Predictor) ExplainInto(dir string) error {
	m, err := newMapper(p.head, p.x, p.o)
	if err == nil {
		p.explainer = &explainer{m, dir, map[string]string{}, nil}
	}
	return err
}

// ExplainInto is [Predictor.ExplainInto]. It gets the backbone ready once more, and has Rows
// open every image.
func (s *Scorer) ExplainInto(ctx context.Context, dir string) error {
	m, err := openMapper(ctx, s.head, s.o)
	if err == nil {
		s.explainer = &explainer{m, dir, map[string]string{}, origin.NewReader(origin.Hold)}
	}
	return err
}
