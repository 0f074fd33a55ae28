package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/corrections"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/report"
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
	src, err := openGiven(ctx, o, c, corrections.PicturesOf(file), j) // the session lays corrections over the dataset itself
	if err != nil {
		return nil, err
	}
	cached, ok := src.(*features.Cached)
	if !ok {
		src.Close()
		return nil, fmt.Errorf("%w: a folder of features has no images to look at", features.ErrNotExtracted)
	}
	so := studio.Options{Source: cached, Corrections: file, Trainer: headtrain.New(), Runs: o.Output.Dir, Recipe: studio.Recipe{Head: o.Head, Refit: o.Refit, Text: "as the settings say"}}
	space, tunes := src.Origin().Space, o.Tune == TuneAuto
	if head, info, run := o.newestRun(src); head != nil && !asked {
		so.Recipe.Head, _, err = head.Trained()
		so.Recipe.Refit, so.Recipe.Text = info.Refit, "as in run "+filepath.Base(run)
		if tunes && !wasTuned(run) {
			tunes, so.Recipe.Text = false, so.Recipe.Text+", which nobody tuned"
		}
	}
	if so.Recipe.Choice = report.Chosen(so.Recipe.Head); tunes {
		so.Tune = o.tuneStudio
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

// wasTuned reports whether the recipe of a run was chosen by tuning.
func wasTuned(run string) bool {
	r, err := report.Read(run)
	return err == nil && r.Summary.Tuned != nil && r.Summary.Tuned.Note == ""
}

// tuneStudio chooses the recipe that a run would be trained by, were the labels as they have
// become in a studio. It leaves processors to the person's other work.
func (o Options) tuneStudio(ctx context.Context, l studio.Labelled) (studio.Tuned, error) {
	threads := o.Head.Threads
	o.Head.Threads = max(1, runtime.GOMAXPROCS(0)/2)
	test := &features.Rows{Items: make([]int, l.Test)} // nobody looks at what they are
	t, err := o.tuned(ctx, l.Dataset, task{parts: parts{train: l.Train, val: l.Val, test: test}}, journal.New(Silent, o.Words))
	switch {
	case err != nil:
		return studio.Tuned{}, err
	case t.tuning == nil:
		return studio.Tuned{Note: "the settings leave nothing to choose"}, nil
	case t.tuning.Note != "":
		return studio.Tuned{Note: t.tuning.Note}, nil
	}
	t.options.Threads = threads
	return studio.Tuned{Recipe: studio.Recipe{Head: t.options, Refit: t.refit, Text: "as tuning has chosen: " + t.tuning.String(), Choice: report.Chosen(t.options)}}, nil
}

// illustrateStudio says where the pictures of a session are from, and what computes the
// features of new ones.
func (o Options) illustrateStudio(so *studio.Options, space features.Space) error {
	o = o.adopt(runs.HeadInfo{Fingerprint: space.Fingerprint, DType: space.DType, Weights: space.Weights})
	so.Pixels = o.extractOptions()
	so.Keeper = &keeper{source: so.Source, backbone: so.Pixels, options: o.featureOptions(), words: o.Words}
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
