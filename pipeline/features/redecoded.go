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

// decodedAt returns the number of Redecoded that the rows of a dataset's document are known to
// go with; 0 is none.
func (s *Store) decodedAt(space, document string) int {
	most := 0
	for _, what := range []string{bornDoc, document} {
		doc, err := s.Doc(decodedDoc(space, what))
		if n, bad := strconv.Atoi(string(doc)); err == nil && bad == nil {
			most = max(most, n)
		}
	}
	return most
}

// noteDecoded notes that they are up to date. Where the cache cannot be written to now, the
// images are looked at another time.
func (s *Store) noteDecoded(space, document string) {
	if s.c == nil || s.decodedAt(space, document) >= extract.Redecoded || !slices.Contains(s.Docs(document), document) {
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

// mergeBorn makes that note say what the rows of from that come, too, go with.
func (s *Store) mergeBorn(w *cache.Writer, from *Store, space string) error {
	n := from.decodedAt(space, bornDoc)
	if s.c.Len(space) > 0 {
		n = min(n, s.decodedAt(space, bornDoc))
	}
	if n == 0 {
		return w.PutDoc(decodedDoc(space, bornDoc), nil)
	}
	return w.PutDoc(decodedDoc(space, bornDoc), strconv.AppendInt(nil, int64(n), 10))
}

// outdated returns the contents whose rows are to be computed again, and takes them out of
// there. What an older version could not read it forgets, if a newer one may. Images in buckets
// are not looked at: to fetch them costs more than a feature that is a little off.
func (c *Computer) outdated(ctx context.Context, inv *Inventory, there []bool, document string) (map[cache.Key]bool, error) {
	if c.store.c == nil {
		return nil, nil
	}
	at := c.store.decodedAt(c.space.ID, document)
	inv.bad.forget(at)
	if at >= extract.Redrawn {
		return nil, nil
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

// readableSince are words in the reasons for which versions before a number of Redecoded refused
// images that are read since.
var readableSince = map[int]string{1: format.JPEG.String(), 2: format.TIFF.String()}

// forget forgets images that a version with the number at refused, and a newer one may read.
func (f failures) forget(at int) {
	for since, word := range readableSince {
		for k, reason := range f.reasons {
			if at < since && strings.Contains(reason, word) {
				f.remove(k)
			}
		}
	}
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
