package weights

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
)

// The formats of weights files.
const (
	FormatPTH         = "pth"
	FormatSafetensors = "safetensors"
)

const (
	maxFile   = 1 << 30  // bytes; the file of resnet18 has 47 MB
	maxHeader = 16 << 20 // bytes of data.pkl or of the JSON header
)

// file is a parsed weights file. Its tensors may alias data.
type file struct {
	path    string
	format  string
	data    []byte
	unmap   func() error
	tensors []tensor
	sums    []checksum
}

// checksum is a CRC that some bytes of a file must have.
type checksum struct {
	entry string
	data  []byte
	crc   uint32 // 0 for none: torch.save can be told to leave them out
}

func (c checksum) verify() error {
	if got := crc32.ChecksumIEEE(c.data); got != c.crc && c.crc != 0 {
		return malformed("damaged: entry %s has CRC %08x, recorded is %08x; get the file again", c.entry, got, c.crc)
	}
	return nil
}

// openFile maps and parses the file at path. The tensors have sound names, types
// and bounds, but their bytes have not been looked at.
func openFile(path string) (*file, error) {
	f, err := mapPath(path)
	if err != nil {
		return nil, err
	}
	if err := guarded(f.parse); err != nil {
		f.close()
		return nil, fmt.Errorf("weights %s: %w", path, err)
	}
	return f, nil
}

func mapPath(path string) (*file, error) {
	info, err := os.Stat(path) // before opening it: to open a pipe waits for its writer
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("weights %s: %w", path, malformed("not a regular file"))
	case info.Size() == 0:
		return nil, fmt.Errorf("weights %s: %w", path, malformed("the file is empty"))
	case info.Size() > maxFile:
		return nil, fmt.Errorf("weights %s: %w", path, malformed("%d bytes are too many for resnet18 (limit %d)", info.Size(), maxFile))
	}
	handle, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	defer handle.Close()
	data, unmap, err := mapFile(handle, int(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	return &file{path: path, data: data, unmap: unmap}, nil
}

func (f *file) close() error { return f.unmap() }

// parse reads the names and places of the tensors.
func (f *file) parse() (err error) {
	switch {
	case bytes.HasPrefix(f.data, []byte("PK\x03\x04")):
		f.format = FormatPTH
		f.tensors, f.sums, err = parsePTH(f.data)
	case len(f.data) > 8 && f.data[8] == '{':
		f.format = FormatSafetensors
		f.tensors, err = parseSafetensors(f.data)
	default:
		err = malformed("%s", describe(f.data))
	}
	if err == nil {
		f.tensors = withoutPrefix(f.tensors)
	}
	return err
}

// describe says what a file seems to be that has neither format, and how to get one
// that has.
func describe(data []byte) string {
	known := [...]struct{ magic, words string }{
		{"\x80", "a plain pickle, as PyTorch wrote before 1.6: save it again with a newer one, torch.save(torch.load(old, weights_only=True), new)"},
		{"version https://git-lfs", "a Git LFS pointer, not the file itself, which git lfs pull gets"},
		{"<", "a web page, not weights: download the file again"},
		{"\x89HDF", "an HDF5 file, as Keras writes: its weights are not torchvision's"},
	}
	for _, k := range known {
		if bytes.HasPrefix(data, []byte(k.magic)) {
			return k.words
		}
	}
	if len(data) > 262 && string(data[257:262]) == "ustar" {
		return "a tar archive, as PyTorch wrote before 0.2: save it again with a newer one, torch.save(torch.load(old, weights_only=True), new)"
	}
	return "neither a .pth (zip) nor a .safetensors"
}

// withoutPrefix takes off the "module." that DataParallel puts before every name.
func withoutPrefix(tensors []tensor) []tensor {
	const prefix = "module."
	for _, t := range tensors {
		if !strings.HasPrefix(t.name, prefix) {
			return tensors
		}
	}
	for i := range tensors {
		tensors[i].name = strings.TrimPrefix(tensors[i].name, prefix)
	}
	return tensors
}

// verify compares the checksums that the format keeps.
func (f *file) verify() error {
	for _, s := range f.sums {
		if err := s.verify(); err != nil {
			return err
		}
	}
	return nil
}
