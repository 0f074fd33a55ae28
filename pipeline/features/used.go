package features

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// usedDoc is the document that says when datasets were last used: a JSON object from the
// name of a dataset's document to a day of UTC, as "2026-01-31".
const usedDoc = "used"

// loadUsed reads the last days of use. What cannot be read is not known.
func loadUsed(docs dataset.Docs) map[string]string {
	used, read := map[string]string{}, map[string]string(nil)
	if doc, err := docs.Doc(usedDoc); err == nil && json.Unmarshal(doc, &read) == nil {
		maps.Copy(used, read)
	}
	return used
}

// noteUse notes that a dataset which the cache has is used today, once a day, so that a
// program that only reads does not write each time. Where the cache cannot be written to now,
// another use will do.
func (s *Store) noteUse(document string, now time.Time) {
	used, today := loadUsed(s), now.UTC().Format(time.DateOnly)
	if s.c == nil || used[document] == today || !slices.Contains(s.Docs(document), document) {
		return
	}
	used[document] = today
	if doc, err := usedDocument(s, used); err == nil {
		_ = s.putDoc(usedDoc, doc)
	}
}

// usedDocument is the document of days of use, without those of datasets that are gone.
func usedDocument(docs dataset.Docs, used map[string]string) ([]byte, error) {
	there := map[string]bool{}
	for _, p := range dataset.Purposes {
		for _, name := range docs.Docs(string(p)) {
			there[name] = true
		}
	}
	used = maps.Clone(used)
	maps.DeleteFunc(used, func(name, _ string) bool { return !there[name] })
	return json.Marshal(used)
}

// verifyUsed is for [VerifyDocuments].
func verifyUsed(s *Store) error {
	doc, err := s.Doc(usedDoc)
	if err != nil {
		return nil // nothing was noted
	}
	if err := json.Unmarshal(doc, &map[string]string{}); err != nil {
		return fmt.Errorf("%w: %w", cache.ErrCorrupt, err)
	}
	return nil
}
