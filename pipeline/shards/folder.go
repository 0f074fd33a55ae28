package shards

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"icebox/pipeline/bucket"
)

var (
	// ErrIncomplete is returned where shards of a manifest are missing.
	ErrIncomplete = errors.New("shards are missing")
	// ErrMixed is returned for parts that do not belong together: those of another manifest, of
	// other features, or of another number of shards.
	ErrMixed = errors.New("parts that do not belong together")
	// ErrPart is returned for a part or a marker that is damaged.
	ErrPart = errors.New("a damaged part")
)

// Folder is where the parts of a manifest lie: a folder, or below a prefix of a bucket.
type Folder struct {
	ctx    context.Context // of what is asked of a bucket
	dir    string
	bucket *bucket.Bucket // nil: it is a folder
}

// OpenFolder names the folder at a path, or at the address of a bucket, which is asked with ctx.
// It need not be there yet.
func OpenFolder(ctx context.Context, path string) (f Folder, err error) {
	f = Folder{ctx: ctx, dir: path}
	if bucket.Is(path) {
		f.bucket, err = bucket.Open(path, os.Getenv)
	}
	return f, err
}

// Marker says that a shard is done. It is written after its part.
type Marker struct {
	Version  int    `json:"version"`
	Manifest string `json:"manifest"` // hash
	Space    string `json:"space"`    // of the features, by ID
	Shard
	First  int    `json:"first"` // row of the manifest
	End    int    `json:"end"`
	Rows   int    `json:"rows"` // with a feature
	Dead   int    `json:"dead"` // without one
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the part's file
}

const (
	markerVersion = 1
	markers       = "_done"
	maxMarker     = 64 << 10
)

// The names of a shard's files.
func (s Shard) part() string   { return fmt.Sprintf("features-%05d-of-%05d.parquet", s.Index, s.Of) }
func (s Shard) dead() string   { return fmt.Sprintf("dead-%05d-of-%05d.jsonl", s.Index, s.Of) }
func (s Shard) marker() string { return fmt.Sprintf("%05d-of-%05d.json", s.Index, s.Of) }

// Done returns the marker of a shard, if it is done: its part is there as the marker says, of
// m and of m's space. Of a part that is damaged it is not done.
func (f Folder) Done(m *Manifest, s Shard) (mk *Marker, err error) {
	mk, err = f.readMarker(s.marker())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrPart) {
		return nil, nil
	}
	if err == nil {
		err = mk.of(m)
	}
	if err != nil {
		return nil, err
	}
	file, err := f.intact(mk)
	if errors.Is(err, ErrPart) {
		return nil, nil // it is made again
	}
	if err != nil {
		return nil, err
	}
	return mk, file.Close()
}

// readMarker reads a marker by its name.
func (f Folder) readMarker(name string) (*Marker, error) {
	path := f.path(markers, name)
	file, size, err := openPieces(f.ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, 0, min(size, maxMarker)))
	if err != nil {
		return nil, err
	}
	var mk Marker
	if err := json.Unmarshal(text, &mk); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPart, path, err)
	}
	if mk.Version > markerVersion {
		return nil, fmt.Errorf("%s: %w: it is of version %d", path, ErrNewer, mk.Version)
	}
	if mk.Of < 1 || mk.marker() != name {
		return nil, fmt.Errorf("%w: %s is the marker of shard %v", ErrPart, path, mk.Shard)
	}
	return &mk, nil
}

// of returns an [ErrMixed] unless the marker is of m.
func (mk *Marker) of(m *Manifest) error {
	switch {
	case mk.Manifest != m.Hash:
		return fmt.Errorf("%w: shard %v is of manifest %.12s, and this one is %.12s: has it changed since?", ErrMixed, mk.Shard, mk.Manifest, m.Hash)
	case mk.Space != m.Space.ID:
		return fmt.Errorf("%w: shard %v has features of space %.12s, and the manifest is for %.12s", ErrMixed, mk.Shard, mk.Space, m.Space.ID)
	}
	if first, end := mk.Range(m.Items()); mk.First != first || mk.End != end || mk.Rows < 0 || mk.Dead < 0 || mk.Rows+mk.Dead != end-first {
		return fmt.Errorf("%w: the marker of shard %v counts %d and %d rows from %d to %d, where the shard has %d to %d", ErrPart, mk.Shard, mk.Rows, mk.Dead, mk.First, mk.End, first, end)
	}
	return nil
}

