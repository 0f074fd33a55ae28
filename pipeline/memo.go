package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
)

// memory is a source that keeps what is worked out from its rows.
type memory interface {
	Recall(name string) []byte
	Keep(name string, doc []byte) error
}

// rowsMemo remembers what is worked out from rows with the features that it was made from:
// a document of a space, which is the JSON of a rowsDoc. What it does not know, or what is
// damaged, is made anew.
type rowsMemo[T any] struct {
	memory
	name    string // of the document
	version int    // of how T is worked out
	key     string // see rowsKey
}

// rowsDoc holds what was used last, the latest first.
type rowsDoc[T any] struct {
	Version int            `json:"version"`
	Entries []rowsEntry[T] `json:"entries"`
}

type rowsEntry[T any] struct {
	Key   string `json:"key"`
	Value T      `json:"value"`
}

// memoEntries are remembered: some splits of some datasets.
const memoEntries = 8

func (m rowsMemo[T]) load() (doc rowsDoc[T]) {
	if err := json.Unmarshal(m.Recall(m.name), &doc); err != nil || doc.Version != m.version {
		return rowsDoc[T]{Version: m.version}
	}
	return doc
}

func (m rowsMemo[T]) recall() *T {
	doc := m.load()
	for i := range doc.Entries {
		if doc.Entries[i].Key == m.key {
			return &doc.Entries[i].Value
		}
	}
	return nil
}

// keep remembers a value. Where the cache cannot be written to, it is made anew the next
// time.
func (m rowsMemo[T]) keep(value *T) {
	doc := m.load()
	others := slices.DeleteFunc(doc.Entries, func(e rowsEntry[T]) bool { return e.Key == m.key })
	doc.Entries = append([]rowsEntry[T]{{m.key, *value}}, others...)
	doc.Entries = doc.Entries[:min(len(doc.Entries), memoEntries)]
	if text, err := json.Marshal(doc); err == nil {
		_ = m.Keep(m.name, text) // not kept is made anew
	}
}

// rowsKey names all that is worked out from rows within a space: their content, labels and
// parts, in their order. val may be nil.
func rowsKey(ds *dataset.Dataset, train, val, on *features.Rows) string {
	h, line := sha256.New(), make([]byte, 0, 64)
	fmt.Fprintf(h, "%q\n", ds.Classes)
	for _, r := range []*features.Rows{train, val, on} {
		if r == nil {
			r = &features.Rows{Data: &headtrain.Dataset{}}
		}
		fmt.Fprintf(h, "%d\n", r.Len())
		for n, i := range r.Items {
			line = append(line[:0], ds.Items[i].Hash[:]...)
			_, _ = h.Write(binary.LittleEndian.AppendUint32(line, uint32(r.Data.Labels[n]))) // a hash takes all
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
