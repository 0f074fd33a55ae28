package dataset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"icebox/pipeline/words"
)

// Changes say what is no longer as it was, in images.
type Changes struct {
	Added   int // those of new classes among them
	Changed int // of another size or time
	Gone    int
	Renamed int    // known by size, time and number to be one that had another name
	Moved   []Move // to another class, whether the file was moved or the label changed

	NewClasses map[string]int // and how many images they have
	OldClasses []string       // that no image is of any more
}

// Move counts the images that went from one class to another; "" is no class.
type Move struct {
	From, To string
	Images   int
}

// Any reports whether there are any.
func (c Changes) Any() bool {
	return c.Added+c.Changed+c.Gone+c.Renamed+len(c.Moved)+len(c.NewClasses)+len(c.OldClasses) > 0
}

// mostMoves is how many moves and classes a text lists.
const mostMoves = 3

// String lists the changes: "2 images moved from ants to bees, 57 gone, new class wasps (40)".
func (c Changes) String() string {
	var all []string
	for _, m := range c.Moved[:min(len(c.Moved), mostMoves)] {
		all = append(all, fmt.Sprintf("%s moved from %s to %s", words.Count(m.Images, "image"), cmp.Or(m.From, "no class"), cmp.Or(m.To, "no class")))
	}
	rest := 0
	for _, m := range c.Moved[len(all):] {
		rest += m.Images
	}
	added := c.Added
	for _, n := range c.NewClasses {
		added -= n
	}
	for _, count := range []struct {
		n    int
		text string
	}{{rest, "moved between other classes"}, {added, "new"}, {c.Changed, "changed"}, {c.Renamed, "renamed"}, {c.Gone, "gone"}} {
		if count.n <= 0 {
			continue
		}
		n := words.Number(count.n)
		if len(all) == 0 {
			n = words.Count(count.n, "image")
		}
		all = append(all, n+" "+count.text)
	}
	for i, class := range slices.Sorted(maps.Keys(c.NewClasses)) {
		if i == mostMoves {
			all = append(all, fmt.Sprintf("%d more new classes", len(c.NewClasses)-i))
			break
		}
		all = append(all, fmt.Sprintf("new class %s (%s)", class, words.Number(c.NewClasses[class])))
	}
	if len(c.OldClasses) > 0 {
		all = append(all, "no image of "+words.List(c.OldClasses)+" any more")
	}
	return strings.Join(all, ", ")
}

// Rescan scans d's sources again, as they were read, and says how they differ from d. It
// opens no image. Docs are those of [Scan].
func (d *Dataset) Rescan(ctx context.Context, docs Docs) (Changes, error) {
	now, err := Scan(ctx, Options{Train: d.Sources.Train, Also: d.Sources.Also, Val: d.Sources.Val, Test: d.Sources.Test, Reading: d.Reading}, docs)
	if err != nil {
		return Changes{}, err
	}
	return now.Since(d), nil
}

// Since says how d differs from what it was earlier.
func (d *Dataset) Since(earlier *Dataset) Changes {
	var c Changes
	moves := map[Move]int{}
	gone, added := c.compare(d, earlier, moves)
	c.match(d, earlier, gone, added, moves)
	for m, n := range moves {
		m.Images = n
		c.Moved = append(c.Moved, m)
	}
	slices.SortFunc(c.Moved, func(a, b Move) int {
		return cmp.Or(b.Images-a.Images, strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	c.compareClasses(d, earlier)
	return c
}

// compare pairs items by their path, and returns those without a partner. As a rule both
// are in the same order, and few paths are looked up.
func (c *Changes) compare(now, earlier *Dataset, moves map[Move]int) (gone map[string]*Item, added []*Item) {
	paired, had := make([]bool, len(now.Items)), make([]bool, len(earlier.Items))
	eachPair(now, earlier, func(i, j int) {
		paired[i], had[j] = true, true
		c.pair(now, &now.Items[i], earlier, &earlier.Items[j], moves)
	})
	gone = map[string]*Item{}
	for i := range earlier.Items {
		if !had[i] {
			gone[earlier.Display(&earlier.Items[i])] = &earlier.Items[i]
		}
	}
	for i := range now.Items {
		if paired[i] {
			continue
		}
		it := &now.Items[i]
		p := now.Display(it)
		if before, ok := gone[p]; ok {
			delete(gone, p)
			c.pair(now, it, earlier, before, moves)
		} else {
			added = append(added, it)
		}
	}
	return gone, added
}

func samePlace(a *Dataset, x *Item, b *Dataset, y *Item) bool {
	return x.Path == y.Path && a.prefix(x) == b.prefix(y)
}

// prefix is what stands before the path of it, for people.
func (d *Dataset) prefix(it *Item) string {
	if it.Root >= len(d.Roots) {
		return "" // the dataset was made by hand
	}
	return d.Roots[it.Root].Prefix
}

// pair compares an image with itself.
func (c *Changes) pair(now *Dataset, it *Item, earlier *Dataset, before *Item, moves map[Move]int) {
	if from, to := earlier.Class(before), now.Class(it); from != to {
		moves[Move{From: from, To: to}]++
	} else if was, is := before.Stat, it.Stat; was.Timed() && (was.Size != is.Size || was.MTime != is.MTime) {
		c.Changed++
	}
}

// fileID is what stays of a file that is given another name or folder.
type fileID struct {
	size, mtime int64
	inode       uint64
	offset      int64  // in an archive
	name        string // where the system numbers no files
}

func (it *Item) fileID() (fileID, bool) {
	id := fileID{size: it.Stat.Size, mtime: it.Stat.MTime, inode: it.Stat.Inode, offset: it.Offset}
	if id.inode == 0 {
		id.name = path.Base(it.Path)
	}
	return id, it.Stat.Timed()
}

// match finds the files among those gone that have another path now.
func (c *Changes) match(now, earlier *Dataset, gone map[string]*Item, added []*Item, moves map[Move]int) {
	byID := map[fileID]*Item{}
	if len(added) > 0 {
		for _, it := range gone {
			if id, ok := it.fileID(); ok {
				byID[id] = it
			}
		}
	}
	c.Gone = len(gone)
	for _, it := range added {
		id, _ := it.fileID()
		before := byID[id]
		if before == nil {
			c.Added++
			continue
		}
		delete(byID, id)
		c.Gone--
		if from, to := earlier.Class(before), now.Class(it); from != to {
			moves[Move{From: from, To: to}]++
		} else {
			c.Renamed++
		}
	}
}

// compareClasses finds the classes that only one of two datasets has.
func (c *Changes) compareClasses(now, earlier *Dataset) {
	for k, class := range now.Classes {
		if _, had := slices.BinarySearch(earlier.Classes, class); had {
			continue
		}
		if c.NewClasses == nil {
			c.NewClasses = map[string]int{}
		}
		for i := range now.Items {
			if now.Items[i].Label == int32(k) {
				c.NewClasses[class]++
			}
		}
	}
	for _, class := range earlier.Classes {
		if _, has := slices.BinarySearch(now.Classes, class); !has {
			c.OldClasses = append(c.OldClasses, class)
		}
	}
}
