package pipeline

import (
	"context"
	"fmt"
	"io"
	"slices"

	"icebox/extract"
	"icebox/headtrain"
)

// Evaluation is how a run's head does on a dataset.
type Evaluation struct {
	Summary Summary          `json:"summary"`
	Run     string           `json:"run"`
	Classes []string         `json:"classes"`
	Parts   map[string]Score `json:"parts"` // probabilities as trained, not calibrated
	Answers Answering        `json:"answers"`

	Predictions string `json:"predictions,omitempty"` // file of every image's answer
}

// Eval judges the head of the run in dir. If o.Data names images, they are judged
// (and extracted first, where the cache lacks them, with the weights that the head
// was trained on); if c.Features names a folder, the features there; otherwise it is
// the dataset of the run, from the cache or the folder that it was trained on. With
// o.Output.Predictions it lists every image's answer there.
func Eval(ctx context.Context, dir string, o Options, c Choice, p Progress) (*Evaluation, error) {
	head, info, err := Head(dir)
	if err != nil {
		return nil, err
	}
	if c.Features != "" || info.Features != "" {
		return evalFeatures(ctx, dir, o, c, head, info, p)
	}
	o = info.adopt(o)
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	c.KeepSplit = true
	if c.Dataset == "" {
		c.Dataset = info.Dataset
	}
	if c.Space == "" {
		c.Space = head.Fingerprint
	}
	j.choice = c
	if o.Data.Train != "" {
		j.opts.Data.Split = Split{} // for images that nobody trains on
		j.opts.Data.Name, j.prefix = "", evalPrefix
		err = j.do(ctx, extractProgram)
	} else {
		err = j.do(ctx, []stage{{"load", loadFromCache}})
	}
	if err != nil {
		return nil, err
	}
	if err := head.Check(j.space.ID, extract.Dim); err != nil {
		return nil, err
	}
	if o.Data.Train == "" && j.ds.Name == info.Dataset {
		info.joinLearned(j.ds)
	}
	e := newEvaluation(dir, head)
	err = j.do(ctx, []stage{{"evaluate", func(context.Context, *job) error { return e.judge(j, head) }}})
	e.Summary = j.sum
	return e, err
}

func newEvaluation(dir string, head *headtrain.Head) *Evaluation {
	e := &Evaluation{Run: dir, Classes: head.Classes, Parts: map[string]Score{},
		Answers: Answering{Temperature: 1, Threshold: head.Threshold, Parts: map[string]PartAnswers{}}}
	if head.Temperature != 0 {
		e.Answers.Temperature = head.Temperature
	}
	return e
}

// evalFeatures judges a head on features of a folder. What made them is for the
// caller to know: only their dimension and the names of their classes are checked.
func evalFeatures(ctx context.Context, dir string, o Options, c Choice, head *headtrain.Head, info HeadInfo, p Progress) (*Evaluation, error) {
	if o.Data.Train != "" {
		return nil, info.noImages(dir)
	}
	others := c.Features != ""
	if !others {
		c.Features = info.Features
	}
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	j.choice = c
	if err := j.do(ctx, []stage{{"load", loadFolder}}); err != nil {
		return nil, err
	}
	if err := j.arrays.fit(head, dir); err != nil {
		return nil, err
	}
	if !others {
		info.joinLearned(j.ds)
	} else if j.ds.Count(TrainPart) == len(j.ds.Items) {
		for i := range j.ds.Items {
			j.ds.Items[i].Assigned = true // nobody says that they were trained on
		}
	}
	e := newEvaluation(dir, head)
	err = j.do(ctx, []stage{{"evaluate", func(context.Context, *job) error { return e.judge(j, head) }}})
	e.Summary = j.sum
	return e, err
}

// fit returns an error unless the head of the run in dir takes rows of a's length.
func (a *arrays) fit(head *headtrain.Head, dir string) error {
	if head.Dim == a.dim {
		return nil
	}
	return fmt.Errorf("%w: rows in %s have %d features, and the head in %s takes %d: name a folder of features that were made like those it was trained on, or train a head on these with `icebox train --features %s`",
		headtrain.ErrFingerprint, a.dir, a.dim, dir, head.Dim, a.dir)
}

