package dataset

import (
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"icebox/pipeline/words"
)

// classByFolder gives the images of archives that name no classes those of their folders, as
// a folder on disk has them: below the one folder that holds everything, and below train, val
// and test. Images beside these folders have no class.
func (s *scanner) classByFolder(all []*archive, o Options) error {
	below := commonFolder(all)
	parts, err := s.foldersAreParts(all, below, o.Reading.Layout)
	if err != nil {
		return err
	}
	with, without := 0, 0
	for _, a := range all {
		for i := range a.items {
			a.classes[i] = ""
			without++
			rest := strings.TrimPrefix(a.items[i].Path, below)
			if parts {
				first, inner, _ := strings.Cut(rest, "/")
				part, ok := ParsePart(first)
				if !ok {
					continue
				}
				a.items[i].Part, rest = part, inner
				if a.part != Unassigned {
					a.items[i].Part = a.part
				}
			}
			if class, _, ok := strings.Cut(rest, "/"); ok {
				a.classes[i] = class
				with, without = with+1, without-1
			}
		}
	}
	if with > 0 && without > 0 {
		s.note("%s of %s in no class folder: they have no label", words.Count(without, "image"), filepath.Base(all[0].file))
	}
	return nil
}

// commonFolder is the folder that all images lie below, with "/" at its end, so far as
// another folder is below it and it is not a part's; "" is none.
func commonFolder(all []*archive) string {
	below := ""
	for {
		next, deeper := "", false
		for _, a := range all {
			for i := range a.items {
				first, rest, ok := strings.Cut(strings.TrimPrefix(a.items[i].Path, below), "/")
				if !ok || next != "" && first != next {
					return below
				}
				next = first
				deeper = deeper || strings.Contains(rest, "/")
			}
		}
		if _, isPart := ParsePart(next); isPart || !deeper {
			return below
		}
		below += next + "/"
	}
}

// foldersAreParts reports whether the folders below one are those of parts, and refuses what
// can be read in two ways.
func (s *scanner) foldersAreParts(all []*archive, below, layout string) (bool, error) {
	parts, others := map[string]bool{}, map[string]bool{}
	nested := false
	for _, a := range all {
		for i := range a.items {
			first, rest, ok := strings.Cut(strings.TrimPrefix(a.items[i].Path, below), "/")
			if !ok {
				continue
			}
			if _, isPart := ParsePart(first); !isPart {
				others[first] = true
				continue
			}
			parts[first] = true
			nested = nested || strings.Contains(rest, "/")
		}
	}
	switch {
	case len(parts) == 0 || layout == LayoutClasses:
		return false, nil
	case layout == LayoutParts:
		return true, nil
	case nested && len(others) > 0:
		return false, ambiguous(nil, "%s holds %s, which are named after parts and hold folders, beside %s: the parts are meant and the others are not, or all are classes",
			path.Join(all[0].file, below), words.List(sortedKeys(parts)), words.List(sortedKeys(others)))
	case !nested && len(others) == 0 && len(parts) > 1:
		return false, ambiguous(nil, "%s holds %s without class folders in them: they are parts whose images have no label, or they are the classes",
			path.Join(all[0].file, below), words.List(sortedKeys(parts)))
	}
	return nested, nil
}

func sortedKeys(set map[string]bool) []string {
	return slices.Sorted(maps.Keys(set))
}
