package cache

import "encoding/json"

// ledger is the account of what a file holds, rewritten by each commit. bbolt has no
// checksum on its pages; the ledger shows a block or document that went missing with
// one, or that an old page brought back.
type ledger struct {
	Next   uint64        `json:"next"` // the next sequence number
	Docs   tally         `json:"docs"`
	Spaces []ledgerSpace `json:"spaces"` // by ID
}

type ledgerSpace struct {
	Space
	Rows   int   `json:"rows"`
	Blocks tally `json:"blocks"`
}

// tally counts things and sums up which they are.
type tally struct {
	N   int    `json:"n"`
	Sum uint64 `json:"sum"` // of mark over all
}

func (t *tally) add(seq uint64, crc uint32) {
	t.N++
	t.Sum += mark(seq, crc)
}

func (t *tally) remove(seq uint64, crc uint32) {
	t.N--
	t.Sum -= mark(seq, crc)
}

// mark mixes a sequence number and a checksum (the finaliser of SplitMix64).
func mark(seq uint64, crc uint32) uint64 {
	x := seq<<32 ^ seq>>32 ^ uint64(crc)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// space returns the account of a space, nil if there is none.
func (l *ledger) space(id string) *ledgerSpace {
	for i := range l.Spaces {
		if l.Spaces[i].ID == id {
			return &l.Spaces[i]
		}
	}
	return nil
}

// clone returns a copy that can be changed.
func (l *ledger) clone() *ledger {
	c := *l
	c.Spaces = append([]ledgerSpace(nil), l.Spaces...)
	return &c
}

// takeSeq hands out a sequence number.
func (l *ledger) takeSeq() uint64 {
	l.Next++
	return l.Next - 1
}

func (l *ledger) encode() ([]byte, error) {
	data, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	d := document{seq: l.Next, name: ledgerName, data: data}
	return d.encode(), nil
}

func parseLedger(b []byte) (*ledger, error) {
	d, err := parseDocument(b)
	if err != nil {
		return nil, err
	}
	l := new(ledger)
	if err := json.Unmarshal(d.data, l); err != nil {
		return nil, corruptf("the ledger: %w", err)
	}
	for _, s := range l.Spaces {
		if err := s.validate(); err != nil {
			return nil, corruptf("the ledger: %w", err)
		}
	}
	return l, nil
}