// joinLearned makes one part of what the head learned from in its own dataset, if it
// learned from validation: none of that is held out.
func (i HeadInfo) joinLearned(ds *Dataset) {
	if !i.Refit {
		return
	}
	for n := range ds.Items {
		if it := &ds.Items[n]; it.Part == ValPart {
			it.Part = TrainPart
		}
	}
}

// noImages is why a head is of no use for images.
func (i HeadInfo) noImages(dir string) error {
	return fmt.Errorf("%w: the head in %s was trained on the features in %s, and what made those of an image is not known here: `icebox eval --run %s --features DIR` judges it on features",
		headtrain.ErrFingerprint, dir, i.Features, dir)
}

// judge scores every part of j's dataset; one that was not split is one part,
// "all".
func (e *Evaluation) judge(j *job, head *headtrain.Head) error {
	classes, err := matchClasses(j.ds.Classes, head.Classes)
	if err != nil {
		return err
	}
	e.Predictions = j.opts.Output.Predictions
	list, err := newPredictions(e.Predictions, head)
	if err != nil {
		return err
	}
	return list.close(e.judgeParts(j, head, classes, list))
}

// judgeParts is judge, with the head's number of each class of the dataset.
func (e *Evaluation) judgeParts(j *job, head *headtrain.Head, classes []int32, list *predictions) error {
	for _, p := range []Part{TrainPart, ValPart, TestPart} {
		r, err := j.loadRows(p)
		if err != nil {
			return err
		}
		if len(r.items) == 0 {
			continue
		}
		for i, l := range r.data.Labels {
			r.data.Labels[i] = classes[l]
		}
		s, err := score(head, r.data)
		if err != nil {
			return err
		}
		name := p.String()
		if p == TrainPart && j.ds.Split == (Split{}) && j.ds.Items[r.items[0]].Assigned {
			name = "all"
		}
		e.Parts[name] = s.report
		if err := list.part(name, j.ds, r, s.logits); err != nil {
			return err
		}
		if e.Answers.Parts[name], err = judgeAnswers(head, s, r.data.Labels); err != nil {
			return err
		}
	}
	if len(e.Parts) == 0 {
		return fmt.Errorf("%w: no labelled image of %s has a feature", ErrNotExtracted, j.ds.Name)
	}
	return nil
}

// matchClasses gives the head's index of each class of a dataset.
func matchClasses(of, head []string) ([]int32, error) {
	at := make([]int32, len(of))
	var unknown []string
	for i, c := range of {
		k := slices.Index(head, c)
		at[i] = int32(k)
		if k < 0 {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%w: the head does not know %s; it knows %s", ErrClasses, quoteList(unknown), quoteList(head))
	}
	return at, nil
}

// adopt returns o with everything that must be as it was when the head was
// trained: weights, preprocessing, stored type, and the cache unless o names one.
func (i HeadInfo) adopt(o Options) Options {
	if i.Weights.Random() {
		o.Backbone.Weights = i.Weights.String()
	} else if i.Weights.Path != "" {
		o.Backbone.WeightsHints = []string{i.Weights.Path}
	}
	o.Backbone.WeightsHash = i.Weights.Hash
	o.Backbone.Precision = i.Fingerprint.Numeric
	o.Extract.EXIF = i.Fingerprint.Preprocess.EXIF
	o.Cache.DType = string(i.DType)
	return o
}

// Text writes e for a person.
func (e *Evaluation) Text(w io.Writer) {
	partsTable(w, e.Parts)
	fmt.Fprintln(w)
	e.Answers.text(w, e.Parts)
	for _, name := range partOrder {
		if p, ok := e.Parts[name]; ok && name != TrainPart.String() {
			fmt.Fprintf(w, "\nper class, on %s\n", name)
			classTable(w, p)
		}
	}
}
