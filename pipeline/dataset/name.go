package dataset

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"icebox/cache"
)

// NameAmong names d as wanted, or, where that is "", after its folder and unlike any
// dataset of docs that is of another folder. It returns what docs hold under that name;
// nil if nothing.
func (d *Dataset) NameAmong(docs Docs, p Purpose, wanted string) (earlier *Dataset, err error) {
	name := wanted
	if name == "" {
		name = d.Sources.name()
	}
	for try := 1; ; try++ {
		d.Name = name
		if try > 1 {
			d.Name = fmt.Sprintf("%s-%d", name, try)
		}
		earlier, err := Load(docs, p, d.Name)
		if errors.Is(err, cache.ErrNoDoc) {
			return nil, nil
		}
		if err != nil || wanted != "" || earlier.continuedBy(d) {
			return earlier, err
		}
	}
}

// continuedBy reports whether d, kept earlier, is what now was scanned from, though
// it may have been moved, or got other val and test sources.
func (d *Dataset) continuedBy(now *Dataset) bool {
	return slices.Equal(d.Sources.training(), now.Sources.training()) || d.Sources.gone()
}

// FolderName is the last folder of p that is not named after a part.
func FolderName(p string) string {
	if isPattern(p) {
		before, _, _ := strings.Cut(p, "{")
		p = strings.TrimRight(before, "-_.")
	} else {
		p = strings.TrimSuffix(p, filepath.Ext(p))
	}
	base := filepath.Base(p)
	if _, isPart := ParsePart(base); isPart {
		if up := filepath.Base(filepath.Dir(p)); up != string(filepath.Separator) && up != "." {
			base = up
		}
	}
	if base == string(filepath.Separator) || base == "." || base == "" {
		return "images"
	}
	return base
}

// Twin returns the dataset to train on that docs have of the same sources as d: by its
// parts an evaluation tells what a head learned from. It is nil if there is none.
func Twin(docs Docs, d *Dataset) (*Dataset, error) {
	var twin *Dataset
	for _, name := range Names(docs, ForTraining) {
		ds, err := Load(docs, ForTraining, name)
		if errors.Is(err, ErrDocument) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if ds.Sources.Equal(d.Sources) {
			twin = ds
		}
	}
	return twin, nil
}
