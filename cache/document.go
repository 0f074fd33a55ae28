package cache

import (
	"encoding/binary"
	"fmt"
)

const (
	docMagic = "ICEDOCUM"
	docFixed = 32 // bytes before the document's name
	maxDoc   = 1 << 30
)

// document is a named piece of data with a checksum. Every version of it has a
// sequence number of its own.
type document struct {
	seq  uint64
	name string
	data []byte
}

// encode lays the document out.
func (d *document) encode() []byte {
	b := make([]byte, max(minValue, docFixed+len(d.name)+len(d.data)+4))
	le := binary.LittleEndian
	copy(b, docMagic)
	le.PutUint32(b[8:], formatVersion)
	le.PutUint32(b[12:], uint32(len(d.name)))
	le.PutUint64(b[16:], d.seq)
	le.PutUint64(b[24:], uint64(len(d.data)))
	copy(b[docFixed:], d.name)
	copy(b[docFixed+len(d.name):], d.data)
	le.PutUint32(b[len(b)-4:], checksum(b[:len(b)-4]))
	return b
}

// crcOf is the checksum that an encoded document ends with.
func crcOf(b []byte) uint32 { return binary.LittleEndian.Uint32(b[len(b)-4:]) }

// parseDocument reads an encoded document; its data is a part of b. The checksum
// comes before the version: both stay where they are in later formats, so that
// damage does not pass for a new format.
func parseDocument(b []byte) (*document, error) {
	if len(b) < minValue || string(b[:8]) != docMagic {
		return nil, corruptf("no document is where one should be")
	}
	le := binary.LittleEndian
	if crcOf(b) != checksum(b[:len(b)-4]) {
		return nil, corruptf("the document's checksum differs")
	}
	if v := le.Uint32(b[8:]); v != formatVersion {
		return nil, newer("document", v)
	}
	name, data, room := uint64(le.Uint32(b[12:])), le.Uint64(b[24:]), uint64(len(b)-docFixed-4)
	if name > room || data > room-name {
		return nil, corruptf("a document of %d bytes cannot hold a name of %d and data of %d", len(b), name, data)
	}
	body := b[docFixed:]
	return &document{
		seq:  le.Uint64(b[16:]),
		name: string(body[:name]),
		data: body[name : name+data : name+data],
	}, nil
}

func validDocName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("document %.20q: the name must have 1 to %d bytes", name, maxName)
	}
	return nil
}
