package features

import (
	"fmt"
	"slices"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// Source is where rows come from: the cache, or a folder of arrays.
type Source interface {
	// Dataset is what the rows are of. It belongs to the source; parts and labels may
	// be changed before rows are asked for.
	Dataset() *dataset.Dataset
	// Rows returns the features of the labelled items that are wanted, in the
	// dataset's order. Items without a feature are left out. The caller may change
	// labels, but no value of the features.
	Rows(wanted func(*dataset.Item) bool) (*Rows, error)
	// Origin says what made the rows.
	Origin() Origin
	// Found counts what there is.
	Found() Found
	// Work says what it took to have it; it is zero where nothing was computed.
	Work() Work
	// Guard returns the error of work, which reads rows of the source, or an [ErrChanged]
	// if the file that they lie in is cut short meanwhile, which would otherwise end the
	// process. Goroutines of work are guarded if they are headtrain's.
	Guard(work func() error) error
	// Intact returns an [ErrChanged] if rows lie in a file that is no longer as it was
	// when the source was opened: what came of them is of no use.
	Intact() error
	// Close lets go of files; rows that lie in one are gone with it.
	Close() error
}

// Rows are the features of some labelled items, in the dataset's order.
type Rows struct {
	Items []int // of the dataset, by index, one a row
	Data  *headtrain.Dataset
}

// OfPart wants the items of one part.
func OfPart(p dataset.Part) func(*dataset.Item) bool {
	return func(it *dataset.Item) bool { return it.Part == p }
}

// All wants every item.
func All(*dataset.Item) bool { return true }

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.Items) }

// Rename gives the rows the labels and names of other classes: at[l] is the new label of
// what was l.
func (r *Rows) Rename(at []int32, classes []string) {
	for i, l := range r.Data.Labels {
		r.Data.Labels[i] = at[l]
	}
	r.Data.Classes = classes
}

// At returns a copy of the rows of r at the given places.
func (r *Rows) At(places []int32) *Rows {
	d := r.Data
	out := &Rows{Data: &headtrain.Dataset{Dim: d.Dim, Classes: d.Classes}}
	out.Data.X = headtrain.NewFeatures(len(places) * d.Dim)[:0]
	for _, n := range places {
		out.Items = append(out.Items, r.Items[n])
		out.Data.Labels = append(out.Data.Labels, d.Labels[n])
		out.Data.X = append(out.Data.X, d.Row(int(n))...)
	}
	return out
}

// Joined returns the rows of a and b, in the order of the dataset.
func Joined(a, b *Rows) *Rows {
	all := &Rows{
		Items: slices.Concat(a.Items, b.Items),
		Data:  &headtrain.Dataset{Dim: a.Data.Dim, Classes: a.Data.Classes, X: slices.Concat(a.Data.X, b.Data.X), Labels: slices.Concat(a.Data.Labels, b.Data.Labels)},
	}
	order := make([]int32, len(all.Items))
	for n := range order {
		order[n] = int32(n)
	}
	slices.SortFunc(order, func(x, y int32) int { return all.Items[x] - all.Items[y] })
	return all.At(order)
}

// Origin says what made rows.
type Origin struct {
	Space Space  // the function that computed them; zero for those of a folder
	Cache string // absolute path of the cache; "" for those of a folder

	Folder string   // absolute path; "" for those of a cache
	Digest [32]byte // of all rows of a folder

	Dim int // values a row
}

// Fits returns an error, a [headtrain.ErrFingerprint], unless the head of the run in
// dir takes rows of o. Nobody knows what made the rows of a folder: of these the number
// of values is checked.
func (o Origin) Fits(head *headtrain.Head, dir string) error {
	if o.Folder == "" {
		return head.Check(o.Space.ID, extract.Dim)
	}
	if head.Dim == o.Dim {
		return nil
	}
	err := fmt.Errorf("%w: rows in %s have %d features, and the head in %s takes %d: these rows were not made like those it was trained on",
		headtrain.ErrFingerprint, o.Folder, o.Dim, dir, head.Dim)
	return journal.WithSteps(err, journal.Step{Do: journal.TrainRows, Dir: o.Folder})
}

// Found counts what a source has. It is part of every summary in JSON; a field, once
// published, keeps its meaning.
type Found struct {
	Dataset string `json:"dataset"`
	Space   string `json:"space"`

	Features string `json:"features,omitempty"` // folder that they came from, where it was no cache
	Dim      int    `json:"dim,omitempty"`      // of these features

	Images      int `json:"images"`      // items of the dataset
	Hits        int `json:"hits"`        // features found in the cache
	Misses      int `json:"misses"`      // features that had to be computed, or could not be
	Quarantined int `json:"quarantined"` // bad images, remembered ones included
	KnownBad    int `json:"known_bad"`   // of these, remembered and not tried again

	Weights       string `json:"weights"` // path, or random:SEED
	WeightsHash   string `json:"weights_hash"`
	RandomWeights bool   `json:"random_weights"` // untrained: good for nothing but a smoke test

	Quarantine []Bad `json:"quarantine,omitempty"`

	Skipped dataset.Skipped `json:"skipped,omitempty"` // files that are no image, by ending; "" are those without one
}

// Thing is what a source counts, in the singular, for a person.
func (f *Found) Thing() string {
	if f.Features != "" {
		return "row"
	}
	return "image"
}

func (f *Found) setSpace(s Space) {
	f.Space = s.ID
	f.Weights, f.WeightsHash, f.RandomWeights = s.Weights.String(), s.Weights.Hash, s.Weights.Random()
}

// Space is kept beside a space's rows, so that a head can be trained from the cache
// alone and still name what its features are.
type Space struct {
	ID          string              `json:"-"`
	Fingerprint extract.Fingerprint `json:"fingerprint"`
	DType       cache.DType         `json:"dtype"`
	Weights     extract.WeightsInfo `json:"weights"`
}
