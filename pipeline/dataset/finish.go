package dataset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"icebox/extract/format"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// finish names classes and remarks on what is odd. Where val or test is to be taken
// from the training items, a table's items of train may be taken for it.
func (s *scanner) finish() error {
	s.ds.labelAll(s.names)
	if s.ds.Count(Val) == 0 || s.ds.Count(Test) == 0 {
		for i := range s.ds.Items {
			if it := &s.ds.Items[i]; it.Part == Train && !it.Assigned {
				it.Part = Unassigned
			}
		}
	}
	var parts []string
	for _, c := range s.ds.Classes {
		if !utf8.ValidString(c) {
			return fmt.Errorf("%w: the class name %q is not UTF-8: rename it", ErrEncoding, c)
		}
		if strings.ContainsFunc(c, unicode.IsControl) {
			return fmt.Errorf("%w: the class name %q holds a control character: rename it", ErrData, c)
		}
		if _, ok := ParsePart(c); ok {
			parts = append(parts, c)
		}
	}
	if err := CheckAlike(s.ds.Classes); err != nil {
		return err
	}
	if len(parts) > 1 && s.ds.Reading.Layout != LayoutClasses {
		s.ds.Notes = append(s.ds.Notes, journal.Note{
			Text:  words.List(parts) + " are taken for classes, because not all folders beside them are parts that hold class folders",
			Steps: []journal.Step{{Do: journal.NamePart}},
		})
	}
	s.notePassedOver()
	if s.beside > 0 {
		s.note("%s left out: beside the class folders and in none of them", words.Count(s.beside, "image"))
	}
	if len(s.empty) > 0 {
		s.note("no image in %s", words.List(s.empty))
	}
	return nil
}

// notePassedOver counts what was passed over, in one note for what is none of the data and
// one for files that might be.
func (s *scanner) notePassedOver() {
	var reasons []string
	for _, text := range []string{
		s.junk.text("that systems and file managers make"),
		s.own.text("that icebox wrote"),
		s.excluded.text("that are excluded"),
	} {
		if text != "" {
			reasons = append(reasons, text)
		}
	}
	if len(reasons) > 0 {
		s.note("passed over: %s", strings.Join(reasons, ", "))
	}
	if text := s.ds.Skipped.since(nil); text != "" {
		s.ds.Notes = append(s.ds.Notes, s.ds.Skipped.Note())
	}
}

// Note says how many files were left out, by ending.
func (s Skipped) Note() journal.Note {
	n := journal.Notef("files left out that are no image icebox reads: %s", strings.TrimPrefix(s.since(nil), ", "))
	if s.foreign() > 0 {
		n.Steps = []journal.Step{{Do: journal.Convert}}
	}
	return n
}

// since lists the endings that s counts and before does not: ", 11 .heic".
func (s Skipped) since(before Skipped) string {
	text := ""
	for _, ending := range slices.Sorted(maps.Keys(s)) {
		if n := s[ending] - before[ending]; n > 0 {
			name := ending
			if name == "" {
				name = "without an ending"
			}
			text += fmt.Sprintf(", %d %s", n, name)
		}
	}
	return text
}

// foreign counts the images of formats that icebox does not read.
func (s Skipped) foreign() int {
	all := 0
	for ending, n := range s {
		if format.ByEnding("x"+ending) == format.Foreign {
			all += n
		}
	}
	return all
}

// without is the error where images are missing: s may count those that were meant.
func (s Skipped) without(text string, args ...any) error {
	if s.foreign() == 0 {
		return fmt.Errorf("%w: "+text, append([]any{ErrData}, args...)...)
	}
	err := fmt.Errorf("%w: "+text, append([]any{ErrForeign}, args...)...)
	return journal.WithSteps(err, journal.Step{Do: journal.Convert})
}
