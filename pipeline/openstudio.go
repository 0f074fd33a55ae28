package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/runs"
	"icebox/pipeline/studio"
	"icebox/pipeline/thumbs"
)

// OpenStudio opens a dataset of the cache to work on its labels. Corrections are those in
// o.Data.Corrections, which need not be there. Heads are trained as the newest run of the
// dataset was, unless asked is set: then as o.Head says.
func OpenStudio(ctx context.Context, o Options, c Choice, asked bool, p Progress) (*studio.Session, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Data.Corrections == "" {
		return nil, fmt.Errorf("%w: none is named", corrections.ErrMissing)
	}
	j := journal.New(p, o.Words)
	file := o.Data.Corrections
	o.Data.Corrections = "" // the session lays them over the dataset itself
	src, err := openSource(ctx, o, c, j)
	if err != nil {
		return nil, err
	}
	cached, ok := src.(*features.Cached)
	if !ok {
		src.Close()
		return nil, fmt.Errorf("%w: a folder of features has no images to look at", features.ErrNotExtracted)
	}
	so := studio.Options{Source: cached, Corrections: file, Trainer: headtrain.New(), Head: o.Head, Refit: o.Refit, Recipe: "as the settings say"}
	space := src.Origin().Space
	if head, info, run := o.newestRun(src); head != nil {
		if !asked {
			so.Head, _, err = head.Trained()
			so.Refit, so.Recipe = info.Refit, "as in run "+filepath.Base(run)
		}
	}
	if err == nil {
		err = o.illustrateStudio(&so, space)
	}
	var s *studio.Session
	if err == nil {
		s, err = studio.Open(ctx, so)
	}
	if err != nil {
		src.Close()
		return nil, err
	}
	return s, nil
}

// newestRun is the newest run of a source's dataset and features with a linear head; nil if
// there is none.
func (o Options) newestRun(src features.Source) (*headtrain.Head, runs.HeadInfo, string) {
	all, err := runs.List(o.Output.Dir)
	if err != nil {
		return nil, runs.HeadInfo{}, ""
	}
	for _, dir := range slices.Backward(all) {
		head, info, err := runs.Head(dir)
		if err != nil || info.Dataset != src.Dataset().Name || head.Fingerprint != src.Origin().Space.ID {
			continue
		}
		if how, _, err := head.Trained(); err == nil && headtrain.Fused().Check(how) == nil {
			return head, info, dir
		}
	}
	return nil, runs.HeadInfo{}, ""
}

// illustrateStudio says where the pictures of a session are from, and what computes the
// features of new ones.
func (o Options) illustrateStudio(so *studio.Options, space features.Space) error {
	o = o.adopt(runs.HeadInfo{Fingerprint: space.Fingerprint, DType: space.DType, Weights: space.Weights})
	so.Pixels = o.extractOptions()
	so.Open = func(ctx context.Context) (*extract.Single, error) {
		x, err := extract.OpenSingle(context.WithoutCancel(ctx), so.Pixels)
		if err != nil {
			return nil, err
		}
		if id := x.Fingerprint().ID(string(space.DType)); id != space.ID {
			x.Close()
			return nil, fmt.Errorf("%w: the weights at hand are not those of these features", headtrain.ErrFingerprint)
		}
		return x, nil
	}
	if !o.Pictures {
		return nil
	}
	way, err := json.Marshal(space.Fingerprint.Preprocess)
	if err == nil {
		so.Pictures, err = thumbs.Open(thumbs.Path(o.Cache.Path), string(way))
	}
	return err
}
