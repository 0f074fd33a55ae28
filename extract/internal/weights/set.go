package weights

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// The kinds of Source.
const (
	KindFile   = "file"
	KindRandom = "random"
)

// Source says where a Set came from.
type Source struct {
	Kind   string // KindFile or KindRandom
	Path   string // of the file
	Format string // of the file: FormatPTH or FormatSafetensors
	Seed   uint64 // of random weights
}

// Set is the checked tensors of a backbone. Many goroutines may read it.
type Set struct {
	source  Source
	hash    string
	tensors []tensor // of Params, row-major, sorted by name
	values  map[string][]float32
	release func() error
}

// Open maps, checks and hashes the weights file at path. The error lists
// everything that is wrong with its tensors; see [ErrFormat], [ErrUnsafePickle]
// and [ErrMismatch].
func Open(path string) (*Set, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	set, err := f.set()
	if err != nil {
		f.close()
		return nil, fmt.Errorf("weights %s: %w", path, err)
	}
	return set, nil
}

// set checks f's tensors and bytes. The Set owns f.
func (f *file) set() (*Set, error) {
	s := &Set{source: Source{Kind: KindFile, Path: f.path, Format: f.format}, release: f.close}
	kept, faults := backbone(f.tensors)
	err := guarded(func() error {
		s.keep(kept)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var group errgroup.Group
	if faults.none() {
		group.Go(func() error {
			return guarded(func() error {
				s.hash = hashTensors(s.tensors)
				return nil
			})
		})
	}
	group.Go(func() error {
		return guarded(func() error {
			faults.checkValues(s.tensors)
			return f.verify()
		})
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return s, faults.err()
}

// keep makes tensors the Set's own, sorted and row-major.
func (s *Set) keep(tensors []tensor) {
	slices.SortFunc(tensors, func(a, b tensor) int { return cmp.Compare(a.name, b.name) })
	s.values = make(map[string][]float32, len(tensors))
	for i, t := range tensors {
		t.storage, t.offset, t.strides = t.bytes(), 0, nil
		tensors[i] = t
		s.values[t.name] = float32s(t.storage)
	}
	s.tensors = tensors
}

// Tensor returns the values of a tensor of [Params], row-major. The slice is read only
// and valid until Close. Tensor panics if Params has no such name or the Set is closed.
func (s *Set) Tensor(name string) []float32 {
	v, ok := s.values[name]
	if !ok {
		panic(fmt.Sprintf("weights: no tensor %q in this set", name))
	}
	return v
}

// Hash names the tensors by 64 hexadecimal digits; see the package comment.
func (s *Set) Hash() string { return s.hash }

// Source says where s came from.
func (s *Set) Source() Source { return s.source }

// Close gives the memory back. No tensor of s may be used after it.
func (s *Set) Close() error {
	if s.values == nil {
		return nil
	}
	s.values, s.tensors = nil, nil
	return s.release()
}

// hashTensors hashes row-major tensors sorted by name.
func hashTensors(tensors []tensor) string {
	h := sha256.New()
	var head []byte
	for _, t := range tensors {
		head = binary.LittleEndian.AppendUint32(head[:0], uint32(len(t.name)))
		head = append(head, t.name...)
		head = binary.LittleEndian.AppendUint32(head, uint32(len(t.shape)))
		for _, d := range t.shape {
			head = binary.LittleEndian.AppendUint32(head, uint32(d))
		}
		h.Write(head)
		h.Write(t.storage)
	}
	return hex.EncodeToString(h.Sum(nil))
}
