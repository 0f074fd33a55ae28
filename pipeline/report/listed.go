package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"icebox/headtrain"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// Listed is a run as a list of runs has it.
type Listed struct {
	Run     string            `json:"run"` // its folder
	Started time.Time         `json:"started"`
	Dataset string            `json:"dataset"`
	Weights string            `json:"weights"`
	Options map[string]string `json:"options"` // of the head that are not as by default, by key
	Heads   int               `json:"heads"`   // that a sweep chose it from; 1 where none did
	ValAcc  *float64          `json:"val_acc"` // nil where there are no such images
	TestAcc *float64          `json:"test_acc"`
	Note    string            `json:"note,omitempty"` // why the rest is empty
}

// listedReport is what a list needs of a report, whatever version wrote it.
type listedReport struct {
	Started time.Time `json:"started"`
	Summary struct {
		Dataset string   `json:"dataset"`
		Weights string   `json:"weights"`
		ValAcc  *float64 `json:"val_acc"`
		TestAcc *float64 `json:"test_acc"`
	} `json:"summary"`
	Head   map[string]any `json:"head"`
	Engine string         `json:"head_engine"`
	Sweep  struct {
		Heads int `json:"heads"`
	} `json:"sweep"`
}

// List lists the runs in dir, oldest first. A run whose report cannot be read is listed
// with the reason.
func List(dir string) ([]Listed, error) {
	paths, err := runs.List(dir)
	if err != nil {
		return nil, err
	}
	all := make([]Listed, len(paths))
	for i, path := range paths {
		if all[i], err = ReadListed(path); err != nil {
			all[i] = Listed{Run: path, Heads: 1, Note: err.Error()}
		}
	}
	return all, nil
}

// ReadListed reads the report of the run in dir; its error is a [runs.ErrRun] where there
// is none.
func ReadListed(dir string) (Listed, error) {
	l := Listed{Run: dir, Heads: 1}
	body, err := os.ReadFile(filepath.Join(dir, runs.ReportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return l, fmt.Errorf("%w: %s holds no %s", runs.ErrRun, dir, runs.ReportFile)
	}
	if err != nil {
		return l, err
	}
	var r listedReport
	if err := json.Unmarshal(body, &r); err != nil {
		return l, fmt.Errorf("%w: %s in %s: %w", runs.ErrRun, runs.ReportFile, dir, err)
	}
	l.Started, l.Dataset, l.Weights = r.Started, r.Summary.Dataset, r.Summary.Weights
	l.ValAcc, l.TestAcc = r.Summary.ValAcc, r.Summary.TestAcc
	l.Heads = max(1, r.Sweep.Heads)
	l.Options, err = unlikeDefaults(r.Head)
	if r.Engine != "" && r.Engine != headtrain.EngineFused {
		l.Options["engine"] = r.Engine
	}
	return l, err
}

// unlikeDefaults are the options of a head, by key, that differ from those that hold where
// nothing is said.
func unlikeDefaults(head map[string]any) (map[string]string, error) {
	body, err := json.Marshal(headtrain.Options{}.WithDefaults())
	if err != nil {
		return nil, err
	}
	var usual map[string]any
	if err := json.Unmarshal(body, &usual); err != nil {
		return nil, err
	}
	was, is := flat(usual), flat(head)
	delete(is, "step_epochs") // follows from the epochs where nothing is said
	maps.DeleteFunc(is, func(key, value string) bool { return was[key] == value })
	return is, nil
}

// flat are the values of nested options, their keys joined by dots.
func flat(options map[string]any) map[string]string {
	all := map[string]string{}
	for key, value := range options {
		if below, ok := value.(map[string]any); ok {
			for k, v := range flat(below) {
				all[key+"."+k] = v
			}
			continue
		}
		all[key] = fmt.Sprint(value)
	}
	return all
}

// OptionsText are the options of l for a person, their numbers to four digits.
func (l Listed) OptionsText() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(l.Options)) {
		value := l.Options[key]
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			value = strconv.FormatFloat(number, 'g', 4, 64)
		}
		all = append(all, key+"="+value)
	}
	return strings.Join(all, " ")
}

// ListText writes a table of runs.
func ListText(w io.Writer, all []Listed) {
	t := NewTable(w)
	t.AppendHeader(table.Row{"run", "test", "val", "options of the head, where not as by default"})
	for _, l := range all {
		options := l.OptionsText()
		switch {
		case l.Note != "":
			options = l.Note
		case l.Heads > 1:
			options = strings.TrimSpace(fmt.Sprintf("%s (best of %s)", options, words.Count(l.Heads, "head")))
		}
		t.AppendRow(table.Row{filepath.Base(l.Run), percentOrNone(l.TestAcc), percentOrNone(l.ValAcc), options})
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, Align: text.AlignRight}, {Number: 3, Align: text.AlignRight}})
	t.Writer.Render()
}

func percentOrNone(share *float64) string {
	if share == nil {
		return "–"
	}
	return words.Percent(*share)
}
