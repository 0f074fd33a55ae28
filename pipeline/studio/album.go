package studio

import (
	"context"
	"crypto/sha256"
	"errors"
	"runtime"
	"sync"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/origin"
	"icebox/pipeline/thumbs"
)

// album is the small pictures of images, made when they are asked for. Some are made at a
// time, and some are kept in memory.
type album struct {
	ds     *dataset.Dataset
	images *origin.Reader
	pixels extract.Options
	makers chan *extract.Preprocessor // nil ones are yet to be made

	mu    sync.Mutex
	store *thumbs.Store // nil keeps none
	held  map[cache.Key][]byte
	bytes int
}

// mostHeld is how many bytes of pictures that were made are in memory.
const mostHeld = 32 << 20

// ErrGone is returned for an image whose file is not there any more, or is another one.
var ErrGone = errors.New("the image is gone")

func newAlbum(o Options, ds *dataset.Dataset) *album {
	a := &album{ds: ds, images: origin.NewReader(origin.Hold), pixels: o.Pixels, store: o.Pictures, makers: make(chan *extract.Preprocessor, runtime.GOMAXPROCS(0)), held: map[cache.Key][]byte{}}
	for range cap(a.makers) {
		a.makers <- nil
	}
	return a
}

// Picture returns the small picture of the image with these bytes, a JPEG. It returns an
// [ErrGone] where the file is not there, and the error of an image that cannot be read.
func (s *Session) Picture(ctx context.Context, key cache.Key) ([]byte, error) {
	it, ok := s.itemOf(key)
	if !ok {
		return nil, ErrGone
	}
	if picture := s.album.get(key); picture != nil {
		return picture, nil
	}
	var p *extract.Preprocessor
	select {
	case p = <-s.album.makers:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { s.album.makers <- p }()
	if p == nil {
		var err error
		if p, err = extract.NewPreprocessor(s.album.pixels); err != nil {
			return nil, err
		}
	}
	return s.album.make(ctx, p, &it, key)
}

// Path is that of the image with these bytes, for people; "" if there is none.
func (s *Session) Path(key cache.Key) string {
	if it, ok := s.itemOf(key); ok {
		return s.ds.Display(&it)
	}
	return ""
}

// itemOf is a copy of the first item with these bytes.
func (s *Session) itemOf(key cache.Key) (it dataset.Item, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.byHash[key]
	if ok {
		it = s.ds.Items[i]
	}
	return it, ok
}

func (a *album) get(key cache.Key) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.held[key]; p != nil {
		return p
	}
	if a.store == nil {
		return nil
	}
	return a.store.Get(key)
}

// read reads the file of an item, which may be gone.
func (a *album) read(ctx context.Context, it *dataset.Item) ([]byte, error) {
	data, _, err := a.images.Get(ctx, origin.Of(a.ds, it))
	if err != nil || cache.Key(sha256.Sum256(data)) != it.Hash {
		return nil, ErrGone
	}
	return data, nil
}

func (a *album) make(ctx context.Context, p *extract.Preprocessor, it *dataset.Item, key cache.Key) ([]byte, error) {
	data, err := a.read(ctx, it)
	if err != nil {
		return nil, err
	}
	crop := make([]uint8, extract.PixelBytes)
	if _, err := p.Crop(ctx, crop, data); err != nil {
		return nil, err
	}
	picture, err := thumbs.Picture(crop)
	if err != nil {
		return nil, err
	}
	a.keep(key, picture)
	return picture, nil
}

// keep keeps a picture in memory, and in the store as long as that is small enough.
func (a *album) keep(key cache.Key, picture []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes += len(picture); a.bytes > mostHeld {
		if a.store != nil {
			_ = a.store.Save() // else they are made again
			a.store = nil      // it is full, and would grow in memory
		}
		a.held, a.bytes = map[cache.Key][]byte{}, len(picture)
	}
	a.held[key] = picture
	if a.store != nil {
		a.store.Put(key, picture)
	}
}

// close keeps what was made. That a store cannot be written, as beside a cache that may only
// be read, loses nothing.
func (a *album) close() error {
	if a.store != nil {
		_ = a.store.Save()
	}
	return a.images.Close()
}
