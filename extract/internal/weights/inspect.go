package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Info describes a weights file to a person.
type Info struct {
	Path    string       `json:"path"`
	Format  string       `json:"format"`
	Bytes   int64        `json:"bytes"`
	SHA256  string       `json:"sha256"`            // of the file
	Hash    string       `json:"hash,omitempty"`    // of the tensors, if they are resnet18's
	Classes int          `json:"classes,omitempty"` // of the head that the file holds, 0 if it holds none
	Values  int          `json:"values"`            // in all tensors
	Problem string       `json:"problem,omitempty"` // why the tensors are not resnet18's
	Tensors []TensorInfo `json:"tensors"`           // in the order of the file
}

// TensorInfo describes a tensor of any type.
type TensorInfo struct {
	Name  string `json:"name"`
	DType string `json:"dtype"` // as safetensors names it: F32, I64, …
	Shape []int  `json:"shape"`
}

// Inspect describes the weights file at path. A sound file with other tensors than
// resnet18's is described too, and Problem says how they differ. A damaged file is
// ErrFormat.
func Inspect(path string) (Info, error) {
	f, err := openFile(path)
	if err != nil {
		return Info{}, err
	}
	defer f.close()
	info := Info{Path: path, Format: f.format, Bytes: int64(len(f.data))}
	for _, t := range f.tensors {
		info.Tensors = append(info.Tensors, TensorInfo{t.name, string(t.dtype), t.shape})
		n, _ := elements(t.shape)
		info.Values += n
		if t.name == "fc.weight" && len(t.shape) == 2 {
			info.Classes = t.shape[0]
		}
	}
	err = guarded(func() error {
		sum := sha256.Sum256(f.data)
		info.SHA256 = hex.EncodeToString(sum[:])
		return nil
	})
	if err != nil {
		return Info{}, fmt.Errorf("weights %s: %w", path, err)
	}
	set, err := f.set()
	switch {
	case errors.Is(err, ErrFormat): // found out only when the values are read
		return Info{}, fmt.Errorf("weights %s: %w", path, err)
	case err != nil:
		info.Problem = err.Error()
	default:
		info.Hash = set.Hash()
	}
	return info, nil
}
