package report

import (
	"fmt"
	"io"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
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
	e.Answers.text(w, e.Parts)
	for _, name := range partOrder {
		if p, ok := e.Parts[name]; ok && name != dataset.Train.String() {
			fmt.Fprintf(w, "\nper class, on %s\n", name)
			classTable(w, p)
		}
	}
}
