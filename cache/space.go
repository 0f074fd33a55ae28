package cache

import (
	"encoding/json"
	"fmt"
)

// Key is the SHA-256 of the content that a row was computed from.
type Key [32]byte

// DType is how the numbers of a row are stored.
type DType string

// The element types of stored rows. Float16 is IEEE 754 half precision; Lookup
// widens it.
const (
	Float32 DType = "float32"
	Float16 DType = "float16"
)

// dtypes are the codes of the element types in a block's header, and their sizes.
var dtypes = map[DType]struct{ code, size int }{
	Float32: {1, 4},
	Float16: {2, 2},
}

// size is the bytes of an element; 0 if the type is not known.
func (d DType) size() int { return dtypes[d].size }

// Space describes the rows that one function of content gives.
type Space struct {
	ID    string          `json:"id"` // fingerprint of the function; opaque
	DType DType           `json:"dtype"`
	Dim   int             `json:"dim"`            // numbers in a row
	Info  json.RawMessage `json:"info,omitempty"` // what the fingerprint is of, for people
}

// Producer says what computed the rows of a block.
type Producer struct {
	Engine  string `json:"engine"`
	ISA     string `json:"isa"`
	Plan    string `json:"plan"`
	Version int    `json:"version"`
}

const (
	maxName = 512     // bytes of a space's ID, a document's name or a producer
	maxDim  = 1 << 20 // numbers in a row
)

func (s Space) validate() error {
	switch {
	case s.ID == "" || len(s.ID) > maxName:
		return fmt.Errorf("space %.20q: the ID must have 1 to %d bytes", s.ID, maxName)
	case s.DType.size() == 0:
		return fmt.Errorf("space %.12s: dtype %q is not known: choose %s or %s", s.ID, s.DType, Float32, Float16)
	case s.Dim < 1 || s.Dim > maxDim:
		return fmt.Errorf("space %.12s: dimension %d must be from 1 to %d", s.ID, s.Dim, maxDim)
	case len(s.Info) > 0 && !json.Valid(s.Info):
		return fmt.Errorf("space %.12s: its info is not JSON", s.ID)
	}
	return nil
}

// rowBytes is the stored size of a row.
func (s Space) rowBytes() int { return s.Dim * s.DType.size() }

// sameShape reports ErrSpaceMismatch if t's rows are not stored as s's.
func (s Space) sameShape(t Space) error {
	if s.DType != t.DType || s.Dim != t.Dim {
		return fmt.Errorf("%w: space %.12s has rows of %d %s, not of %d %s", ErrSpaceMismatch, s.ID, s.Dim, s.DType, t.Dim, t.DType)
	}
	return nil
}
