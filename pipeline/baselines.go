package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/report"
)

// baselinesOf holds a head against baselines on the part that it is reported on: test, or
// else validation; nil if there is neither.
func baselinesOf(ctx context.Context, src features.Source, p parts, head *headtrain.Head) (*report.Baselines, error) {
	on, part, val := p.test, dataset.Test, p.val
	if on.Len() == 0 {
		on, part, val = p.val, dataset.Val, nil
	}
	if on.Len() == 0 {
		return nil, nil
	}
	b := &report.Baselines{Part: part.String()}
	mem, ok := src.(memory)
	if !ok {
		refs, err := references(ctx, p.train, val, on)
		if err == nil {
			b.Found, err = refs.Beside(ctx, on.Data, head)
		}
		return b, err
	}
	memo := baselineMemo{memory: mem, key: baselineKey(src.Dataset(), p.train, val, on)}
	if refs := memo.recall(); refs != nil {
		if found, err := refs.Beside(ctx, on.Data, head); err == nil {
			b.Found = found
			return b, nil
		}
	}
	refs, err := references(ctx, p.train, val, on)
	if err != nil {
		return b, err
	}
	memo.keep(refs)
	b.Found, err = refs.Beside(ctx, on.Data, head)
	return b, err
}

// references are made of rows; val may be nil.
func references(ctx context.Context, train, val, on *features.Rows) (*judge.References, error) {
	var choose *headtrain.Dataset
	if val != nil && val.Len() > 0 {
		choose = val.Data
	}
	return judge.NewReferences(ctx, train.Data, choose, on.Data)
}

// memory is a source that keeps what is worked out from its rows.
type memory interface {
	Recall(name string) []byte
	Keep(name string, doc []byte) error
}

// baselineMemo remembers baselines with the features that they were made from: a
// document of a space, which is the JSON of a baselineDoc. What it does not know, or what
// is damaged, is made anew.
type baselineMemo struct {
	memory
	key string
}

// baselineDoc holds the baselines that were used last, the latest first.
type baselineDoc struct {
	Version int             `json:"version"` // judge.ReferencesVersion
	Entries []baselineEntry `json:"entries"`
}

type baselineEntry struct {
	Key        string           `json:"key"` // see baselineKey
	References judge.References `json:"references"`
}

const (
	baselineName    = "baselines"
	baselineEntries = 8 // remembered: some splits of some datasets
)

func (m baselineMemo) load() (doc baselineDoc) {
	if err := json.Unmarshal(m.Recall(baselineName), &doc); err != nil || doc.Version != judge.ReferencesVersion {
		return baselineDoc{Version: judge.ReferencesVersion}
	}
	return doc
}

func (m baselineMemo) recall() *judge.References {
	doc := m.load()
	for i := range doc.Entries {
		if doc.Entries[i].Key == m.key {
			return &doc.Entries[i].References
		}
	}
	return nil
}

// keep remembers refs. Where the cache cannot be written to, they are made anew the next
// time.
func (m baselineMemo) keep(refs *judge.References) {
	doc := m.load()
	others := slices.DeleteFunc(doc.Entries, func(e baselineEntry) bool { return e.Key == m.key })
	doc.Entries = append([]baselineEntry{{m.key, *refs}}, others...)
	doc.Entries = doc.Entries[:min(len(doc.Entries), baselineEntries)]
	if text, err := json.Marshal(doc); err == nil {
		_ = m.Keep(baselineName, text) // not kept is made anew
	}
}

// baselineKey names all that baselines depend on, within a space: the rows' content,
// labels and parts, in their order. val may be nil.
func baselineKey(ds *dataset.Dataset, train, val, on *features.Rows) string {
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
