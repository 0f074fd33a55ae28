package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// placed is a tensor and the bytes of the buffer that the header gives it.
type placed struct {
	tensor
	begin, end uint64
}

// parseSafetensors reads a whole .safetensors file. Its tensors alias data.
func parseSafetensors(data []byte) ([]tensor, error) {
	if len(data) < 8 {
		return nil, malformed("%d bytes are too few for a safetensors header length", len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	rest := data[8:]
	switch {
	case length > maxHeader:
		return nil, malformed("safetensors header of %d bytes (limit %d)", length, maxHeader)
	case length > uint64(len(rest)):
		return nil, malformed("safetensors header of %d bytes in a file of %d: the file is cut short", length, len(data))
	case !utf8.Valid(rest[:length]):
		return nil, malformed("safetensors header is not UTF-8")
	}
	header := json.NewDecoder(bytes.NewReader(rest[:length]))
	header.UseNumber()
	list, err := readHeader(header)
	if err != nil {
		return nil, malformed("safetensors header: %w", err)
	}
	return place(list, rest[length:])
}

func readHeader(header *json.Decoder) ([]placed, error) {
	var list []placed
	err := eachField(header, func(name string) error {
		if name == "__metadata__" {
			return skipMetadata(header)
		}
		p, err := readEntry(header, name)
		list = append(list, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	if _, err := header.Token(); err != io.EOF {
		return nil, errors.New("text after its object")
	}
	if len(list) == 0 {
		return nil, errors.New("it names no tensor")
	}
	return list, nil
}

// eachField reads an object and calls value after each key, to read its value.
func eachField(d *json.Decoder, value func(key string) error) error {
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("there is %v where an object should be", open)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder accepts nothing else before a value
		if seen[key] {
			return fmt.Errorf("%q appears twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	return nil
}

func skipMetadata(d *json.Decoder) error {
	return eachField(d, func(key string) error {
		var v any
		if err := d.Decode(&v); err != nil {
			return err
		}
		if _, ok := v.(string); !ok {
			return fmt.Errorf("__metadata__ %q is not a string", key)
		}
		return nil
	})
}

func readEntry(d *json.Decoder, name string) (p placed, err error) {
	p.name = name
	var hasType bool
	var shape, offsets []uint64
	err = eachField(d, func(key string) (err error) {
		switch key {
		case "dtype":
			hasType = true
			var v any
			err = d.Decode(&v)
			s, _ := v.(string)
			p.dtype = dtype(s)
		case "shape":
			shape, err = naturals(d)
		case "data_offsets":
			offsets, err = naturals(d)
		default:
			err = fmt.Errorf("unknown field %q", key)
		}
		return err
	})
	switch {
	case err != nil:
		return p, fmt.Errorf("tensor %q: %w", name, err)
	case !hasType || shape == nil || offsets == nil:
		return p, fmt.Errorf("tensor %q lacks its dtype, shape or data_offsets", name)
	case p.dtype.size() == 0:
		return p, fmt.Errorf("tensor %q: unknown dtype %q", name, string(p.dtype))
	case len(offsets) != 2:
		return p, fmt.Errorf("tensor %q has %d data_offsets, not 2", name, len(offsets))
	}
	p.begin, p.end = offsets[0], offsets[1]
	p.shape = make([]int, len(shape))
	for i, n := range shape {
		p.shape[i] = int(n)
	}
	return p, nil
}

// naturals reads an array of natural numbers; the result is never nil.
func naturals(d *json.Decoder) ([]uint64, error) {
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("there is %v where an array should be", v)
	}
	out := make([]uint64, len(list))
	for i, e := range list {
		number, ok := e.(json.Number)
		n, err := strconv.ParseUint(string(number), 10, strconv.IntSize-1)
		if !ok || err != nil {
			return nil, fmt.Errorf("there is %v where a natural number should be", e)
		}
		out[i] = n
	}
	return out, nil
}

// place gives each tensor its bytes: one after the other, without gap or overlap, and
// none may be left over.
func place(list []placed, buffer []byte) ([]tensor, error) {
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	out := make([]tensor, len(list))
	at := uint64(0)
	for i, p := range list {
		n, ok := elements(p.shape)
		size := p.dtype.size()
		switch {
		case p.begin < at:
			return nil, malformed("tensor %q overlaps the one before it (bytes %d to %d, free from %d)", p.name, p.begin, p.end, at)
		case p.begin > at:
			return nil, malformed("bytes %d to %d before tensor %q belong to no tensor", at, p.begin, p.name)
		case p.end < p.begin || p.end > uint64(len(buffer)):
			return nil, malformed("tensor %q: bytes %d to %d of %d: the file is cut short or damaged", p.name, p.begin, p.end, len(buffer))
		case !ok || n > maxFile || uint64(n*size) != p.end-p.begin:
			return nil, malformed("tensor %q: shape %v of %s does not fill bytes %d to %d", p.name, p.shape, p.dtype, p.begin, p.end)
		}
		p.storage = buffer[p.begin:p.end:p.end]
		out[i] = p.tensor
		at = p.end
	}
	if at != uint64(len(buffer)) {
		return nil, malformed("%d bytes after the last tensor belong to none", uint64(len(buffer))-at)
	}
	return out, nil
}
