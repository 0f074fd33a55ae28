package dataset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"icebox/extract/format"
	"icebox/pipeline/bucket"
)

// Bucket is the kind of a root whose items are the objects of a bucket.
const Bucket = "bucket"

// StatOfObject is what the cache compares to know that an object has not changed: its size,
// and in the place of a file's number the beginning of a hash of its ETag. The time counts only
// where there is no ETag: a list and an answer may tell another one, a second apart.
func StatOfObject(o bucket.Object) Stat {
	if o.ETag == "" {
		return Stat{Size: o.Size, MTime: o.MTime.Truncate(time.Second).UnixNano()} // a list tells milliseconds, and an answer does not
	}
	sum := sha256.Sum256([]byte(o.ETag))
	return Stat{Size: o.Size, Inode: binary.LittleEndian.Uint64(sum[:])}
}

// inBucket adds the images at an address: those of archives, one image, or all that lie in a
// bucket below a prefix.
func (s *scanner) inBucket(address, prefix string, part Part, o Options) error {
	switch ending := format.Ending(address); {
	case isPattern(address):
		return s.pattern(address, prefix, part, o)
	case IsArchive(address):
		return s.archiveFile(address, prefix, "", part, o)
	case slices.Contains(tableEndings, ending):
		return fmt.Errorf("%w: %s is a table in a bucket, which is not read: copy it to this machine", ErrData, address)
	case format.ByEnding(address) == format.Image:
		return s.object(address, prefix, part)
	}
	return s.objects(address, prefix, part, o)
}

// object adds one image.
func (s *scanner) object(address, prefix string, part Part) error {
	of, name, err := bucket.Locate(address)
	var f *bucket.File
	if err == nil {
		f, err = of.Open(s.ctx, name)
	}
	if err != nil {
		return s.bucketError(err)
	}
	a := &archive{file: of.String(), kind: Bucket, prefix: cmp.Or(prefix, of.String()), part: part}
	a.items, a.classes = []Item{{Path: name, Stat: StatOfObject(f.Object)}}, []string{""}
	s.addArchive(a)
	return nil
}

// objects adds the images of a bucket. Its folders are those of a folder on disk.
func (s *scanner) objects(address, prefix string, part Part, o Options) error {
	b, err := bucket.Open(address, os.Getenv)
	if err != nil {
		return s.bucketError(err)
	}
	a := &archive{file: address, kind: Bucket, prefix: prefix, part: part}
	archives := 0
	for object, err := range b.List(s.ctx) {
		if err != nil {
			return s.bucketError(err)
		}
		if format.ByEnding(object.Name) != format.Image {
			a.skip(object.Name) // one without an ending, too: to look into each takes a request
			if IsArchive(object.Name) {
				archives++
			}
			continue
		}
		a.items = append(a.items, Item{Path: object.Name, Stat: StatOfObject(object)})
		a.classes = append(a.classes, "")
	}
	s.ds.listed++
	if len(a.items) == 0 && archives > 0 {
		return fmt.Errorf("%w: no image in %s, but archives (.tar, .parquet): name them, as in %s", ErrData, address, b.String()+"train-{000..099}.tar")
	}
	if len(a.items) == 0 {
		return s.nothing(address)
	}
	s.dropExcluded(a)
	if !s.unlabelled {
		if err := s.classByFolder([]*archive{a}, o); err != nil {
			return err
		}
	}
	s.addArchive(a)
	return nil
}

// bucketError is an error of a bucket as one of data, unless somebody has stopped the scan, or
// the address is none.
func (s *scanner) bucketError(err error) error {
	if s.ctx.Err() != nil || errors.Is(err, bucket.ErrAddress) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrData, err)
}

// manyRequests is how many requests for the stats of archives are under way at once.
const manyRequests = 32

// statArchives stats archives on disk and in buckets.
func statArchives(ctx context.Context, all []*archive) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(manyRequests)
	for _, a := range all {
		g.Go(func() (err error) {
			a.stat, err = statArchive(ctx, a.file)
			return err
		})
	}
	return g.Wait()
}

// statArchive stats an archive. The error is an [ErrData], or that of ctx.
func statArchive(ctx context.Context, file string) (Stat, error) {
	if bucket.Is(file) {
		of, name, err := bucket.Locate(file)
		var f *bucket.File
		if err == nil {
			f, err = of.Open(ctx, name)
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return Stat{}, ctx.Err()
		case err != nil:
			return Stat{}, fmt.Errorf("%w: %w", ErrData, err)
		}
		return StatOfObject(f.Object), nil
	}
	fi, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Stat{}, fmt.Errorf("%w: %s does not exist", ErrData, file)
	case err != nil:
		return Stat{}, fmt.Errorf("%w: %w", ErrData, err)
	case !fi.Mode().IsRegular():
		return Stat{}, fmt.Errorf("%w: %s is not a regular file", ErrData, file)
	}
	return StatOf(fi), nil
}

// local is the file of an archive on this machine: its own, or a copy that goes when it is
// closed.
func (a *archive) local(ctx context.Context) (path string, over io.Closer, err error) {
	if !bucket.Is(a.file) {
		return a.file, io.NopCloser(nil), nil
	}
	of, name, err := bucket.Locate(a.file)
	if err != nil {
		return "", nil, err
	}
	s, object, err := of.Copy(ctx, name, true)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	if StatOfObject(object) != a.stat {
		return "", nil, errors.Join(fmt.Errorf("%w: %w: %s", ErrData, bucket.ErrChanged, a.file), s.Close())
	}
	return s.Name(), s, nil
}
