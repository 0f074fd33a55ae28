package features

import (
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/extract"
	"icebox/extract/format"
	"icebox/pipeline/dataset"
	"icebox/pipeline/origin"
)

// Where a newer version reads some kinds of image with other pixels (see
// [extract.Redecoded]), rows that an older one made of those images are computed again, and
// all others stay. The cache does not know kinds, so that the beginnings of images with rows
// are looked at, once: documents "decoded/<space>/<what>" hold the number of Redecoded that
// rows are known to go with, where what is the document of a dataset, or bornDoc for a space
// whose first row such a version made.
const (
	decodedPrefix = "decoded/"
	bornDoc       = "born"
)

func decodedDoc(space, what string) string { return decodedPrefix + space + "/" + what }

// isDecoded tells whether the rows of a dataset's document are known to be up to date.
func (s *Store) isDecoded(space, document string) bool {
	for _, what := range []string{bornDoc, document} {
		doc, err := s.Doc(decodedDoc(space, what))
		if n, bad := strconv.Atoi(string(doc)); err == nil && bad == nil && n >= extract.Redecoded {
			return true
		}
	}
	return false
}

// noteDecoded notes that they are. Where the cache cannot be written to now, the images are
// looked at another time.
func (s *Store) noteDecoded(space, document string) {
	if s.c == nil || s.isDecoded(space, document) || !slices.Contains(s.Docs(document), document) {
		return
	}
	_ = s.putDoc(decodedDoc(space, document), strconv.AppendInt(nil, extract.Redecoded, 10))
}

// putBorn notes that the rows of a space begin with this version, unless it has some.
func (s *Store) putBorn(w *cache.Writer, space string) error {
	if s.c.Len(space) > 0 {
		return nil
	}
	return w.PutDoc(decodedDoc(space, bornDoc), strconv.AppendInt(nil, extract.Redecoded, 10))
}

// mergeBorn keeps that note where rows of from come, too, only if it has it.
func (s *Store) mergeBorn(w *cache.Writer, from *Store, space string) error {
	if from.isDecoded(space, bornDoc) {
		return s.putBorn(w, space)
	}
	return w.PutDoc(decodedDoc(space, bornDoc), nil)
}

// outdated returns the contents whose rows are to be computed again, and takes them out of
// there. What an older version could not read it forgets, if it was a JPEG. Images in buckets
// are not looked at: to fetch them costs more than a feature that is a little off.
func (c *Computer) outdated(ctx context.Context, inv *Inventory, there []bool, document string) (map[cache.Key]bool, error) {
	if c.store.c == nil || c.store.isDecoded(c.space.ID, document) {
		return nil, nil
	}
	for k, reason := range inv.bad.reasons {
		if strings.Contains(reason, format.JPEG.String()) {
			inv.bad.remove(k)
		}
	}
	var doubtful []int
	for i := range there {
		if it := &inv.ds.Items[i]; there[i] && !inv.ds.Remote(it) && mayBeJPEG(it.Path) {
			doubtful = append(doubtful, i)
		}
	}
	old, err := c.redecoded(ctx, inv.ds, doubtful)
	if err != nil {
		return nil, err
	}
	for i := range there {
		there[i] = there[i] && !old[inv.ds.Items[i].Hash]
	}
	return old, nil
}

// redecoded looks at the beginnings of items, by index, and returns the contents of those that
// this version reads with other pixels.
func (c *Computer) redecoded(ctx context.Context, ds *dataset.Dataset, items []int) (map[cache.Key]bool, error) {
	var mu sync.Mutex
	old := map[cache.Key]bool{}
	reader := origin.NewReader(origin.Hold)
	defer reader.Close()
	c.journal.Start("recheck", len(items))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range items {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			defer c.journal.Add(1)
			it := &ds.Items[i]
			if isRedecoded(ctx, reader, origin.Of(ds, it)) {
				mu.Lock()
				defer mu.Unlock()
				old[it.Hash] = true
			}
			return nil
		})
	}
	_ = g.Wait() // none fails
	return old, ctx.Err()
}

// mayBeJPEG tells it by the ending of a file's name.
func mayBeJPEG(name string) bool {
	switch format.Ending(name) {
	case ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".dib":
		return false
	}
	return true
}

// headBytes is enough of most photos to say of which kind they are.
const headBytes = 32 << 10

// isRedecoded looks at an image. Of one that cannot be read nothing is known: its row stays.
func isRedecoded(ctx context.Context, reader *origin.Reader, p origin.Place) bool {
	if p.Kind == "" {
		if is, known := isRedecodedFile(p.Path); known {
			return is
		}
	}
	data, _, err := reader.Get(ctx, p)
	if err != nil {
		return false
	}
	is, _ := extract.IsRedecoded(data)
	return is
}

func isRedecodedFile(path string) (is, known bool) {
	f, err := os.Open(path)
	if err != nil {
		return false, true
	}
	defer f.Close()
	head := make([]byte, headBytes)
	n, _ := io.ReadFull(f, head)
	return extract.IsRedecoded(head[:n])
}

// removeOutdated takes rows out that are to be computed again.
func (c *Computer) removeOutdated(old map[cache.Key]bool) error {
	if len(old) == 0 {
		return nil
	}
	rows := func(space string, k cache.Key) bool { return space == c.space.ID && old[k] }
	if _, err := cache.Remove(c.store.path, cache.Removal{Rows: rows}, c.store.opts); err != nil {
		return readOnly(err)
	}
	return c.store.c.Refresh()
}
