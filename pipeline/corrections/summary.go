package corrections

import (
	"slices"
	"strings"

	"icebox/cache"
)

// Outcome is what the changes of a file come to for one image.
type Outcome struct {
	Path  string `json:"path"`
	Given string `json:"given"` // its class before all changes; "" is none
	Class string `json:"class"` // and after them

	Excluded  bool `json:"excluded,omitempty"`
	Confirmed bool `json:"confirmed,omitempty"`
}

// Outcomes are what the changes come to, in the order in which the images occur. Images
// whose changes are all undone are left out. The images need not be there: an image is one
// path with one content.
func (f *File) Outcomes() []Outcome {
	type image struct {
		path string
		hash cache.Key
	}
	open, order := map[image][]Change{}, []image{}
	given := map[image]string{}
	for _, c := range f.Changes {
		i := image{c.Path, c.Hash}
		if _, ok := given[i]; !ok {
			given[i] = c.Old
			order = append(order, i)
		}
		if c.Action != Undo {
			open[i] = append(open[i], c)
		} else if n := len(open[i]); n > 0 {
			open[i] = open[i][:n-1]
		}
	}
	var all []Outcome
	for _, i := range order {
		if len(open[i]) == 0 {
			continue
		}
		s := stateOf(given[i], open[i])
		all = append(all, Outcome{Path: i.path, Given: given[i], Class: s.Class, Excluded: s.Excluded, Confirmed: s.Confirmed})
	}
	return all
}

// Moved is the path that an image has to have for its folder to say its class. ok is false
// where that is its path, or where no folder of the path is called after its given class.
func (o *Outcome) Moved() (path string, ok bool) {
	folders := strings.Split(o.Path, "/")
	for n := range slices.Backward(folders[:len(folders)-1]) {
		if folders[n] == o.Given && o.Given != "" && o.Class != o.Given && !strings.Contains(o.Class, "/") && o.Class != "." && o.Class != ".." {
			folders[n] = o.Class
			return strings.Join(folders, "/"), true
		}
	}
	return "", false
}
