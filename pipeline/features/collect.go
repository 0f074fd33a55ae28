package features

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// Garbage says what [Collect] removes. What several fields name goes together.
type Garbage struct {
	Datasets  []string      // these, for training, evaluation and prediction alike, and the rows that only they have
	UnusedFor time.Duration // datasets that were not used for as long, and the rows that only they have; 0 is none
	Space     string        // beginning of the ID of a space that goes whole; "" is none
	Orphans   bool          // the rows that no dataset has
	DryRun    bool          // to count, and to change nothing
}

// Forgotten is a dataset that Collect removes, or keeps though nobody knows its age.
type Forgotten struct {
	Name     string `json:"name"`
	Purpose  string `json:"purpose"`             // dataset, eval or pool
	LastUsed string `json:"last_used,omitempty"` // the day; "" is not known
}

// Collected says what Collect removed, or would.
type Collected struct {
	cache.Removed
	Datasets []Forgotten `json:"datasets"`
	Unknown  []Forgotten `json:"unknown"` // of unknown age: they stay, and their age counts from now
	FreeIn   int64       `json:"free"`    // bytes in the file that later rows will use, after that
	DryRun   bool        `json:"dry_run"`
}

// Collect removes datasets and rows from the cache at path, and keeps every row that another
// dataset has. The file keeps its size: [cache.Compact] gives the room back. If it is killed,
// the same call goes on. Datasets that others are made of (see [dataset.Stored]) stay; one
// that was named is then an error, a [dataset.ErrData], and so is one that is not there.
func Collect(path string, g Garbage, now time.Time, o cache.Options) (*Collected, error) {
	c, err := cache.Open(path, o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s := &Store{path: path, opts: o, c: c}
	out := &Collected{Datasets: []Forgotten{}, Unknown: []Forgotten{}, DryRun: g.DryRun}
	what, err := out.removal(s, g, now)
	if err != nil {
		return nil, err
	}
	if g.DryRun {
		out.Removed, err = cache.Weigh(path, what, o)
	} else {
		if err := out.noteUnknown(s, now); err != nil {
			return nil, err
		}
		out.Removed, err = cache.Remove(path, what, o)
	}
	if err != nil {
		return out, err
	}
	err = c.Refresh()
	st, serr := c.Stat()
	out.FreeIn = st.FreeBytes
	return out, errors.Join(err, serr)
}

// removal decides what goes.
func (out *Collected) removal(s *Store, g Garbage, now time.Time) (what cache.Removal, err error) {
	if g.Space != "" {
		info, err := chooseSpace(s.c, g.Space, nil)
		if err != nil {
			return what, err
		}
		what.Spaces = []string{info.ID}
	}
	kept, err := out.choose(s, g, now)
	if err != nil {
		return what, err
	}
	for _, f := range out.Datasets {
		what.Docs = append(what.Docs, f.Purpose+"/"+f.Name)
	}
	if len(what.Docs) == 0 && !g.Orphans {
		return what, nil
	}
	needed, err := contentsOf(s, kept, false)
	if err != nil {
		return what, err
	}
	if g.Orphans {
		what.Rows = func(_ string, k cache.Key) bool { return !within(needed, k) }
		return what, nil
	}
	going, err := contentsOf(s, what.Docs, true)
	if err != nil {
		return what, err
	}
	going = slices.DeleteFunc(going, func(k cache.Key) bool { return within(needed, k) })
	what.Rows = func(_ string, k cache.Key) bool { return within(going, k) }
	return what, nil
}

// choose sorts the documents of datasets: into those that go, out.Datasets, and those that
// are kept.
func (out *Collected) choose(s *Store, g Garbage, now time.Time) (kept []string, err error) {
	used := loadUsed(s)
	oldest := now.Add(-g.UnusedFor).UTC().Format(time.DateOnly)
	there := map[string]bool{}
	var old []string
	for _, p := range dataset.Purposes {
		for _, name := range dataset.Names(s, p) {
			there[name] = true
			f := Forgotten{Name: name, Purpose: strings.TrimSuffix(string(p), "/"), LastUsed: used[string(p)+name]}
			switch {
			case slices.Contains(g.Datasets, name):
				out.Datasets = append(out.Datasets, f)
				continue
			case g.UnusedFor > 0 && f.LastUsed == "":
				out.Unknown = append(out.Unknown, f)
			case g.UnusedFor > 0 && f.LastUsed < oldest:
				out.Datasets, old = append(out.Datasets, f), append(old, string(p)+name)
				continue
			}
			kept = append(kept, string(p)+name)
		}
	}
	for _, name := range g.Datasets {
		if !there[name] {
			return nil, fmt.Errorf("%w: the cache has no dataset %q", dataset.ErrData, name)
		}
	}
	return out.keepSources(s, kept, old)
}

// keepSources keeps old datasets that kept ones are made of. Such a one that was named is an
// error.
func (out *Collected) keepSources(s *Store, kept, old []string) ([]string, error) {
	for i := 0; i < len(kept); i++ { // kept grows
		purpose, name, _ := strings.Cut(kept[i], "/")
		ds, err := dataset.Load(s, dataset.Purpose(purpose+"/"), name)
		if err != nil {
			return nil, fmt.Errorf("what dataset %s needs is not known: %w", name, err)
		}
		for _, source := range ds.Sources.Stored() {
			document := string(dataset.ForTraining) + source
			at := slices.IndexFunc(out.Datasets, func(f Forgotten) bool { return f.Purpose+"/"+f.Name == document })
			if at < 0 {
				continue
			}
			if !slices.Contains(old, document) {
				return nil, fmt.Errorf("%w: dataset %s is made of %s%s: that one is needed as long as this is kept", dataset.ErrData, name, dataset.Stored, source)
			}
			out.Datasets = slices.Delete(out.Datasets, at, at+1)
			kept = append(kept, document)
		}
	}
	return kept, nil
}

// noteUnknown lets the age of datasets that nobody knows it of count from now.
func (out *Collected) noteUnknown(s *Store, now time.Time) error {
	if len(out.Unknown) == 0 {
		return nil
	}
	used := loadUsed(s)
	for _, f := range out.Unknown {
		used[f.Purpose+"/"+f.Name] = now.UTC().Format(time.DateOnly)
	}
	doc, err := usedDocument(s, used)
	if err != nil {
		return err
	}
	return s.putDoc(usedDoc, doc)
}

// contentsOf lists the contents of the items of datasets, sorted. A document that cannot be
// read has none, if lenient is set.
func contentsOf(s *Store, documents []string, lenient bool) (keys []cache.Key, err error) {
	for _, document := range documents {
		purpose, name, _ := strings.Cut(document, "/")
		ds, err := dataset.Load(s, dataset.Purpose(purpose+"/"), name)
		if lenient && errors.Is(err, dataset.ErrDocument) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range ds.Items {
			if it := &ds.Items[i]; it.Hashed() {
				keys = append(keys, it.Hash)
			}
		}
	}
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys), nil
}

func compareKeys(a, b cache.Key) int { return bytes.Compare(a[:], b[:]) }

// within reports whether sorted keys have k.
func within(keys []cache.Key, k cache.Key) bool {
	_, ok := slices.BinarySearchFunc(keys, k, compareKeys)
	return ok
}

// String names a forgotten dataset, for a person.
func (f Forgotten) String() string {
	what := map[string]string{"dataset": "dataset", "eval": "evaluation of", "pool": "answers for"}[f.Purpose]
	if f.LastUsed == "" {
		return what + " " + words.Name(f.Name)
	}
	return fmt.Sprintf("%s %s, last used on %s", what, words.Name(f.Name), f.LastUsed)
}
