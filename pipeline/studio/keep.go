package studio

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"icebox/cache"
	"icebox/extract/format"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// Keeper brings the feature of a kept picture into the cache, computed as all others there.
type Keeper interface {
	// Feature returns the feature of the file called name in a folder, whose bytes have this
	// hash; reason says why an image has none.
	Feature(ctx context.Context, dir, name string, hash cache.Key) (x []float32, reason string, err error)
	Close() error
}

// ErrNotKept is returned for a picture that was to be kept, and could not be written.
var ErrNotKept = errors.New("the picture was not kept")

// endings are those of kept pictures, by the format of their bytes: what a file was called
// says nothing.
var endings = map[format.Format]string{format.JPEG: ".jpg", format.PNG: ".png", format.GIF: ".gif", format.BMP: ".bmp", format.WebP: ".webp", format.TIFF: ".tif"}

// Pictures is the folder that kept pictures are in, or come into.
func (s *Session) Pictures() string { return corrections.PicturesOf(s.file) }

// Keep makes an encoded picture an image of the dataset, without a label: its bytes become a
// file in [Session.Pictures], and its feature a row of the cache. A picture that is no image,
// or is here already, is an [ErrRequest], and nothing is kept of it. Other errors are an
// [ErrNotKept], such as one of the cache where another process writes to it.
func (s *Session) Keep(ctx context.Context, picture []byte, by string) (Event, error) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	hash := cache.Key(sha256.Sum256(picture))
	name, err := s.keepable(picture, hash)
	if err != nil {
		return Event{}, err
	}
	path := filepath.Join(s.Pictures(), name)
	if err := writePicture(path, picture); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	x, reason, err := s.o.Keeper.Feature(ctx, s.Pictures(), name, hash)
	switch {
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrNotKept, err)
	case reason != "":
		err = fmt.Errorf("%w: the picture cannot be kept: %s", ErrRequest, reason)
	}
	if err != nil {
		return Event{}, errors.Join(err, os.Remove(path))
	}
	return s.take(name, hash, x, by)
}

// keepable returns the name of the file that is to keep a picture, or an [ErrRequest].
func (s *Session) keepable(picture []byte, hash cache.Key) (name string, err error) {
	if s.o.Keeper == nil {
		return "", fmt.Errorf("%w: nothing here computes features", ErrRequest)
	}
	ending, ok := endings[format.Sniff(picture)]
	if !ok {
		return "", fmt.Errorf("%w: this is no image that icebox reads: JPEG, PNG, GIF, BMP, WebP and TIFF are", ErrRequest)
	}
	if path := s.Path(hash); path != "" {
		return "", fmt.Errorf("%w: the picture is here already, as %s", ErrRequest, words.Name(path))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ds.Kept() >= dataset.MostKept {
		return "", fmt.Errorf("%w: %s pictures are kept, which is the limit: make a folder of images of them", ErrRequest, words.Number(dataset.MostKept))
	}
	return dataset.KeptName(s.ds.NextKept(), hash, ending), nil
}

// writePicture writes a file that is whole or not there.
func writePicture(path string, picture []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".icebox-*")
	if err != nil {
		return err
	}
	_, err = f.Write(picture)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error says it
	}
	return err
}

// take adds a kept picture to the images.
func (s *Session) take(name string, hash cache.Key, x []float32, by string) (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.ds.Keep(name, hash)
	s.rows = append(s.rows, int32(len(s.items)))
	s.items, s.x = append(s.items, i), append(s.x, x...)
	s.byHash[hash] = i
	s.book.Grow()
	for _, c := range s.log.Changes {
		if c.Hash == hash { // somebody had kept it before, and taken it away
			s.book.Add(c)
		}
	}
	if err := s.book.Lay(); err != nil {
		return Event{}, err
	}
	return s.publish([]int{i}, by, dataset.KeptPrefix+name[:12]+"… is kept"), nil
}
