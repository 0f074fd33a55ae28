package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/pipeline/bucket"
	"icebox/pipeline/words"
)

// Stored begins a source that is no place: cache:NAME is the dataset NAME as the cache keeps
// it, whose files may be gone.
const Stored = "cache:"

// storedName is the name of the dataset that a source stands for.
func storedName(source string) (name string, ok bool) { return strings.CutPrefix(source, Stored) }

// Sources are the places that a dataset was scanned from: absolute paths, or [Stored] and a
// name.
type Sources struct {
	Train string   `json:"train"`
	Also  []string `json:"also,omitempty"` // read as Train is
	Val   string   `json:"val,omitempty"`
	Test  string   `json:"test,omitempty"`
}

// Sources are those that o names.
func (o Options) Sources() Sources {
	s := Sources{Train: absolute(o.Train), Val: absolute(o.Val), Test: absolute(o.Test)}
	for _, also := range o.Also {
		s.Also = append(s.Also, absolute(also))
	}
	return s
}

// absolute returns a source as it is kept; "" stays.
func absolute(source string) string {
	if _, ok := storedName(source); ok || source == "" || bucket.Is(source) {
		return source
	}
	abs, err := filepath.Abs(source)
	if err != nil {
		return source
	}
	return abs
}

// training are the sources of images to train on.
func (s Sources) training() []string { return append([]string{s.Train}, s.Also...) }

// Stored are the names of the datasets of the cache that s is made of; see [Stored].
func (s Sources) Stored() (names []string) {
	for _, source := range s.training() {
		if name, ok := storedName(source); ok {
			names = append(names, name)
		}
	}
	return names
}

// Equal reports whether s and other are the same places in the same order.
func (s Sources) Equal(other Sources) bool {
	return s.Train == other.Train && slices.Equal(s.Also, other.Also) && s.Val == other.Val && s.Test == other.Test
}

// String names the sources of images to train on, for a person.
func (s Sources) String() string { return strings.Join(s.training(), " and ") }

// Missing is the first source of images to train on that is not there any more; "" if all
// are. Nobody misses the files of a stored dataset.
func (s Sources) Missing() string {
	for _, source := range s.training() {
		if _, ok := storedName(source); ok || bucket.Is(source) {
			continue
		}
		if !exists(source) {
			return source
		}
	}
	return ""
}

// Remote reports whether a source of images to train on is a bucket.
func (s Sources) Remote() bool { return slices.ContainsFunc(s.training(), bucket.Is) }

// gone reports whether a source of images to train on has been moved or deleted.
func (s Sources) gone() bool {
	missing := s.Missing()
	if missing == "" {
		return false
	}
	_, err := os.Stat(missing)
	return errors.Is(err, fs.ErrNotExist)
}

// exists reports whether a source is there; of a pattern, its first file.
func exists(source string) bool {
	_, err := os.Stat(source)
	if err != nil && isPattern(source) {
		if files, bad := expand(source); bad == nil {
			_, err = os.Stat(files[0])
		}
	}
	return err == nil
}

// name is that of a dataset of these sources, if it is given no other.
func (s Sources) name() string {
	var names []string
	for _, source := range s.training() {
		name, ok := storedName(source)
		if !ok {
			name = FolderName(source)
		}
		names = append(names, name)
	}
	name := strings.Join(names, "+")
	if len(name) > 100 {
		name = strings.ToValidUTF8(name[:100], "")
	}
	return name
}

// checkSources refuses sources that make no sense together.
func (o Options) checkSources() error {
	sources := o.Sources()
	all := sources.training()
	if o.Train == "" {
		return ErrNoSource
	}
	for i, source := range all {
		if slices.Contains(all[:i], source) {
			return fmt.Errorf("%w: %s is named twice", ErrData, source)
		}
		if name, ok := storedName(source); ok && name == o.Name {
			return fmt.Errorf("%w: dataset %q is one of the sources, and would be replaced by all of them: another name is needed", ErrData, name)
		}
	}
	for _, part := range []string{o.Val, o.Test} {
		if name, ok := storedName(part); ok {
			return fmt.Errorf("%w: %s%s has parts of its own, and cannot be the images of one part", ErrData, Stored, name)
		}
	}
	return nil
}

// prefixes are what the paths of each source of images to train on begin with, for people;
// they tell the items of several sources apart.
func (o Options) prefixes() []string {
	all := o.Sources().training()
	if len(all) == 1 {
		return []string{o.prefix(Unassigned)}
	}
	prefixes := make([]string, len(all))
	for i, source := range all {
		name, ok := storedName(source)
		if !ok {
			name = FolderName(source)
		}
		base := name
		for n := 2; slices.Contains(prefixes[:i], name+"/"); n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		prefixes[i] = name + "/"
	}
	return prefixes
}

// stored adds the items of a dataset that the cache keeps. They keep the parts that they
// have, and their content is known without their files.
func (s *scanner) stored(name, prefix string) error {
	err := cache.ErrNoDoc
	var kept *Dataset
	if s.docs != nil {
		kept, err = Load(s.docs, ForTraining, name)
	}
	if errors.Is(err, cache.ErrNoDoc) {
		return fmt.Errorf("%w: %s%s: the cache has no such dataset", ErrData, Stored, name)
	}
	if err != nil {
		return err
	}
	first := len(s.ds.Roots)
	for _, r := range kept.Roots {
		r.Prefix = prefix + r.Prefix
		s.ds.Roots = append(s.ds.Roots, r)
	}
	for i := range kept.Items {
		it := kept.Items[i]
		it.Root += first
		s.add(it, kept.Class(&it))
	}
	s.kept = append(s.kept, kept.Split)
	return nil
}

// settleStored drops stored items whose files are items of another source, too, and takes
// back the parts that were chosen by other fractions than o's, if o has any.
func (s *scanner) settleStored(o Options, isStored []bool) {
	files := map[string]bool{}
	for i := range s.ds.Items {
		if !isStored[i] {
			files[s.ds.File(&s.ds.Items[i])] = true
		}
	}
	n := 0
	for i := range s.ds.Items {
		if isStored[i] && files[s.ds.File(&s.ds.Items[i])] {
			continue
		}
		s.ds.Items[n], s.names[n] = s.ds.Items[i], s.names[i]
		n++
	}
	if twice := len(s.ds.Items) - n; twice > 0 {
		s.note("%s of the stored datasets are at hand as files of another source, and are taken from there", words.Count(twice, "image"))
	}
	s.ds.Items, s.names = s.ds.Items[:n], s.names[:n]
	want := o.Split.Effective(s.ds)
	if o.Split == (Split{}) || !slices.ContainsFunc(s.kept, func(split Split) bool { return split != want }) {
		return
	}
	for i := range s.ds.Items {
		if it := &s.ds.Items[i]; it.Assigned {
			it.Part, it.Assigned = Unassigned, false
		}
	}
}
