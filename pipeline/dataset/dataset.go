package dataset

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/pipeline/bucket"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// Unlabelled is the label of an item without a class.
const Unlabelled int32 = -1

// Item is one image of a dataset.
type Item struct {
	Root  int    // index in Dataset.Roots
	Path  string // below the root, with '/'
	Label int32  // index in Dataset.Classes, or Unlabelled
	Part  Part
	// Assigned is set where icebox chose the part; it stays as files are added.
	Assigned bool
	Group    string // items of one group stay in one part; "" is no group
	// Stat is as the file was when Hash was taken. In an archive, Size is that of the image,
	// and the rest is the archive's; in a parquet file, which does not tell the sizes of its
	// images, Size is what those of a row group have on average.
	Stat   Stat
	Offset int64     // where the image begins in a tar; its row in a parquet file; else 0
	Hash   cache.Key // SHA-256 of the image's bytes; zero while unknown
}

// Hashed reports whether the item's content is known.
func (it *Item) Hashed() bool { return it.Hash != cache.Key{} }

// Root is a folder that items lie below, or an archive that holds them.
type Root struct {
	Dir    string `json:"dir"`            // absolute; of an archive, the path of its file
	Prefix string `json:"prefix"`         // before an item's path, for people: "", "train/", …
	Kind   string `json:"kind,omitempty"` // of an archive: Tar or Parquet; "" is a folder
	// Index says how an archive was listed; nil for a folder.
	Index *Index `json:"index,omitempty"`
}

// The kinds of archives.
const (
	Tar     = "tar"
	Parquet = "parquet"
)

