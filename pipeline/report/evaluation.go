package report

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// Evaluation is how a run's head does on a dataset.
type Evaluation struct {
	Summary Summary          `json:"summary"`
	Run     string           `json:"run"`
	Classes []string         `json:"classes"`
	Parts   map[string]Score `json:"parts"` // probabilities as trained, not calibrated
	Answers Answering        `json:"answers"`

	// Strangers are images of classes that the head does not know; nil if there were none.
	Strangers *Strangers `json:"strangers,omitempty"`

	Corrections *Corrections `json:"corrections,omitempty"` // nil where none were named

	Predictions string `json:"predictions,omitempty"` // file of every image's answer
	Page        string `json:"page,omitempty"`        // HTML file of the evaluation
}

// Strangers say what a head answers for images of classes that it was not trained on,
// where "unknown" is the one right answer.
type Strangers struct {
	Images  int            `json:"images"`
	Classes map[string]int `json:"classes"` // images of each
	Unknown int            `json:"unknown"` // images that the head answered with "unknown"
}

// AddStrangers counts the answers to rows of classes that the head does not know: under
// the threshold they are unknown.
func (e *Evaluation) AddStrangers(d *headtrain.Dataset, answers *judge.Answers, threshold float64) {
	if len(d.Labels) == 0 {
		return
	}
	if e.Strangers == nil {
		e.Strangers = &Strangers{Classes: map[string]int{}}
	}
	for n, label := range d.Labels {
		if _, p, _ := answers.Of(n); p < threshold {
			e.Strangers.Unknown++
		}
		e.Strangers.Images++
		e.Strangers.Classes[d.Classes[label]]++
	}
}

// text writes s in a line.
func (s *Strangers) text(w io.Writer, threshold float64) {
	fmt.Fprintf(w, "strangers   %s of %s that the head does not know (%s) are not scored; ", words.Count(s.Images, "image"), words.Count(len(s.Classes), "class"), words.List(slices.Sorted(maps.Keys(s.Classes))))
	if threshold == 0 {
		fmt.Fprintln(w, "each got a class, because the head has no threshold under which it says unknown")
		return
	}
	fmt.Fprintf(w, "%s of them got the answer unknown\n", words.Percent(float64(s.Unknown)/float64(s.Images)))
}

// NewEvaluation begins the evaluation of the head of the run in dir.
func NewEvaluation(dir string, head *headtrain.Head) *Evaluation {
	return &Evaluation{Run: dir, Classes: head.Classes, Parts: map[string]Score{},
		Answers: Answering{Temperature: Temperature(head), Threshold: head.Threshold, Parts: map[string]PartAnswers{}}}
}

// Text writes e for a person.
func (e *Evaluation) Text(w io.Writer) {
	partsTable(w, e.Parts)
	fmt.Fprintln(w)
	e.Answers.intervals(w)
	e.Corrections.line(w, "corrected  ")
	e.Answers.text(w, e.Parts)
	if e.Strangers != nil {
		e.Strangers.text(w, e.Answers.Threshold)
	}
	for _, name := range partOrder {
		if p, ok := e.Parts[name]; ok && name != dataset.Train.String() {
			fmt.Fprintf(w, "\nper class, on %s\n", name)
			classTable(w, p)
		}
	}
}
