package pipeline

import (
	"context"
	"errors"
	"iter"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/predictions"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
)

// Scorer answers for many images with the head of a run. The features come from the cache,
// so that the answers are those of [Eval], bit by bit.
type Scorer struct {
	head      *headtrain.Head
	src       *features.Cached
	o         Options // adopted from the head
	journal   *journal.Journal
	reasons   map[string]string // why images have no feature, by path
	explainer *explainer        // nil: nothing is explained
}

// OpenScorer loads the head of the run in dir, finds the images at places and brings the
// features that the cache lacks into it. Whatever ends it, what is done by then is kept;
// the summary says how far it came, and is nil where nothing was tried.
func OpenScorer(ctx context.Context, dir string, places []dataset.Place, o Options, p Progress) (*Scorer, *report.Summary, error) {
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, nil, err
	}
	if info.Features != "" {
		return nil, nil, noImages(dir, info)
	}
	o = o.adopt(info)
	if err := o.Validate(); err != nil {
		return nil, nil, err
	}
	s := &Scorer{head: head, o: o, journal: journal.New(p, o.Words), reasons: map[string]string{}}
	if s.src, err = poolFeatures(ctx, places, o, s.journal); err == nil {
		err = s.src.Origin().Fits(head, dir)
	}
	if err != nil {
		if s.src == nil {
			return nil, nil, err
		}
		defer s.src.Close()
		return nil, summaryOf(s.src, s.journal), err
	}
	for _, bad := range s.src.Found().Quarantine {
		s.reasons[bad.Path] = bad.Reason
	}
	return s, summaryOf(s.src, s.journal), nil
}

// poolFeatures lists the images at places and computes the features that the cache lacks.
// The source is nil where nothing was looked up.
func poolFeatures(ctx context.Context, places []dataset.Place, o Options, j *journal.Journal) (*features.Cached, error) {
	j.Stage("open")
	store, err := features.OpenStore(ctx, o.Cache.Path, o.Cache.Wait, j)
	if err != nil {
		return nil, err
	}
	ds, earlier, err := pool(ctx, places, o, store, j)
	var computer *features.Computer
	if err == nil {
		j.Stage("weights")
		computer, err = features.OpenComputer(ctx, o.extractOptions(), store, o.featureOptions(), j)
	}
	if err != nil {
		store.Close()
		return nil, err
	}
	defer computer.Close()
	return computer.Features(ctx, ds, earlier, dataset.ForPrediction)
}

// pool lists the images at places, and returns what the cache has of the same pool; nil if
// nothing.
func pool(ctx context.Context, places []dataset.Place, o Options, store *features.Store, j *journal.Journal) (ds, earlier *dataset.Dataset, err error) {
	j.Stage("scan")
	j.Start("scan", 0)
	if ds, err = dataset.Pool(ctx, places, o.Data.Reading, store); err != nil {
		return nil, nil, err
	}
	for _, n := range ds.Notes {
		j.Note(n.Text, n.Steps...)
	}
	if earlier, err = ds.NameAmong(store, dataset.ForPrediction, ""); errors.Is(err, dataset.ErrDocument) {
		return ds, nil, nil // it is written anew
	}
	return ds, earlier, err
}

// Classes are those of the head, in its order.
func (s *Scorer) Classes() []string { return s.head.Classes }

// Close closes the cache.
func (s *Scorer) Close() error {
	err := s.src.Close()
	if s.explainer != nil {
		err = errors.Join(err, s.explainer.x.Close(), s.explainer.images.Close())
	}
	return err
}

// scoreRows is how many rows are in memory at a time.
const scoreRows = 4096

// Rows yields an answer for every image, in their order, for the bad ones too. A row may
// be changed once the next one is asked for.
func (s *Scorer) Rows(ctx context.Context) iter.Seq2[*predictions.Row, error] {
	return func(yield func(*predictions.Row, error) bool) {
		var row predictions.Row
		next := 0 // item
		fail := func(until int) bool {
			for ; next < until; next++ {
				s.failed(&row, next)
				if !yield(&row, nil) {
					return false
				}
			}
			return true
		}
		for chunk, err := range s.src.Chunks(scoreRows) {
			if err != nil {
				yield(&row, err)
				return
			}
			logits := headtrain.NewLogits(s.head, &headtrain.Dataset{X: chunk.X, Dim: extract.Dim, Labels: make([]int32, len(chunk.Items))}).Reader()
			for n, i := range chunk.Items {
				if !fail(i) {
					return
				}
				next = i + 1
				row.Path = s.path(i)
				row.Answer(s.head, logits(n))
				if err := s.explain(ctx, &row, i); err != nil {
					yield(&row, err)
					return
				}
				if !yield(&row, nil) {
					return
				}
			}
		}
		fail(len(s.src.Dataset().Items))
	}
}

// explain draws the map of an item, where maps are asked for. A file that is gone or has
// changed leaves the row without one.
func (s *Scorer) explain(ctx context.Context, row *predictions.Row, item int) error {
	if s.explainer == nil {
		return nil
	}
	ds := s.src.Dataset()
	image, err := readItem(ctx, s.explainer.images, ds, &ds.Items[item])
	if err != nil {
		return nil //nolint:nilerr // the row says that there is no map
	}
	return s.explainer.explain(ctx, row, image)
}

func (s *Scorer) path(item int) string {
	ds := s.src.Dataset()
	return ds.Display(&ds.Items[item])
}

// failed fills the row of an item without a feature.
func (s *Scorer) failed(row *predictions.Row, item int) {
	row.Path = s.path(item)
	reason, ok := s.reasons[row.Path]
	if !ok {
		reason = "no feature was computed"
	}
	row.Fail(reason)
}
