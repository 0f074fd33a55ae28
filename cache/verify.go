package cache

import (
	"errors"
	"io"
)

// Fault is a damage and where it is.
type Fault struct {
	Where string `json:"where"` // "space 1f0c…, block 17", "document gate", "meta", …
	What  string `json:"what"`
}

func (f Fault) String() string { return f.Where + ": " + f.What }

// Report is what Verify found.
type Report struct {
	Spaces int     `json:"spaces"`
	Blocks int     `json:"blocks"`
	Rows   int     `json:"rows"`
	Docs   int     `json:"docs"`
	Faults []Fault `json:"faults"`
}

// OK reports whether the file is sound.
func (r Report) OK() bool { return len(r.Faults) == 0 }

func (r *Report) note(where string, err error) error {
	r.Faults = append(r.Faults, Fault{where, err.Error()})
	return nil
}

// Verify reads a whole cache file and checks both meta pages, every page of the tree
// and of the list of free pages, every block and every document. Damage is in the
// report; the error says why there is none (no such file, not a cache, a newer one).
func Verify(path string) (Report, error) {
	r := Report{Faults: []Fault{}}
	f, err := openShared(path, Options{}.withDefaults().LockWait)
	if err != nil {
		return r, inFile(path, err)
	}
	defer f.Close()
	s, err := load(f, nil, r.note)
	switch {
	case errors.Is(err, ErrCorrupt):
		return r, r.note("file", err)
	case err != nil:
		return r, inFile(path, err)
	}
	if s.recovered != nil {
		r.Faults = append(r.Faults, Fault{"meta", s.recovered.Error()})
	}
	r.checkValues(f, s)
	return r, nil
}

// checkValues reads every block and document.
func (r *Report) checkValues(f io.ReaderAt, s *state) {
	var buf []byte
	for _, id := range s.spaceIDs() {
		x := s.spaces[id]
		r.Spaces++
		r.Rows += x.rows
		for _, b := range x.blocks {
			r.Blocks++
			if _, err := b.readRows(f, &buf); err != nil {
				r.note("space "+short([]byte(id))+", block "+seqName(seqKey(b.seq)), err)
			}
		}
	}
	for name, ref := range s.docs {
		r.Docs++
		if _, err := ref.read(f, name); err != nil {
			r.note("document "+name, err)
		}
	}
}