// Index is what a scan remembers of an archive beside its items, so that an archive that has
// not changed is not opened again.
type Index struct {
	Stat     Stat     `json:"stat"`               // of the archive
	Fresh    bool     `json:"fresh,omitempty"`    // it was written so shortly before that Stat proves nothing
	Labelled bool     `json:"labelled,omitempty"` // the archive says what the images show, and not their paths
	Names    string   `json:"names,omitempty"`    // SHA-256 of the names of numbered classes beside the archive
	Column   string   `json:"column,omitempty"`   // of a parquet file: the leaf that holds the images
	Skipped  Skipped  `json:"skipped,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// Dataset lists the items of one set of images. Classes are sorted bytewise, once
// for all parts, as torchvision sorts them.
type Dataset struct {
	Name    string
	Sources Sources
	Reading Reading // how the sources were read
	Roots   []Root
	Classes []string
	Split   Split // the fractions that assigned parts were made with
	Items   []Item
	// Notes are remarks of the scan, and Skipped the files that it left out. They are not
	// kept in the cache.
	Notes   []journal.Note
	Skipped Skipped
	// Corrected is set where corrections were laid over the dataset; Encode leaves them out.
	Corrected *Corrected

	noLabels   journal.Note // why a table has none, and what may help
	labelsFrom string       // the column of the table that gives them; "" if there is no table

	loaded string // name of the document that it was read from

	listed int // archives that the scan has opened

	keptRoot int // of kept pictures; 0 is none, as they have never the first
}

// File returns the path of it on this machine. An image in an archive has no file of its own:
// it is called by the archive's path, "!" and its name.
func (d *Dataset) File(it *Item) string {
	r := &d.Roots[it.Root]
	switch r.Kind {
	case "":
	case Bucket:
		return strings.TrimSuffix(r.Dir, "/") + "/" + it.Path
	default:
		return r.Dir + inArchive + it.Path
	}
	return filepath.Join(r.Dir, filepath.FromSlash(it.Path))
}

// inArchive stands between the name of an archive and that of an image in it.
const inArchive = "!"

// InArchive reports whether a path, as [Dataset.Display] has it, is that of an image in an
// archive.
func InArchive(path string) bool {
	for ending := range archiveKinds {
		if strings.Contains(path, ending+inArchive) {
			return true
		}
	}
	return false
}

// Remote reports whether it lies in a bucket, itself or in an archive there.
func (d *Dataset) Remote(it *Item) bool { return bucket.Is(d.Roots[it.Root].Dir) }

// Archived reports whether it lies in an archive, and has no file of its own.
func (d *Dataset) Archived(it *Item) bool { return d.Roots[it.Root].Kind != "" }

// Display returns the path of it as a person reads it, with '/' on every machine.
func (d *Dataset) Display(it *Item) string { return d.Roots[it.Root].Prefix + it.Path }

// Class returns the name of it's class, "" if it has none.
func (d *Dataset) Class(it *Item) string {
	if it.Label < 0 {
		return ""
	}
	return d.Classes[it.Label]
}

// Count returns the number of items in part p.
func (d *Dataset) Count(p Part) int {
	n := 0
	for i := range d.Items {
		if d.Items[i].Part == p {
			n++
		}
	}
	return n
}

// tooManyClasses is the error of more classes than most.
func (d *Dataset) tooManyClasses(most int) error {
	from := cmp.Or(d.labelsFrom, d.Sources.String())
	example := d.Classes[0]
	err := fmt.Errorf("%w: %s gives %s different labels, such as %q, and %s are the limit: is it a number or a name of each image, and not its class?",
		ErrData, from, words.Number(len(d.Classes)), example, words.Number(most))
	return journal.WithSteps(err, journal.Step{Do: journal.Change, Field: "Data.Reading.Columns.Label"}, journal.SetTo("Data.MaxClasses", len(d.Classes)))
}

// labelAll names the classes of items from their class names, one an item.
func (d *Dataset) labelAll(names []string) {
	seen := map[string]int32{}
	for _, n := range names {
		seen[n] = 0
	}
	delete(seen, "")
	for n := range seen {
		d.Classes = append(d.Classes, n)
	}
	slices.Sort(d.Classes)
	for i, n := range d.Classes {
		seen[n] = int32(i)
	}
	for i, n := range names {
		d.Items[i].Label = Unlabelled
		if n != "" {
			d.Items[i].Label = seen[n]
		}
	}
}

// DefaultMaxClasses is how many classes a head is trained for where nobody says more: with
// more, a column of numbers has been taken for labels, as a rule.
const DefaultMaxClasses = 10_000

// Trainable returns an error, an [ErrData], unless a head can learn every class of d: two
// classes or more, but no more than maxClasses, each with a training item. A maxClasses of 0
// is DefaultMaxClasses.
func (d *Dataset) Trainable(maxClasses int) error {
	if most := cmp.Or(maxClasses, DefaultMaxClasses); len(d.Classes) > most {
		return d.tooManyClasses(most)
	}
	counts := make([]int, len(d.Classes))
	var orphan []string
	for i := range d.Items {
		if it := &d.Items[i]; it.Label >= 0 && (it.Part == Train || it.Part == Unassigned) {
			counts[it.Label]++
		}
	}
	for c, n := range counts {
		if n == 0 {
			orphan = append(orphan, d.Classes[c])
		}
	}
	switch {
	case len(d.Classes) == 0 && d.noLabels.Text != "":
		return journal.WithSteps(fmt.Errorf("%w: %s", ErrData, d.noLabels.Text), d.noLabels.Steps...)
	case len(d.Classes) == 0:
		return fmt.Errorf("%w: %s has no labels: a head needs images in class folders (%s/<class>/…) or a table with labels", ErrData, d.Sources, filepath.Base(d.Sources.Train))
	case len(orphan) > 0:
		return fmt.Errorf("%w: no training image of class %s, which val or test holds: a head cannot learn it; add training images of it, or take the class away", ErrData, words.List(orphan))
	case len(d.Classes) == 1:
		return fmt.Errorf("%w: %s has the one class %q: a classifier needs two or more", ErrData, d.Sources, d.Classes[0])
	}
	return nil
}
