package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
	"icebox/pipeline/thumbs"
)

// album is where the small pictures of a dataset's images come from: those that are kept
// beside the cache, and the images themselves, where these may be opened.
type album struct {
	store  *thumbs.Store // nil: there are no pictures
	ds     *dataset.Dataset
	items  map[string]int // by the path that people read
	pixels extract.Options

	until  time.Time // images are opened up to then; zero is never
	opened int       // images
}

// forEver is how long an album opens images whose command takes its time.
const forEver = math.MaxInt64 / 2

// openAlbum opens the pictures of a source's images: none where it has no images, or o wants
// no pictures. For as long as openFor, pictures that are not kept are made from the images.
func openAlbum(src features.Source, o Options, openFor time.Duration) (*album, error) {
	a := &album{ds: src.Dataset()}
	origin := src.Origin()
	if !o.Pictures || origin.Folder != "" {
		return a, nil
	}
	way, err := json.Marshal(origin.Space.Fingerprint.Preprocess)
	if err != nil {
		return nil, err
	}
	if a.store, err = thumbs.Open(thumbs.Path(origin.Cache), string(way)); err != nil {
		return nil, err
	}
	a.items = make(map[string]int, len(a.ds.Items))
	for i := range a.ds.Items {
		a.items[a.ds.Display(&a.ds.Items[i])] = i
	}
	a.pixels = o.extractOptions()
	if openFor > 0 {
		a.until = time.Now().Add(openFor)
	}
	return a, nil
}

// illustrate returns the pictures of images, and keeps those that had to be made. That they
// cannot be kept, as beside a cache that may only be read, is no fault of a page.
func (a *album) illustrate(ctx context.Context, paths []string, j *journal.Journal) (map[string][]byte, error) {
	all, err := a.pictures(ctx, paths)
	if err != nil || a.store == nil {
		return all, err
	}
	if err := a.store.Save(); err != nil {
		j.Tell("the small pictures are not kept: " + err.Error())
	}
	return all, nil
}

// address is that of the file of an image, by its path; "" where nobody knows, or the image
// lies in an archive.
func (a *album) address(path string) string {
	i, ok := a.items[path]
	if !ok || a.ds.Archived(&a.ds.Items[i]) {
		return ""
	}
	file := filepath.ToSlash(a.ds.File(&a.ds.Items[i]))
	if !strings.HasPrefix(file, "/") {
		file = "/" + file // of a drive
	}
	return (&url.URL{Scheme: "file", Path: file}).String()
}

// pictures returns the small pictures of the images at paths, as far as there are any.
func (a *album) pictures(ctx context.Context, paths []string) (map[string][]byte, error) {
	all := map[string][]byte{}
	if a.store == nil {
		return all, nil
	}
	var missing []string
	for _, path := range paths {
		i, ok := a.items[path]
		if !ok || !a.ds.Items[i].Hashed() {
			continue
		}
		if jpeg := a.store.Get(a.ds.Items[i].Hash); jpeg != nil {
			all[path] = jpeg
		} else {
			missing = append(missing, path)
		}
	}
	if len(missing) == 0 || a.until.IsZero() {
		return all, nil
	}
	return all, a.make(ctx, missing, all)
}

// make adds the pictures of images to all, and to the store.
func (a *album) make(ctx context.Context, paths []string, all map[string][]byte) error {
	ctx, stop := context.WithDeadline(ctx, a.until)
	defer stop()
	images := origin.NewReader(origin.Hold)
	defer images.Close()
	var mu sync.Mutex
	var g errgroup.Group
	next := make(chan string)
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		g.Go(func() error {
			p, err := extract.NewPreprocessor(a.pixels)
			for path := range next {
				if err != nil {
					continue
				}
				key, jpeg := a.draw(ctx, images, p, &a.ds.Items[a.items[path]])
				if jpeg == nil {
					continue
				}
				mu.Lock()
				all[path] = jpeg
				a.store.Put(key, jpeg)
				a.opened++
				mu.Unlock()
			}
			return err
		})
	}
	for _, path := range paths {
		if ctx.Err() != nil {
			break
		}
		next <- path
	}
	close(next)
	if err := g.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// draw makes the small picture of an item; nil where its file is not there, is another by
// now, or is no image.
func (a *album) draw(ctx context.Context, images *origin.Reader, p *extract.Preprocessor, it *dataset.Item) (cache.Key, []byte) {
	data, err := readItem(ctx, images, a.ds, it)
	if err != nil {
		return it.Hash, nil
	}
	crop := make([]uint8, extract.PixelBytes)
	if _, err := p.Crop(ctx, crop, data); err != nil {
		return it.Hash, nil
	}
	jpeg, err := thumbs.Picture(crop)
	if err != nil {
		return it.Hash, nil
	}
	return it.Hash, jpeg
}
