package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// encodeSafetensors writes the widest elements first, so that all are aligned.
func encodeSafetensors(w io.Writer, tensors []tensor) error {
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b tensor) int {
		return cmp.Or(cmp.Compare(b.dtype.size(), a.dtype.size()), cmp.Compare(a.name, b.name))
	})
	header := []byte(`{"__metadata__":{"format":"pt"}`)
	at := 0
	for _, t := range sorted {
		name, err := json.Marshal(t.name)
		if err != nil {
			return err
		}
		shape, err := json.Marshal(append([]int{}, t.shape...)) // never null
		if err != nil {
			return err
		}
		n, _ := elements(t.shape)
		end := at + n*t.dtype.size()
		header = fmt.Appendf(header, `,%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, t.dtype, shape, at, end)
		at = end
	}
	header = append(header, '}')
	header = append(header, bytes.Repeat([]byte{' '}, -len(header)&7)...)
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range sorted {
		if _, err := w.Write(t.bytes()); err != nil {
			return err
		}
	}
	return nil
}
