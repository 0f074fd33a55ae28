package shards

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
)

// ErrManifest is returned for a file that is no manifest, or not a whole one.
var ErrManifest = errors.New("not a sound manifest")

// ErrNewer is returned for a manifest, part or marker of a newer version.
var ErrNewer = errors.New("made by a newer version")

// Manifest is a frozen dataset, in a file that a process reads a range of:
//
//	16 bytes   "icebox-manifest\n"
//	blocks     the items, some thousand a block: deflated, see [dataset.Dataset.EncodeBlock]
//	index      JSON: see manifestIndex
//	 8 bytes   length of the index, little endian
//	32 bytes   SHA-256 of the index
//
// The index has the SHA-256 of every block, so that its own names all that the manifest holds:
// it is the manifest's [Manifest.Hash].
type Manifest struct {
	Path  string
	Hash  string // hexadecimal
	Space features.Space

	ctx   context.Context // of what is asked of a bucket
	index manifestIndex
}

// manifestIndex is all of a manifest but its items.
type manifestIndex struct {
	Version int             `json:"version"`
	Name    string          `json:"name,omitempty"` // that the dataset is to have; "" derives one from its sources
	Sources dataset.Sources `json:"sources"`
	Reading dataset.Reading `json:"reading,omitzero"`
	Roots   []dataset.Root  `json:"roots"`
	Classes []string        `json:"classes"`
	Split   dataset.Split   `json:"split"`
	Items   int             `json:"items"`
	SpaceID string          `json:"space"`
	Space   features.Space  `json:"made_by"`
	Blocks  []manifestBlock `json:"blocks"`
}

type manifestBlock struct {
	Offset int64  `json:"offset"` // in the file
	Bytes  int64  `json:"bytes"`
	Items  int    `json:"items"`
	SHA256 string `json:"sha256"` // of the bytes
}

const (
	manifestMagic   = "icebox-manifest\n"
	manifestVersion = 1
	blockItems      = 1 << 13
	trailerBytes    = 8 + sha256.Size
	maxIndexBytes   = 1 << 30
	maxBlockBytes   = 1 << 30 // inflated
)

// Write freezes ds, whose items' features are of space, in a file, or in an object of a bucket.
// It replaces one that is there. Contents that are known (an item's Hash) are part of it.
func Write(ctx context.Context, path string, ds *dataset.Dataset, space features.Space) (*Manifest, error) {
	f, err := create(ctx, path)
	if err != nil {
		return nil, err
	}
	m := &Manifest{Path: path, Space: space, ctx: ctx, index: manifestIndex{
		Version: manifestVersion, Name: ds.Name, Sources: ds.Sources, Reading: ds.Reading, Roots: ds.Roots, Classes: ds.Classes, Split: ds.Split, Items: len(ds.Items),
		SpaceID: space.ID, Space: space,
	}}
	if err := m.write(f, ds); err != nil {
		f.Abandon()
		return nil, err
	}
	return m, f.publish(true)
}

func (m *Manifest) write(f io.Writer, ds *dataset.Dataset) error {
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString(manifestMagic) // an error of w comes again with Flush
	at := int64(len(manifestMagic))
	for from := 0; from < len(ds.Items); from += blockItems {
		to := min(from+blockItems, len(ds.Items))
		block, err := ds.EncodeBlock(from, to)
		if err != nil {
			return err
		}
		if block, err = deflated(block); err != nil {
			return err
		}
		_, _ = w.Write(block)
		m.index.Blocks = append(m.index.Blocks, manifestBlock{at, int64(len(block)), to - from, hexSum(block)})
		at += int64(len(block))
	}
	index, err := json.Marshal(m.index)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(index)
	m.Hash = hex.EncodeToString(sum[:])
	_, _ = w.Write(index)
	_, _ = w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(index))))
	_, _ = w.Write(sum[:])
	return w.Flush()
}

