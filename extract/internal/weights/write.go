package weights

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// WriteSafetensors writes s to a new file.
func WriteSafetensors(path string, s *Set) error {
	return writeNew(path, s.tensors, encodeSafetensors)
}

// WritePTH writes s to a new file, as torch.save does.
func WritePTH(path string, s *Set) error {
	return writeNew(path, s.tensors, encodePTH)
}

// Convert writes the weights of the file src to the new file dst, whose ending,
// .pth or .safetensors, names the format. Its head and its batch norm counters are
// kept, and its hash stays the same.
func Convert(src, dst string) error {
	encode, err := encoderFor(dst)
	if err != nil {
		return err
	}
	f, err := openFile(src)
	if err != nil {
		return err
	}
	s, err := f.set()
	if err != nil {
		f.close()
		return fmt.Errorf("weights %s: %w", src, err)
	}
	defer s.Close()
	all := slices.Clone(s.tensors)
	for _, t := range f.tensors {
		if ignored(t.name) {
			all = append(all, t)
		}
	}
	return writeNew(dst, all, encode)
}

// encoder writes tensors in one format.
type encoder func(w io.Writer, tensors []tensor) error

func encoderFor(path string) (encoder, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".pth", ".pt":
		return encodePTH, nil
	case ".safetensors":
		return encodeSafetensors, nil
	default:
		return nil, fmt.Errorf("weights %s: the ending %q names no format: use .pth or .safetensors", path, ext)
	}
}

// writeNew writes a file that must not exist yet; it appears whole or not at all.
func writeNew(path string, tensors []tensor, encode encoder) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("weights %s: %w: it is not overwritten", path, fs.ErrExist)
	}
	temp, err := createAnew(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."))
	if err != nil {
		return fmt.Errorf("weights %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			temp.Close()
			os.Remove(temp.Name())
			err = fmt.Errorf("weights %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(temp, 1<<20)
	err = guarded(func() error { return encode(w, tensors) })
	if err := errors.Join(err, w.Flush()); err != nil {
		return err
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// createAnew makes a file of a name of its own that begins with prefix, with the permissions
// that new files get.
func createAnew(prefix string) (*os.File, error) {
	return os.OpenFile(fmt.Sprintf("%s%x", prefix, rand.Uint64()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}