// intact opens the part of a marker. It returns an [ErrPart] unless the part is as its marker
// says, byte for byte.
func (f Folder) intact(mk *Marker) (stored, error) {
	path := f.path(mk.part())
	file, err := fetch(f.ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is missing, though shard %v is marked as done", ErrPart, path, mk.Shard)
	}
	if err != nil {
		return nil, err
	}
	size, sum, err := digest(file)
	if err == nil && (size != mk.Bytes || sum != mk.SHA256) {
		err = fmt.Errorf("%w: %s is not as its marker says (%d bytes, and it was written with %d)", ErrPart, path, size, mk.Bytes)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// digest is the size of a file and its SHA-256.
func digest(file io.ReaderAt) (size int64, sum string, err error) {
	h := sha256.New()
	size, err = io.Copy(h, io.NewSectionReader(file, 0, math.MaxInt64))
	return size, hex.EncodeToString(h.Sum(nil)), err
}

// mark writes what follows from a part that has its name: its dead letters, and last its
// marker. Whoever marks a part writes the same bytes.
func (f Folder) mark(m *Manifest, s Shard) (*Marker, error) {
	file, err := fetch(f.ctx, f.path(s.part()))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p, err := openPart(f.path(s.part()), file)
	if err != nil {
		return nil, err
	}
	if err := p.of(m, s); err != nil {
		return nil, err
	}
	mk := &Marker{Version: markerVersion, Manifest: m.Hash, Space: m.Space.ID, Shard: s, First: p.head.First, End: p.head.End, Rows: p.rows(), Dead: len(p.head.Dead)}
	if err := mk.of(m); err != nil {
		return nil, err
	}
	if mk.Bytes, mk.SHA256, err = digest(file); err != nil {
		return nil, err
	}
	var dead strings.Builder
	for _, d := range p.head.Dead {
		line, err := json.Marshal(d)
		if err != nil {
			return nil, err
		}
		dead.Write(append(line, '\n'))
	}
	text, err := json.Marshal(mk)
	if err != nil {
		return nil, err
	}
	if err := write(f.ctx, f.path(s.dead()), []byte(dead.String())); err != nil {
		return nil, err
	}
	return mk, write(f.ctx, f.path(markers, s.marker()), append(text, '\n'))
}

// Check returns the markers of all shards of m, in order. The error is an [ErrIncomplete]
// that lists those that are missing, an [ErrMixed], or an [ErrPart]. It does not read the
// parts.
func (f Folder) Check(m *Manifest) ([]*Marker, error) {
	names, err := f.marked()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no folder %s: is it the folder of the parts?", ErrIncomplete, f.dir, markers)
	}
	if err != nil {
		return nil, err
	}
	var all []*Marker
	for _, name := range names {
		if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".json") {
			continue
		}
		mk, err := f.readMarker(name)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && mk.Of != all[0].Of {
			return nil, fmt.Errorf("%w: %s has shards of %d and of %d: move those of one of them away", ErrMixed, f.dir, all[0].Of, mk.Of)
		}
		if err := mk.of(m); err != nil {
			return nil, fmt.Errorf("%s: %w", f.dir, err)
		}
		all = append(all, mk)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no shard in %s is done", ErrIncomplete, f.dir)
	}
	slices.SortFunc(all, func(a, b *Marker) int { return a.Index - b.Index })
	return all, missing(all)
}

// missing is the error of shards without a marker.
func missing(all []*Marker) error {
	var lacks []string
	n, at := 0, 0
	for i := range all[0].Of {
		if at < len(all) && all[at].Index == i {
			at++
			continue
		}
		if n++; n <= 10 {
			lacks = append(lacks, fmt.Sprint(i))
		}
	}
	if n == 0 {
		return nil
	}
	if n > len(lacks) {
		lacks = append(lacks, "…")
	}
	return fmt.Errorf("%w: %d of %d are not done: %s", ErrIncomplete, n, all[0].Of, strings.Join(lacks, ", "))
}

// Finish marks the whole as merged: manifest.json tells what the parts are of, for programs
// that read them without icebox, and _SUCCESS that all are there.
func (f Folder) Finish(m *Manifest, of int) error {
	text, err := json.MarshalIndent(map[string]any{
		"manifest": m.Hash, "items": m.Items(), "shards": of, "space": m.Space.ID, "made_by": m.Space, "classes": m.Classes(), "sources": m.Sources(),
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := write(f.ctx, f.path("manifest.json"), append(text, '\n')); err != nil {
		return err
	}
	return write(f.ctx, f.path("_SUCCESS"), nil)
}

// Part is the path of a shard's part.
func (f Folder) Part(s Shard) string { return f.path(s.part()) }
