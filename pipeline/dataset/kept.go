package dataset

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"icebox/cache"
)

// KeptPrefix begins the paths of kept pictures, for people.
const KeptPrefix = "kept/"

// MostKept is how many kept pictures a folder may hold.
const MostKept = 10_000

// keptEndings are those of kept pictures.
var keptEndings = []string{".jpg", ".png", ".gif", ".bmp", ".webp", ".tif"}

// KeptName is the name of the file of the picture that is kept after n others, with these
// bytes: a number, which keeps them in order, and the hash. The ending is that of its format.
func KeptName(n int, hash cache.Key, ending string) string {
	return fmt.Sprintf("%05d-%x%s", n, hash, ending)
}

// AddKept adds the pictures in a folder that a person has kept beside the dataset. They come
// after all other items, in the order of their names, have no label, and are of train. A
// folder that is not there holds none. Encode leaves them out: they are laid over a dataset
// each time that it is used, as corrections are. It is called once at most.
//
// The files are called as [KeptName] says; others are passed over. More pictures than [MostKept] are an [ErrData].
func (d *Dataset) AddKept(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: kept pictures: %w", ErrData, err)
	}
	d.Roots = append(slices.Clip(d.Roots), Root{Dir: dir, Prefix: KeptPrefix})
	d.keptRoot = len(d.Roots) - 1
	for _, e := range entries {
		if hash, ok := keptHash(e.Name()); ok && e.Type().IsRegular() {
			d.Keep(e.Name(), hash)
		}
	}
	if n := d.Kept(); n > MostKept {
		return fmt.Errorf("%w: %s holds %d kept pictures, and %d are the limit: make a folder of images of them", ErrData, dir, n, MostKept)
	}
	return nil
}

// keptHash is the hash in the name of a kept picture.
func keptHash(name string) (hash cache.Key, ok bool) {
	number, rest, _ := strings.Cut(name, "-")
	ending := filepath.Ext(rest)
	n, err := strconv.Atoi(number)
	digits, bad := hex.DecodeString(strings.TrimSuffix(rest, ending))
	copy(hash[:], digits)
	return hash, errors.Join(err, bad) == nil && slices.Contains(keptEndings, ending) && KeptName(n, hash, ending) == name
}

// Keep adds one more picture to those of the folder that AddKept has read, and returns its
// index.
func (d *Dataset) Keep(name string, hash cache.Key) int {
	d.Items = append(d.Items, Item{Root: d.keptRoot, Path: name, Label: Unlabelled, Part: Train, Hash: hash})
	return len(d.Items) - 1
}

// OneKept is a dataset of one kept picture alone, of which the cache keeps no document.
func OneKept(dir, name string, hash cache.Key) *Dataset {
	d := &Dataset{Roots: []Root{{}, {Dir: dir, Prefix: KeptPrefix}}, keptRoot: 1}
	d.Keep(name, hash)
	return d
}

// NextKept is the number of the picture that is kept next.
func (d *Dataset) NextKept() int {
	n := 0
	for i := range d.Kept() {
		it := &d.Items[len(d.Items)-1-i]
		number, _, _ := strings.Cut(it.Path, "-")
		if k, err := strconv.Atoi(number); err == nil {
			n = max(n, k+1)
		}
	}
	return n
}

// Kept is how many of the items, the last ones, are kept pictures.
func (d *Dataset) Kept() int {
	n := 0
	for n < len(d.Items) && d.keptRoot > 0 && d.Items[len(d.Items)-1-n].Root == d.keptRoot {
		n++
	}
	return n
}

// withoutKept is d without kept pictures.
func (d *Dataset) withoutKept() *Dataset {
	if d.keptRoot == 0 {
		return d
	}
	plain := *d
	plain.Items, plain.Roots, plain.keptRoot = d.Items[:len(d.Items)-d.Kept()], d.Roots[:d.keptRoot], 0
	return &plain
}
