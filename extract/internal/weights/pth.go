package weights

import (
	"archive/zip"
	"bytes"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/types"
)

// maxEntries bounds the entries of a zip; resnet18 has 128.
const maxEntries = 1 << 16

// archive is the zip that torch.save writes, by the names below its one folder.
type archive struct {
	data    []byte
	entries map[string]*zip.File
}

// parsePTH reads a whole .pth. Its tensors and checksums alias data.
func parsePTH(data []byte) ([]tensor, []checksum, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, nil, err
	}
	if err := a.checkKind(); err != nil {
		return nil, nil, err
	}
	text, err := a.text("data.pkl")
	if err != nil {
		return nil, nil, err
	}
	if err := inspectPickle(text); err != nil {
		return nil, nil, err
	}
	root, err := unpickle(text)
	if err != nil {
		return nil, nil, err
	}
	dict, err := stateDict(root)
	if err != nil {
		return nil, nil, err
	}
	return a.tensors(dict)
}

func openArchive(data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, malformed("zip: %w: the file is cut short or damaged", err)
	}
	if len(z.File) > maxEntries {
		return nil, malformed("zip of %d entries (limit %d)", len(z.File), maxEntries)
	}
	i := slices.IndexFunc(z.File, func(f *zip.File) bool {
		folder, found := strings.CutSuffix(f.Name, "/data.pkl")
		return found && !strings.Contains(folder, "/")
	})
	if i < 0 {
		return nil, malformed("a zip without data.pkl: not what torch.save writes")
	}
	folder := strings.TrimSuffix(z.File[i].Name, "data.pkl")
	a := &archive{data: data, entries: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		name, inside := strings.CutPrefix(f.Name, folder)
		if !inside {
			continue
		}
		if a.entries[name] != nil {
			return nil, malformed("zip has the entry %q twice", f.Name)
		}
		a.entries[name] = f
	}
	return a, nil
}

// checkKind refuses what is not a little-endian state dict.
func (a *archive) checkKind() error {
	if a.entries["constants.pkl"] != nil {
		return malformed("a TorchScript archive: save its tensors with torch.save(torch.jit.load(path).state_dict(), new)")
	}
	if a.entries["byteorder"] == nil {
		return nil
	}
	order, err := a.text("byteorder")
	if err == nil && string(order) != "little" {
		err = malformed("byte order is %.20q: save it again on a little-endian machine", order)
	}
	return err
}

// bytes returns the stored bytes of an entry, in place.
func (a *archive) bytes(name string) ([]byte, error) {
	f := a.entries[name]
	if f == nil {
		return nil, malformed("zip has no entry %q", name)
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return nil, malformed("zip entry %q is compressed, which torch.save never does", name)
	}
	begin, err := f.DataOffset()
	if err != nil {
		return nil, malformed("zip entry %q: %w", name, err)
	}
	size := uint64(len(a.data))
	if uint64(begin) > size || f.UncompressedSize64 > size-uint64(begin) {
		return nil, malformed("zip entry %q claims %d bytes, more than the file has", name, f.UncompressedSize64)
	}
	end := uint64(begin) + f.UncompressedSize64
	return a.data[begin:end:end], nil
}

// text returns the bytes of an entry that is not a tensor's.
func (a *archive) text(name string) ([]byte, error) {
	data, err := a.bytes(name)
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxHeader:
		return nil, malformed("zip entry %q has %d bytes (limit %d)", name, len(data), maxHeader)
	}
	return data, checksum{name, data, a.entries[name].CRC32}.verify()
}

// tensors places the tensors of a state dict on their entries.
func (a *archive) tensors(dict []entry) ([]tensor, []checksum, error) {
	out := make([]tensor, 0, len(dict))
	storages := map[string][]byte{}
	var sums []checksum
	total := 0
	for _, e := range dict {
		s := e.ref.storage
		key := "data/" + s.key
		storage, known := storages[key]
		if !known {
			var err error
			if storage, err = a.bytes(key); err != nil {
				return nil, nil, err
			}
			storages[key] = storage
			sums = append(sums, checksum{key, storage, a.entries[key].CRC32})
		}
		if size := s.dtype.size(); len(storage)%size != 0 || len(storage)/size != s.elements {
			return nil, nil, malformed("tensor %q: entry %q has %d bytes, %d × %d are wanted", e.name, key, len(storage), s.elements, size)
		}
		t, err := tensor{e.name, s.dtype, e.ref.shape, storage, e.ref.offset, e.ref.strides}.view()
		if err != nil {
			return nil, nil, err
		}
		n, _ := elements(t.shape)
		if n > (4*len(a.data)-total)/s.dtype.size() { // repeated elements: a bomb of views
			return nil, nil, malformed("tensor %q: its elements are far more than the file holds", t.name)
		}
		total += n * s.dtype.size()
		out = append(out, t)
	}
	return out, sums, nil
}

// entry is a named tensor of a state dict.
type entry struct {
	name string
	ref  tensorRef
}

// wrappers are the keys under which training scripts keep a state dict.
var wrappers = [...]string{"state_dict", "model", "model_state_dict"}

// stateDict returns the tensors of root: a dict of tensors, or a dict that has one
// under a known key. It skips values that are not tensors.
func stateDict(root any) ([]entry, error) {
	const depth = 3
	for range depth {
		items, ok := dictItems(root)
		if !ok {
			return nil, malformed("data.pkl holds no dict of tensors: save model.state_dict(), not the model")
		}
		found, err := tensorItems(items)
		if len(found) > 0 || err != nil {
			return found, err
		}
		if root = unwrap(items); root == nil {
			break
		}
	}
	return nil, malformed("data.pkl holds a dict without tensors")
}

func unwrap(items []types.DictEntry) any {
	for _, w := range wrappers {
		for _, item := range items {
			if item.Key == w {
				return item.Value
			}
		}
	}
	return nil
}

func tensorItems(items []types.DictEntry) ([]entry, error) {
	var out []entry
	seen := map[string]bool{}
	for _, item := range items {
		ref, isTensor := item.Value.(tensorRef)
		if !isTensor {
			continue
		}
		name, isString := item.Key.(string)
		if !isString {
			return nil, malformed("data.pkl has a tensor whose name is no string")
		}
		if seen[name] {
			return nil, malformed("data.pkl has the tensor %q twice", name)
		}
		seen[name] = true
		out = append(out, entry{name, ref})
	}
	return out, nil
}

func dictItems(v any) ([]types.DictEntry, bool) {
	switch d := v.(type) {
	case *types.Dict:
		return *d, true
	case *types.OrderedDict:
		items := make([]types.DictEntry, 0, d.Len())
		for e := d.List.Front(); e != nil; e = e.Next() {
			item := e.Value.(*types.OrderedDictEntry)
			items = append(items, types.DictEntry{Key: item.Key, Value: item.Value})
		}
		return items, true
	}
	return nil, false
}
