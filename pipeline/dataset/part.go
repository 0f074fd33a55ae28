package dataset

import (
	"slices"
	"strings"
)

// Part is the role of an item: it trains, it chooses, or it is only reported on.
type Part uint8

// The parts of a dataset.
const (
	Unassigned Part = iota // to be split from the training items
	Train
	Val
	Test
)

// Parts are the parts that an item may come to have, in the order that people list them.
var Parts = []Part{Train, Val, Test}

var partNames = [...]string{"", "train", "val", "test"}

// String gives train, val, test, or "" for an item that has no part yet.
func (p Part) String() string { return partNames[p] }

// partWords are the names that people give to parts, as Hugging Face's datasets knows
// them.
var partWords = map[string]Part{
	"train": Train, "training": Train,
	"val": Val, "valid": Val, "validation": Val, "dev": Val,
	"test": Test, "testing": Test, "eval": Test, "evaluation": Test,
}

// ParsePart reads the names that people give to folders and splits.
func ParsePart(s string) (Part, bool) {
	p, ok := partWords[strings.ToLower(s)]
	return p, ok
}

// besidePart are the words that people add to the name of a part.
var besidePart = []string{"images", "image", "imgs", "img", "data", "dataset", "set", "split", "photos", "pictures", "pics", "jpg", "jpeg", "png"}

// parseLongPart reads a name that holds one part's and says no more than that: train_images,
// images-train, val2017.
func parseLongPart(s string) (part Part, ok bool) {
	for _, word := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune("-._ 0123456789", r) }) {
		p, isPart := partWords[word]
		if isPart && ok || !isPart && !slices.Contains(besidePart, word) {
			return Unassigned, false
		}
		if isPart {
			part, ok = p, true
		}
	}
	return part, ok
}
