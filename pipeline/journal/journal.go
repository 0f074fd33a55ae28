package journal

import (
	"fmt"
	"sync"
	"time"
)

// Note is a remark: a fact, and what would help.
type Note struct {
	Text  string
	Steps []Step
}

// Notef is a note without steps.
func Notef(format string, args ...any) Note { return Note{Text: fmt.Sprintf(format, args...)} }

// Journal is kept while a program runs. Its methods may be called from many
// goroutines.
type Journal struct {
	progress Progress
	words    func(Step) string
	start    time.Time

	mu     sync.Mutex
	notes  []string
	stages []Stage
	stage  string // that runs; "" is none
	since  time.Time
}

// Stage is the wall clock of one stage.
type Stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Log is what a journal keeps for a report.
type Log struct {
	Seconds  float64  `json:"seconds"`
	Stages   []Stage  `json:"stages"`
	Warnings []string `json:"warnings,omitempty"` // the notes, in words
}

// New begins a journal now. A nil p is [Silent]; nil words are those of [Step.String].
func New(p Progress, words func(Step) string) *Journal {
	if p == nil {
		p = Silent
	}
	if words == nil {
		words = Step.String
	}
	return &Journal{progress: p, words: words, start: time.Now()}
}

// Started is when the journal was begun.
func (j *Journal) Started() time.Time { return j.start }

// Stage begins a stage, and ends the one before.
func (j *Journal) Stage(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.endStage()
	j.stage, j.since = name, time.Now()
}

func (j *Journal) endStage() {
	if j.stage != "" {
		j.stages = append(j.stages, Stage{j.stage, Seconds(time.Since(j.since))})
		j.stage = ""
	}
}

// Start shows a count of total steps (0: unknown); Add and Status go on with it.
func (j *Journal) Start(what string, total int) { j.progress.Start(what, total) }

// Add counts steps as done.
func (j *Journal) Add(n int) { j.progress.Add(n) }

// Status shows a short text, in place of the one before.
func (j *Journal) Status(text string) { j.progress.Status(text) }

// Note keeps a remark for the report, and tells it.
func (j *Journal) Note(text string, steps ...Step) {
	text = Sentence(text, steps, j.words)
	j.mu.Lock()
	j.notes = append(j.notes, text)
	j.mu.Unlock()
	j.progress.Note(text)
}

// Tell tells a remark that is of no use in a report.
func (j *Journal) Tell(text string, steps ...Step) { j.progress.Note(Sentence(text, steps, j.words)) }

// Finish ends the stage that runs and returns what was kept so far. The journal can be
// written to afterwards.
func (j *Journal) Finish() Log {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.endStage()
	return Log{Seconds(time.Since(j.start)), append([]Stage(nil), j.stages...), append([]string(nil), j.notes...)}
}

// Seconds rounds d for people.
func Seconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Second)
}
