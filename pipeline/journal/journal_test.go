package journal_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"icebox/pipeline/journal"
)

type listener struct {
	journal.Progress
	mu   sync.Mutex
	told []string
}

func (l *listener) Note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, text)
}

func TestNotesAreKeptInWordsAndTellingsAreNot(t *testing.T) {
	l := &listener{Progress: journal.Silent}
	j := journal.New(l, func(s journal.Step) string { return "key " + s.Field })
	j.Note("it fell short", journal.SetTo("Head.Epochs", 20), journal.Step{Do: journal.Raise, Field: "Head.LR"})
	j.Tell("the images are gone")
	want := []string{"it fell short: try key Head.Epochs or key Head.LR", "the images are gone"}
	if !slices.Equal(l.told, want) {
		t.Errorf("told %q, want %q", l.told, want)
	}
	if got := j.Finish().Warnings; !slices.Equal(got, want[:1]) {
		t.Errorf("kept %q", got)
	}
}

func TestStagesFollowOneAnother(t *testing.T) {
	j := journal.New(nil, nil)
	j.Stage("open")
	j.Stage("scan")
	log := j.Finish()
	if len(log.Stages) != 2 || log.Stages[0].Name != "open" || log.Stages[1].Name != "scan" || log.Seconds < log.Stages[0].Seconds {
		t.Errorf("%+v", log)
	}
	if again := j.Finish(); len(again.Stages) != 2 {
		t.Errorf("a stage ended twice: %+v", again.Stages)
	}
}

func TestAJournalIsWrittenByMany(t *testing.T) {
	j := journal.New(nil, nil)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			j.Note(fmt.Sprint("note ", n))
			j.Add(1)
		})
	}
	wg.Wait()
	if n := len(j.Finish().Warnings); n != 50 {
		t.Errorf("%d notes", n)
	}
}

func TestSentencesListSteps(t *testing.T) {
	steps := []journal.Step{journal.SetTo("A", 1), {Do: journal.Lower, Field: "B"}, {Do: journal.Change, Field: "C"}}
	for n, want := range []string{"so", "so: try A = 1", "so: try A = 1 or a smaller B", "so: try A = 1, a smaller B or another C"} {
		if got := journal.Sentence("so", steps[:n], journal.Step.String); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryActionHasWords(t *testing.T) {
	for a := journal.Set; a <= journal.Convert; a++ {
		if (journal.Step{Do: a, Field: "F", Value: "v", Dir: "d"}).String() == "" {
			t.Errorf("action %d has none", a)
		}
	}
}

func TestStepsStayWithAnError(t *testing.T) {
	cause := errors.New("full")
	err := fmt.Errorf("saving: %w", journal.WithSteps(cause, journal.SetTo("A", 1)))
	if !errors.Is(err, cause) || err.Error() != "saving: full" || len(journal.Steps(err)) != 1 || journal.Steps(cause) != nil {
		t.Errorf("%v with %v", err, journal.Steps(err))
	}
}
