package origin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"icebox/extract"
	"icebox/pipeline/bucket"
	"icebox/pipeline/dataset"
	"icebox/pipeline/internal/parquetfile"
)

// Place is where the bytes of an image are.
type Place struct {
	Kind         string // as in [dataset.Root]; "" is a file
	Path         string // of the file, or of the archive
	Offset, Size int64  // in an archive; see [dataset.Item]
	Column       string // of a parquet file: the one that holds images
	Name         string // of an object in a bucket
}

// Of is the place of an item.
func Of(ds *dataset.Dataset, it *dataset.Item) Place {
	if !ds.Archived(it) {
		return Place{Path: ds.File(it)}
	}
	r := &ds.Roots[it.Root]
	p := Place{Kind: r.Kind, Path: r.Dir, Offset: it.Offset, Size: it.Stat.Size}
	if r.Kind == dataset.Bucket {
		p.Name = it.Path
	}
	if r.Index != nil {
		p.Column = r.Index.Column
	}
	return p
}

var (
	// ErrKind is returned for a place of a kind that this program does not read.
	ErrKind = errors.New("this program does not read such places")
	// ErrCut is returned for an archive that ends before the image does.
	ErrCut = errors.New("the archive ends before the image does: it has been cut off or changed")
)

// Reader reads images, and keeps parts of parquet files in memory, because their images are
// stored many at a time. Many goroutines may use it; it is to be closed.
type Reader struct {
	pages *parquetfile.Pages
	far   far
}

// NewReader returns a reader that keeps up to hold bytes of parquet files in memory.
func NewReader(hold int64) *Reader { return &Reader{pages: parquetfile.NewPages(hold)} }

// Close closes what the reader keeps open.
func (r *Reader) Close() error { return errors.Join(r.pages.Close(), r.far.close()) }

// Read reads an image of up to most bytes, and the stat of the file that holds it as of before
// the first byte, with the image's size. It asks reserve for the bytes that it is going to
// take, and returns its error. The caller owns the bytes. An error of the file system comes
// without the path.
func (r *Reader) Read(ctx context.Context, p Place, most int64, reserve func(int64) error) ([]byte, dataset.Stat, error) {
	if p.Kind == "" {
		return readFile(p.Path, most, reserve)
	}
	if err := ctx.Err(); err != nil {
		return nil, dataset.Stat{}, err
	}
	switch p.Kind {
	case dataset.Tar:
		return r.readMember(ctx, p, most, reserve)
	case dataset.Parquet:
		return r.readRow(ctx, p, most, reserve)
	case dataset.Bucket:
		return r.readObject(ctx, p, most, reserve)
	}
	return nil, dataset.Stat{}, fmt.Errorf("%w: %q", ErrKind, p.Kind)
}

// Get is Read of an image of up to [MaxFileBytes], for whose memory nobody asks.
func (r *Reader) Get(ctx context.Context, p Place) ([]byte, dataset.Stat, error) {
	return r.Read(ctx, p, MaxFileBytes, func(int64) error { return nil })
}

// Hold is how many bytes of parquet files a reader of a few images may keep in memory.
const Hold = 1 << 30

// readMember reads a member of a tar.
func (r *Reader) readMember(ctx context.Context, p Place, most int64, reserve func(int64) error) ([]byte, dataset.Stat, error) {
	if err := checkSize(p.Size, most); err != nil {
		return nil, dataset.Stat{}, err
	}
	f, stat, err := r.openTar(ctx, p.Path)
	if err != nil {
		return nil, dataset.Stat{}, err
	}
	defer f.Close()
	if p.Size < 0 || p.Offset < 0 || p.Offset > stat.Size-p.Size {
		return nil, dataset.Stat{}, ErrCut
	}
	if err := reserve(p.Size); err != nil {
		return nil, dataset.Stat{}, err
	}
	data := make([]byte, p.Size)
	if _, err := f.ReadAt(data, p.Offset); err != nil && p.Size > 0 {
		if errors.Is(err, io.EOF) {
			err = ErrCut
		}
		return nil, dataset.Stat{}, pathless(err)
	}
	stat.Size = p.Size
	return data, stat, nil
}

// tar is a tar on disk or in a bucket.
type tar interface {
	io.ReaderAt
	io.Closer
}

// openTar opens a tar. One in a bucket is looked for once.
func (r *Reader) openTar(ctx context.Context, path string) (tar, dataset.Stat, error) {
	if !bucket.Is(path) {
		f, fi, err := open(path)
		if err != nil {
			return nil, dataset.Stat{}, err
		}
		return f, dataset.StatOf(fi), nil
	}
	f, err := r.far.object(ctx, path)
	if err != nil {
		return nil, dataset.Stat{}, err
	}
	return struct {
		io.ReaderAt
		io.Closer
	}{f, io.NopCloser(nil)}, dataset.StatOfObject(f.Object), nil
}

// readObject reads an object of a bucket.
func (r *Reader) readObject(ctx context.Context, p Place, most int64, reserve func(int64) error) ([]byte, dataset.Stat, error) {
	b, err := r.far.bucket(p.Path)
	if err != nil {
		return nil, dataset.Stat{}, err
	}
	data, object, err := b.Read(ctx, p.Name, func(size int64) error {
		if err := checkSize(size, most); err != nil {
			return err
		}
		return reserve(size)
	})
	if err != nil {
		return nil, dataset.Stat{}, err
	}
	return data, dataset.StatOfObject(object), nil
}

// readRow reads the image in a row of a parquet file. It holds nothing of the file while it
// waits for memory.
func (r *Reader) readRow(ctx context.Context, p Place, most int64, reserve func(int64) error) ([]byte, dataset.Stat, error) {
	path, of := p.Path, (*dataset.Stat)(nil)
	if bucket.Is(path) {
		here, release, err := r.far.copied(ctx, path)
		if err != nil {
			return nil, dataset.Stat{}, err
		}
		defer release()
		path, of = here.Name(), &here.stat
	}
	size, err := r.pages.Size(path, p.Column, p.Offset)
	if err == nil {
		err = checkSize(size, most)
	}
	if err == nil {
		err = reserve(size)
	}
	if err != nil {
		return nil, dataset.Stat{}, parquetFault(err)
	}
	data := make([]byte, size)
	fi, err := r.pages.Copy(data, path, p.Column, p.Offset)
	if err != nil {
		return nil, dataset.Stat{}, parquetFault(err)
	}
	stat := dataset.StatOf(fi)
	if of != nil {
		stat = *of
	}
	stat.Size = size
	return data, stat, nil
}

// parquetFault is an error of a parquet file as one of an image.
func parquetFault(err error) error {
	if errors.Is(err, parquetfile.ErrMemory) {
		return fmt.Errorf("%w: %w", extract.ErrImageTooLarge, err)
	}
	return pathless(err)
}
