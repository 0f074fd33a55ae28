package features

import (
	"errors"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

func TestUseIsNotedOncePerDay(t *testing.T) {
	s := grownStore(t, 3, cache.Float32)
	doc, err := grown(3, true).Encode()
	must(t, err)
	must(t, s.putDoc("dataset/grown", doc))
	day := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)
	s.noteUse("dataset/grown", day)
	s.noteUse("dataset/none", day)
	if used := loadUsed(s); len(used) != 1 || used["dataset/grown"] != "2026-01-31" {
		t.Errorf("%v", used)
	}
	before, err := s.c.Stat()
	must(t, err)
	s.noteUse("dataset/grown", day.Add(30*time.Minute))
	if after, err := s.c.Stat(); err != nil || after.FileBytes != before.FileBytes || after.FreeBytes != before.FreeBytes {
		t.Errorf("the same day is noted again: %+v, then %+v, %v", before, after, err)
	}
	s.noteUse("dataset/grown", day.Add(2*time.Hour))
	if used := loadUsed(s); used["dataset/grown"] != "2026-02-01" {
		t.Errorf("the next day: %v", used)
	}
}

func TestNobodyIsKeptFromADatasetByANoteOfItsUse(t *testing.T) {
	for _, bad := range []string{"null", "[]", "{", ""} {
		s := grownStore(t, 3, cache.Float32)
		doc, err := grown(3, true).Encode()
		must(t, err)
		must(t, errors.Join(s.putDoc("dataset/grown", doc), s.putDoc(usedDoc, []byte(bad))))
		s.noteUse("dataset/grown", time.Now())
		if used := loadUsed(s); len(used) != 1 {
			t.Errorf("after %q: %v", bad, used)
		}
	}
	s := grownStore(t, 3, cache.Float32)
	w, err := s.c.Writer() // another program is writing
	must(t, err)
	must(t, w.PutDoc("dataset/grown", []byte{1}))
	must(t, w.Flush())
	s.noteUse(string(dataset.ForTraining)+"grown", time.Now())
	must(t, w.Close())
	if used := loadUsed(s); len(used) > 0 {
		t.Errorf("beside a writer: %v", used)
	}
	(&Store{}).noteUse("dataset/grown", time.Now())
}
