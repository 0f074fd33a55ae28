package shards

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"icebox/pipeline/bucket"
	"icebox/pipeline/files"
)

// A manifest and parts lie in a folder, or in a bucket: what is written appears under its name
// whole or not at all in either.

// draft is a file that is being written.
type draft interface {
	io.Writer
	// publish ends it and gives it its name. Without replace it returns an fs.ErrExist if that
	// is taken.
	publish(replace bool) error
	// Abandon lets go of it.
	Abandon()
}

// create begins a file that is to have a path, or the address of an object.
func create(ctx context.Context, path string) (draft, error) {
	if !bucket.Is(path) {
		f, err := files.Create(path)
		return fileDraft{f}, err
	}
	of, name, err := bucket.Locate(path)
	if err != nil {
		return nil, err
	}
	f, err := bucket.NewScratch(false)
	return &objectDraft{f, ctx, of, name}, err
}

// write makes a file of data, over one that is there.
func write(ctx context.Context, path string, data []byte) error {
	f, err := create(ctx, path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Abandon()
		return err
	}
	return f.publish(true)
}

type fileDraft struct{ *files.File }

func (f fileDraft) publish(replace bool) error {
	if replace {
		return f.Replace()
	}
	return f.Place()
}

// objectDraft is a temporary file until it is sent.
type objectDraft struct {
	*bucket.Scratch
	ctx  context.Context
	of   *bucket.Bucket
	name string
}

func (d *objectDraft) publish(replace bool) error {
	defer d.Abandon()
	size, err := d.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = d.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	return d.of.Write(d.ctx, d.name, d.File, size, !replace)
}

func (d *objectDraft) Abandon() { d.Close() }

// piece is a file or an object that is read in pieces.
type piece interface {
	io.ReaderAt
	io.Closer
}

// openPieces opens a file or an object, of which a little is read.
func openPieces(ctx context.Context, path string) (piece, int64, error) {
	if !bucket.Is(path) {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, err
		}
		fi, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, 0, err
		}
		return f, fi.Size(), nil
	}
	of, name, err := bucket.Locate(path)
	if err != nil {
		return nil, 0, err
	}
	f, err := of.Open(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	return struct {
		io.ReaderAt
		io.Closer
	}{f, io.NopCloser(nil)}, f.Size, nil
}

// stored is a file that is read as a whole.
type stored interface {
	piece
	Stat() (os.FileInfo, error)
}

// fetch opens a file or a copy of an object, of which all is read.
func fetch(ctx context.Context, path string) (stored, error) {
	if !bucket.Is(path) {
		return os.Open(path)
	}
	of, name, err := bucket.Locate(path)
	if err != nil {
		return nil, err
	}
	s, _, err := of.Copy(ctx, name, false)
	return s, err
}

// path is that of a file of the folder, or the address of an object.
func (f Folder) path(name ...string) string {
	if f.bucket != nil {
		return f.bucket.String() + strings.Join(name, "/")
	}
	return filepath.Join(append([]string{f.dir}, name...)...)
}

// Make makes the folder, if it is not there, or finds out whether the bucket may be written to.
func (f Folder) Make() error {
	if f.bucket == nil {
		return os.MkdirAll(f.path(markers), 0o777)
	}
	return write(f.ctx, f.path(markers, ".writable"), nil)
}

// marked lists the names of markers, and of what else lies beside them.
func (f Folder) marked() (names []string, err error) {
	if f.bucket == nil {
		entries, err := os.ReadDir(f.path(markers))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names, err
	}
	below, err := bucket.Open(f.path(markers), os.Getenv)
	if err != nil {
		return nil, err
	}
	for o, err := range below.List(f.ctx) {
		if err != nil {
			return nil, err
		}
		names = append(names, o.Name)
	}
	if len(names) == 0 {
		return nil, fs.ErrNotExist // as a folder that is not there
	}
	return names, nil
}
