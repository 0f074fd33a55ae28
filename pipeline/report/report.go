package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/files"
	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/runs"
)

// Report is what a run found out; [runs.ReportFile] holds it.
type Report struct {
	Program string            `json:"program"` // that wrote it
	Started time.Time         `json:"started"`
	Summary RunSummary        `json:"summary"`
	Classes []string          `json:"classes"`
	Parts   map[string]Score  `json:"parts"` // train, val, test; probabilities as trained, not calibrated
	Answers Answering         `json:"answers"`
	Base    *Baselines        `json:"baselines,omitempty"`
	Decided string            `json:"decided"`
	Wrong   []Wrong           `json:"misclassified"`
	WrongOf string            `json:"misclassified_of"` // the part that Wrong lists
	Space   features.Space    `json:"space"`
	Head    headtrain.Options `json:"head"`
	Engine  string            `json:"head_engine"`
	Sweep   *Sweep            `json:"sweep,omitempty"` // that the head is from
}

// Score is the report on one part.
type Score = judge.Report

// Wrong is an image that the head puts into another class than its own.
type Wrong struct {
	Path        string  `json:"path"`
	Label       string  `json:"label"`
	Predicted   string  `json:"predicted"`
	Probability float64 `json:"probability"`       // of the predicted class
	OfLabel     float64 `json:"label_probability"` // of its own
}

// WrongIn lists the misclassified of some rows, the surest mistakes first, by the answers
// of a head to them.
func WrongIn(ds *dataset.Dataset, r *features.Rows, answers *judge.Answers) []Wrong {
	classes := r.Data.Classes
	wrong := []Wrong{}
	for n, i := range r.Items {
		best, p, ofLabel := answers.Of(n)
		if label := int(r.Data.Labels[n]); best != label {
			wrong = append(wrong, Wrong{ds.Display(&ds.Items[i]), classes[label], classes[best], p, ofLabel})
		}
	}
	sort.SliceStable(wrong, func(a, b int) bool { return wrong[a].Probability > wrong[b].Probability })
	return wrong
}

// HeadLine says in a line what the head is and how it was trained.
func (r *Report) HeadLine() string { return describeHead(r.Head, r.Engine) }

// Read reads the report of a finished run.
func Read(dir string) (*Report, error) {
	var r Report
	data, err := os.ReadFile(filepath.Join(dir, runs.ReportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no %s", runs.ErrRun, dir, runs.ReportFile)
	}
	if err == nil {
		if err = json.Unmarshal(data, &r); err != nil {
			err = fmt.Errorf("%w: %s: %w", runs.ErrRun, filepath.Join(dir, runs.ReportFile), err)
		}
	}
	return &r, err
}

// Write writes the files of the report into the run folder.
func (r *Report) Write(dir *runs.Dir) error {
	text := new(strings.Builder)
	r.Text(text)
	if err := writeJSON(dir.File(runs.ReportFile), r); err != nil {
		return err
	}
	if err := files.Write(dir.File(runs.ReportTextFile), []byte(text.String())); err != nil {
		return err
	}
	if err := writeQuarantine(dir.File(runs.QuarantineFile), r.Summary.Quarantine); err != nil {
		return err
	}
	if r.Sweep != nil {
		return r.Sweep.write(dir)
	}
	return nil
}

// writeJSON writes v to the file at path, indented.
func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return files.Write(path, append(body, '\n'))
}

func writeQuarantine(path string, bad []features.Bad) error {
	if len(bad) == 0 {
		return nil
	}
	lines := [][]string{{"path", "reason"}}
	for _, b := range bad {
		lines = append(lines, []string{b.Path, b.Reason})
	}
	return csvfile.Write(path, slices.Values(lines))
}
