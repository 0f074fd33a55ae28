package thumbs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"iter"
	"os"
	"slices"

	"icebox/cache"
	"icebox/pipeline/files"
)

const (
	banner     = "icebox thumbnails 1\n"
	mark       = "thmb"
	headBytes  = len(mark) + 2*sha256.Size + 8
	maxPicture = 1 << 16
)

// MaxBytes is how large a file may grow. Then it begins anew: a picture is soon made again.
const MaxBytes = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Store is the small pictures of one way to preprocess images, in a file of several. It is
// for one goroutine.
type Store struct {
	path     string
	space    [sha256.Size]byte
	pictures map[cache.Key][]byte
	added    []cache.Key
}

// Path is where the pictures of a cache lie.
func Path(cache string) string { return cache + ".thumbs" }

// Open reads the pictures in the file at path that were made by the preprocessing of that
// name. A file that is not there, or not one of ours, is as good as an empty one; so is the
// part of a file behind damage.
func Open(path, preprocessing string) (*Store, error) {
	s := &Store{path: path, space: sha256.Sum256([]byte(preprocessing)), pictures: map[cache.Key][]byte{}}
	if fi, err := os.Stat(path); err != nil || !fi.Mode().IsRegular() || fi.Size() > 2*MaxBytes {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return s, nil
		}
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s.read(data)
	return s, nil
}

// read takes in the records of a file.
func (s *Store) read(data []byte) {
	for r := range records(data) {
		if r.space == s.space && s.pictures[r.key] == nil {
			s.pictures[r.key] = r.picture
		}
	}
}

// record is a picture in a file.
type record struct {
	space   [sha256.Size]byte
	key     cache.Key
	picture []byte
}

// records yields the records of a file up to the first that is damaged, or none.
func records(data []byte) iter.Seq[record] {
	return func(yield func(record) bool) {
		rest, ok := bytes.CutPrefix(data, []byte(banner))
		for ok {
			var r record
			if r, ok = first(rest); !ok || !yield(r) {
				return
			}
			rest = rest[headBytes+len(r.picture):]
		}
	}
}

// first reads the record that b begins with.
func first(b []byte) (r record, ok bool) {
	if len(b) < headBytes || string(b[:len(mark)]) != mark {
		return r, false
	}
	head := b[len(mark) : headBytes-4]
	copy(r.space[:], head)
	copy(r.key[:], head[len(r.space):])
	n := int64(binary.LittleEndian.Uint32(head[len(head)-4:]))
	sum := binary.LittleEndian.Uint32(b[headBytes-4:])
	if n > maxPicture || n > int64(len(b)-headBytes) {
		return r, false
	}
	r.picture = b[headBytes:][:n:n]
	return r, sum == sumOf(head, r.picture)
}

// soundBytes is the length of the part of a file that is whole records; 0, if it is not ours.
func soundBytes(data []byte) int {
	if !bytes.HasPrefix(data, []byte(banner)) {
		return 0
	}
	n := len(banner)
	for r := range records(data) {
		n += headBytes + len(r.picture)
	}
	return n
}

func sumOf(head, picture []byte) uint32 {
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, picture)
}

// Get returns the picture of the image with these bytes; nil if there is none. The caller
// does not change it.
func (s *Store) Get(key cache.Key) []byte { return s.pictures[key] }

// Put adds a picture, which [Store.Save] writes.
func (s *Store) Put(key cache.Key, picture []byte) {
	if s.pictures[key] == nil && len(picture) <= maxPicture {
		s.added = append(s.added, key)
		s.pictures[key] = picture
	}
}

// Save writes the file anew, with what was added behind what it holds by now. Of two
// processes that do so at once, the pictures of one are lost, and made again another time.
func (s *Store) Save() error {
	if len(s.added) == 0 {
		return nil
	}
	var out bytes.Buffer
	out.WriteString(banner)
	for _, key := range s.added {
		s.appendRecord(&out, key)
	}
	if held, err := os.ReadFile(s.path); err == nil {
		if n := soundBytes(held); n > 0 && out.Len()+n <= MaxBytes {
			out.Write(held[len(banner):n])
		}
	}
	if err := files.Write(s.path, out.Bytes()); err != nil {
		return err
	}
	s.added = nil
	return nil
}

func (s *Store) appendRecord(out *bytes.Buffer, key cache.Key) {
	picture := s.pictures[key]
	head := append(slices.Clone(s.space[:]), key[:]...)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(picture)))
	out.WriteString(mark)
	out.Write(head)
	out.Write(binary.LittleEndian.AppendUint32(nil, sumOf(head, picture)))
	out.Write(picture)
}
