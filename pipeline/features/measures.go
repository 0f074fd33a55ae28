package features

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"icebox/cache"
	"icebox/extract"
)

// What was measured of the pictures of a space lies in the cache in documents called
// "quality/<space>/<number>", which go with the space when it is dropped. A document is a
// byte of version and up to measuresPerDoc entries of measuresBytes each. They are little
// endian: the first 8 bytes of the content's hash, width and height (4 bytes each), the two
// percentiles of brightness and whether it is grey (a byte each), entropy, edges and spread
// (2 bytes each). Of two entries of one content the later one holds. A document is put before
// the rows that it belongs to, so that each commit that takes the rows takes it, too.
const (
	measuresPrefix  = "quality/"
	measuresVersion = 1
	measuresBytes   = 25
	measuresPerDoc  = 2048
)

// measuresKey is the beginning of a content's hash.
func measuresKey(k cache.Key) uint64 { return binary.LittleEndian.Uint64(k[:8]) }

func appendMeasures(doc []byte, k cache.Key, m extract.Measures) []byte {
	le := binary.LittleEndian
	grey := byte(0)
	if m.Grey {
		grey = 1
	}
	doc = append(doc, k[:8]...)
	doc = le.AppendUint32(le.AppendUint32(doc, uint32(m.Width)), uint32(m.Height))
	doc = append(doc, m.Bright99, m.Bright5, grey)
	return le.AppendUint16(le.AppendUint16(le.AppendUint16(doc, m.Entropy), m.Edges), m.Spread)
}

// readMeasures adds the entries of a document to all. A document of a newer version has none.
func readMeasures(all map[uint64]extract.Measures, name string, doc []byte) error {
	if len(doc) == 0 || doc[0] == measuresVersion && (len(doc)-1)%measuresBytes != 0 {
		return fmt.Errorf("%w: document %s of %d bytes", cache.ErrCorrupt, name, len(doc))
	}
	if doc[0] != measuresVersion {
		return nil
	}
	for e := range slices.Chunk(doc[1:], measuresBytes) {
		all[binary.LittleEndian.Uint64(e)] = parseMeasures(e)
	}
	return nil
}

// parseMeasures reads an entry.
func parseMeasures(e []byte) extract.Measures {
	le := binary.LittleEndian
	return extract.Measures{
		Width: int(le.Uint32(e[8:])), Height: int(le.Uint32(e[12:])), Bright99: e[16], Bright5: e[17], Grey: e[18] != 0,
		Entropy: le.Uint16(e[19:]), Edges: le.Uint16(e[21:]), Spread: le.Uint16(e[23:]),
	}
}

// loadMeasures reads what is known of the pictures of a space, by [measuresKey]. The error
// names documents that cannot be read; what others say is there all the same.
func loadMeasures(s *Store, space string) (map[uint64]extract.Measures, error) {
	all := map[uint64]extract.Measures{}
	var errs []error
	for _, name := range slices.Sorted(slices.Values(s.Docs(measuresOf(space)))) {
		doc, err := s.Doc(name)
		if err == nil {
			err = readMeasures(all, name, doc)
		}
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}

func measuresOf(space string) string { return measuresPrefix + space + "/" }

// measuring keeps what is measured of pictures while their rows are computed.
type measuring struct {
	mu     sync.Mutex
	prefix string
	number int    // of doc
	doc    []byte // that is being filled
}

// openMeasuring goes on with the last document of a space, if there is room in it.
func openMeasuring(s *Store, space string) *measuring {
	m := &measuring{prefix: measuresOf(space)}
	names := s.Docs(m.prefix)
	if len(names) == 0 {
		m.doc = []byte{measuresVersion}
		return m
	}
	last := slices.Max(names)
	if _, err := fmt.Sscanf(strings.TrimPrefix(last, m.prefix), "%d", &m.number); err != nil {
		m.number = len(names)
	}
	doc, err := s.Doc(last)
	if err == nil {
		err = readMeasures(map[uint64]extract.Measures{}, last, doc)
	}
	if err != nil || doc[0] != measuresVersion {
		m.next() // what cannot be read stays as it is
		return m
	}
	m.doc = slices.Clone(doc)
	return m
}

func (m *measuring) next() { m.number, m.doc = m.number+1, []byte{measuresVersion} }

// put hands the writer what was measured of some contents.
func (m *measuring) put(w *cache.Writer, keys []cache.Key, traits []extract.Traits) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, k := range keys {
		if len(m.doc) >= 1+measuresPerDoc*measuresBytes {
			if err := m.flush(w); err != nil {
				return err
			}
			m.next()
		}
		m.doc = appendMeasures(m.doc, k, traits[n].Measures)
	}
	return m.flush(w)
}

// flush puts a copy: the writer keeps what it is given.
func (m *measuring) flush(w *cache.Writer) error {
	return w.PutDoc(fmt.Sprintf("%s%08d", m.prefix, m.number), slices.Clone(m.doc))
}

// Picture is what was measured of the picture of an item.
type Picture struct {
	Item int // of the dataset, by index
	extract.Measures
}

// Pictures lists the items that have a feature and whose pictures were measured, in the
// dataset's order, and counts those with a feature that were not, because an older version
// computed it or because a document cannot be read, which verification finds.
func (c *Cached) Pictures() (measured []Picture, without int) {
	known, _ := loadMeasures(c.store, c.space.ID)
	for i := range c.ds.Items {
		it := &c.ds.Items[i]
		if !it.Hashed() || !c.store.has(c.space.ID, it.Hash) {
			continue
		}
		if m, ok := known[measuresKey(it.Hash)]; ok {
			measured = append(measured, Picture{i, m})
		} else {
			without++
		}
	}
	return measured, without
}
