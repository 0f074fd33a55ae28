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
}

// Eval judges the head of the run in dir. If o.Data names images, they are judged
// (and extracted first, where the cache lacks them, with the weights that the head
// was trained on); otherwise it is the dataset of the run, from the cache alone.
func Eval(ctx context.Context, dir string, o Options, c Choice, p Progress) (*Evaluation, error) {
	head, info, err := Head(dir)
	if err != nil {
		return nil, err
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
	e := &Evaluation{Run: dir, Classes: head.Classes, Parts: map[string]Score{},
		Answers: Answering{Temperature: 1, Threshold: head.Threshold, Parts: map[string]PartAnswers{}}}
	if head.Temperature != 0 {
		e.Answers.Temperature = head.Temperature
	}
	err = j.do(ctx, []stage{{"evaluate", func(context.Context, *job) error { return e.judge(j, head) }}})
	e.Summary = j.sum
	return e, err
}

// judge scores every part of j's dataset; one that was not split is one part,
// "all".
func (e *Evaluation) judge(j *job, head *headtrain.Head) error {
	classes, err := matchClasses(j.ds.Classes, head.Classes)
	if err != nil {
		return err
	}
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
