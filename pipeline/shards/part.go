package shards

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"math"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/features"
)

// Row is an image of a part, with its feature.
type Row struct {
	Item     int // of the manifest
	Key      cache.Key
	Path     string // for people
	Class    string // "" is none
	Split    string // as given, or ""
	Producer cache.Producer
	Measures []byte    // of the picture, see [features.EncodeMeasures]; empty where it was not measured
	Feature  []float32 // [extract.Dim]
}

// Dead is an image that has no feature.
type Dead struct {
	Item   int    `json:"item"` // of the manifest
	Path   string `json:"path"`
	Reason string `json:"reason"`
	SHA256 string `json:"sha256,omitempty"` // "" where the file could not be read, so that a retry may help
	// What refused the image, if a limit did: extract.max_pixels, or the bytes that it needs.
	MaxPixels int64 `json:"max_pixels,omitempty"`
	Memory    int64 `json:"memory,omitempty"`
}

// partHead is kept in the part's file beside the rows, under the name "icebox".
type partHead struct {
	Version  int            `json:"version"`
	Manifest string         `json:"manifest"`
	Space    string         `json:"space"`
	MadeBy   features.Space `json:"made_by"`
	Shard
	First int    `json:"first"`
	End   int    `json:"end"`
	Dead  []Dead `json:"dead"` // rising by item
	// Digest is the SHA-256 of what the rows say, see rowDigest, so that a part is told from a
	// damaged one before anybody has marked it.
	Digest string `json:"digest"`
}

const (
	partVersion = 1
	headKey     = "icebox"
)

// rowDigest digests rows: of each the item (8 bytes, little endian), the key, and the numbers of
// its feature (4 bytes each).
type rowDigest struct {
	hash hash.Hash
	line []byte
}

func newRowDigest() *rowDigest { return &rowDigest{hash: sha256.New()} }

func (d *rowDigest) add(r *Row) {
	d.line = append(binary.LittleEndian.AppendUint64(d.line[:0], uint64(r.Item)), r.Key[:]...)
	for _, v := range r.Feature {
		d.line = binary.LittleEndian.AppendUint32(d.line, math.Float32bits(v))
	}
	_, _ = d.hash.Write(d.line) // a hash takes all
}

func (d *rowDigest) sum() string { return hex.EncodeToString(d.hash.Sum(nil)) }

// of returns an [ErrMixed] unless the part is that of shard s of m.
func (p *Part) of(m *Manifest, s Shard) error {
	h := &p.head
	if h.Manifest != m.Hash || h.Space != m.Space.ID || h.Shard != s {
		return fmt.Errorf("%w: %s is shard %v of manifest %.12s with features of space %.12s, and not shard %v of manifest %.12s with features of %.12s",
			ErrMixed, p.path, h.Shard, h.Manifest, h.Space, s, m.Hash, m.Space.ID)
	}
	return nil
}

// Publish writes the part of shard s of m: its rows, rising by item, and its dead. Together
// they are all items of the shard. Where another process has published the part meanwhile,
// that one stays.
func (f Folder) Publish(m *Manifest, s Shard, rows iter.Seq2[Row, error], dead []Dead) (*Marker, error) {
	file, err := create(f.ctx, f.path(s.part()))
	if err != nil {
		return nil, err
	}
	head := partHead{Version: partVersion, Manifest: m.Hash, Space: m.Space.ID, MadeBy: m.Space, Shard: s, Dead: dead}
	head.First, head.End = s.Range(m.Items())
	if err := writePart(file, head, rows); err != nil {
		file.Abandon()
		return nil, err
	}
	there, err := f.sound(m, s)
	if err != nil {
		file.Abandon()
		return nil, err
	}
	// Its name is taken where another process was faster.
	if err := file.publish(there == damaged); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return f.mark(m, s)
}

// state is that of a part.
type state int

const (
	absent state = iota
	damaged
	whole
)

// sound tells whether the part of a shard is there and can be read to its end.
func (f Folder) sound(m *Manifest, s Shard) (state, error) {
	file, err := fetch(f.ctx, f.path(s.part()))
	if errors.Is(err, fs.ErrNotExist) {
		return absent, nil
	}
	if err != nil {
		return damaged, err
	}
	defer file.Close()
	p, err := openPart(f.path(s.part()), file)
	if err != nil || p.of(m, s) != nil {
		return damaged, nil
	}
	for _, err := range p.Rows() {
		if err != nil {
			return damaged, nil
		}
	}
	return whole, nil
}

// Open opens the part of a marker, which [Folder.Check] returned, after it has checked that
// it is as the marker says.
func (f Folder) Open(m *Manifest, mk *Marker) (*Part, error) {
	file, err := f.intact(mk)
	if err != nil {
		return nil, err
	}
	p, err := openPart(f.path(mk.part()), file)
	if err != nil {
		file.Close()
		return nil, err
	}
	err = p.of(m, mk.Shard)
	if err == nil && (p.rows() != mk.Rows || len(p.head.Dead) != mk.Dead) {
		err = fmt.Errorf("%w: %s has %d rows and %d dead, and its marker counts %d and %d", ErrPart, p.path, p.rows(), len(p.head.Dead), mk.Rows, mk.Dead)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Dead are the images without a feature, rising by item.
func (p *Part) Dead() []Dead { return p.head.Dead }

// Rows yields the rows, rising by item. They and the dead are all items of the shard, else the
// last error is an [ErrPart]; so it is where the rows are not those that were written, which only
// the last one tells. A row's slices are the caller's until the next row.
func (p *Part) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		dead, next := p.head.Dead, p.head.First
		digest := newRowDigest()
		skip := func() {
			for len(dead) > 0 && dead[0].Item == next {
				dead, next = dead[1:], next+1
			}
		}
		for row, err := range p.read() {
			skip()
			if err == nil && (row.Item != next || len(row.Feature) != extract.Dim) {
				err = fmt.Errorf("%w: %s has item %d with %d numbers, where item %d with %d is due", ErrPart, p.path, row.Item, len(row.Feature), next, extract.Dim)
			}
			if !yield(row, err) || err != nil {
				return
			}
			digest.add(&row)
			next++
		}
		switch skip(); {
		case next != p.head.End || len(dead) > 0:
			yield(Row{}, fmt.Errorf("%w: %s ends at item %d of %d", ErrPart, p.path, next, p.head.End))
		case digest.sum() != p.head.Digest:
			yield(Row{}, fmt.Errorf("%w: the rows of %s are not those that were written", ErrPart, p.path))
		}
	}
}

// parseHead reads the head of a part's file.
func (p *Part) parseHead(text string) error {
	var version struct{ Version int }
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPart, p.path, err)
	}
	if version.Version > partVersion {
		return fmt.Errorf("%s: %w: it is of version %d", p.path, ErrNewer, version.Version)
	}
	if err := json.Unmarshal([]byte(text), &p.head); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrPart, p.path, err)
	}
	return nil
}

// broken is err as an [ErrPart], unless it comes from the system.
func broken(path string, err error) error {
	var system *fs.PathError
	if err == nil || errors.As(err, &system) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrPart, path, err)
}

var _ io.Closer = (*Part)(nil)