// Open reads the index of a manifest, a file or an object of a bucket, which is asked with ctx,
// later, too. Errors are an [ErrManifest] or [ErrNewer], or come from the system or the bucket.
func Open(ctx context.Context, path string) (*Manifest, error) {
	f, size, err := openPieces(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &Manifest{Path: path, ctx: ctx}
	if err := m.read(f, size); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func (m *Manifest) read(f io.ReaderAt, length int64) error {
	magic := make([]byte, len(manifestMagic))
	if err := readAt(f, magic, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(magic) != manifestMagic {
		return fmt.Errorf("%w: it does not begin as one", ErrManifest)
	}
	cut := fmt.Errorf("%w: its end is missing or damaged; make it again, or copy it again", ErrManifest)
	trailer := make([]byte, trailerBytes)
	end := length - trailerBytes
	if end < int64(len(manifestMagic)) {
		return cut
	}
	if err := readAt(f, trailer, end); err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(trailer)
	if size > uint64(end) || size > maxIndexBytes {
		return cut
	}
	index := make([]byte, size)
	if err := readAt(f, index, end-int64(size)); err != nil {
		return err
	}
	sum := sha256.Sum256(index)
	if !bytes.Equal(sum[:], trailer[8:]) {
		return cut
	}
	m.Hash = hex.EncodeToString(sum[:])
	return m.parse(index)
}

// readAt fills data. Where the file ends before, the error is an [io.EOF].
func readAt(f io.ReaderAt, data []byte, at int64) error {
	n, err := f.ReadAt(data, at)
	if n == len(data) {
		return nil
	}
	return err
}

// parse reads the index, and checks the numbers in it.
func (m *Manifest) parse(index []byte) error {
	var version struct{ Version int }
	if err := json.Unmarshal(index, &version); err != nil {
		return fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if version.Version > manifestVersion {
		return fmt.Errorf("%w: the manifest is of version %d, and this one reads version %d", ErrNewer, version.Version, manifestVersion)
	}
	if err := json.Unmarshal(index, &m.index); err != nil {
		return fmt.Errorf("%w: %w", ErrManifest, err)
	}
	items := 0
	for _, b := range m.index.Blocks {
		if b.Items < 1 || b.Items > blockItems || b.Bytes < 0 || b.Offset < 0 {
			return fmt.Errorf("%w: its index is wrong", ErrManifest)
		}
		items += b.Items
	}
	if items != m.index.Items {
		return fmt.Errorf("%w: its blocks have %d items, and it has %d", ErrManifest, items, m.index.Items)
	}
	m.Space = m.index.Space
	m.Space.ID = m.index.SpaceID
	return nil
}

// Items is how many images it lists.
func (m *Manifest) Items() int { return m.index.Items }

// Name is what the dataset is to be called; "" derives a name from its sources.
func (m *Manifest) Name() string { return m.index.Name }

// Sources are where the images were listed.
func (m *Manifest) Sources() dataset.Sources { return m.index.Sources }

// Classes are the names of its classes; the caller does not change them.
func (m *Manifest) Classes() []string { return m.index.Classes }

// Dataset reads the items from first up to end; the others are not part of it.
func (m *Manifest) Dataset(first, end int) (*dataset.Dataset, error) {
	f, _, err := openPieces(m.ctx, m.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x := m.index
	ds := &dataset.Dataset{Name: x.Name, Sources: x.Sources, Reading: x.Reading, Roots: x.Roots, Classes: x.Classes, Split: x.Split}
	at, skip := 0, 0
	for n, b := range x.Blocks {
		if at+b.Items > first && at < end {
			if len(ds.Items) == 0 {
				skip = first - at
			}
			if err := b.read(f, ds); err != nil {
				return nil, fmt.Errorf("%s: block %d: %w", m.Path, n, err)
			}
		}
		at += b.Items
	}
	if skip > len(ds.Items) || end-first > len(ds.Items)-skip {
		return nil, fmt.Errorf("%s: %w: it has no items %d to %d", m.Path, ErrManifest, first, end-1)
	}
	ds.Items = ds.Items[skip:][:end-first]
	return ds, nil
}

// read adds the items of a block to ds.
func (b manifestBlock) read(f io.ReaderAt, ds *dataset.Dataset) error {
	if b.Bytes > maxBlockBytes {
		return fmt.Errorf("%w: %d bytes", ErrManifest, b.Bytes)
	}
	data := make([]byte, b.Bytes)
	switch err := readAt(f, data, b.Offset); {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrManifest, err)
	case err != nil:
		return err
	}
	if hexSum(data) != b.SHA256 {
		return fmt.Errorf("%w: it is damaged", ErrManifest)
	}
	block, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxBlockBytes))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if err := ds.DecodeBlock(block, b.Items); err != nil {
		return fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return nil
}

// deflated is data without what repeats itself: hashes that are not known are zeros.
func deflated(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = z.Write(data)
	err = errors.Join(err, z.Close())
	return out.Bytes(), err
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
