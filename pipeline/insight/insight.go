// Package insight says what the features of labelled images tell of the data: which
// images are there twice, which labels are to be doubted, which classes are taken for
// each other, and what more images would bring. It computes; it opens no image and
// writes nothing.
package insight

import (
	"context"

	"icebox/cache"
	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/headtrain/probe"
	"icebox/pipeline/journal"
)

// NearCosine is from where on two images count as near copies, where nobody says else.
const NearCosine = probe.NearCosine

// Folds is how many heads judge what they have not seen.
const Folds = 5

// Set is what is inspected: labelled rows, and what is known of the image of each.
type Set struct {
	Data   *headtrain.Dataset
	Images []Image // one a row
}

// Image is what is known of an image beside its features.
type Image struct {
	Ref
	Hash  cache.Key // SHA-256 of its bytes
	Group string    // "" is none
	// Confirmed says that a person has found the label right: nobody doubts it again.
	Confirmed bool
}

// Options say how a set is inspected.
type Options struct {
	Near float32           // the cosine from which on images count as near copies
	Head headtrain.Options // of the linear heads that judge what they have not seen
}

// Findings are what the features of a set tell. They are part of an insight in JSON; a
// field, once published, keeps its meaning.
type Findings struct {
	Images int `json:"images"` // labelled ones with a feature
	Folds  int `json:"folds"`
	// FoldsOfTest is the number of test images in the folds: who acts on what they
	// say of these has looked at test.
	FoldsOfTest int `json:"folds_of_test"`

	// OutOfFold judges each image by a head that saw neither it nor its copies.
	OutOfFold judge.Report `json:"out_of_fold"`
	// LabelsWrong estimates how many of LabelsJudged labels are wrong; see
	// probe.Labels. Suspects are those with a chance of SuspectChance or more.
	LabelsWrong  float64   `json:"labels_wrong"`
	LabelsJudged int       `json:"labels_judged"`
	Suspects     []Suspect `json:"suspects"` // the most suspicious first

	Copies   Copies         `json:"copies"`
	Confused []Confusion    `json:"confused"`
	Curve    *LearningCurve `json:"learning_curve"` // null where a part of the images makes no head
}

// Inspect looks at a set. It notes why there is no learning curve, if there is none.
func Inspect(ctx context.Context, s *Set, o Options, j *journal.Journal) (*Findings, error) {
	f := &Findings{Images: len(s.Images), Folds: Folds}
	for i := range s.Images {
		if s.Images[i].Part == "test" {
			f.FoldsOfTest++
		}
	}
	j.Stage("copies")
	j.Start("copies", 0)
	var joined *clusters
	var err error
	if f.Copies, joined, err = s.findCopies(ctx, o.Near); err != nil {
		return nil, err
	}
	fold := s.deal(joined)

	j.Stage("out of fold")
	j.Start("out of fold", 0)
	unseen, err := probe.OutOfFold(ctx, headtrain.New(), s.Data, fold, Folds, nil, o.Head)
	if err != nil {
		return nil, err
	}
	answers, err := judge.NewAnswers(ctx, unseen, s.Data.Labels, 1)
	if err != nil {
		return nil, err
	}
	f.OutOfFold = answers.Report(s.Data.Classes)
	f.Confused = confusions(f.OutOfFold.Confusion, s.Data.Classes)
	if err := s.suspect(ctx, fold, f); err != nil {
		return nil, err
	}

	j.Stage("curve")
	j.Start("curve", 0)
	f.Curve, err = s.learningCurve(ctx, fold, answers.Right(), o.Head, j)
	return f, err
}
