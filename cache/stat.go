package cache

import (
	"cmp"
	"os"
	"slices"
)

// SpaceStat says how much of a space there is.
type SpaceStat struct {
	Space
	Rows   int   `json:"rows"`
	Blocks int   `json:"blocks"`
	Bytes  int64 `json:"bytes"` // of its blocks

	Producers []ProducerStat `json:"producers"` // who computed most first
}

// ProducerStat says how much of a space a producer computed.
type ProducerStat struct {
	Producer
	Rows   int `json:"rows"`
	Blocks int `json:"blocks"`
}

// producers counts the rows of blocks by producer.
func producers(blocks []block) []ProducerStat {
	list := []ProducerStat{}
	for _, b := range blocks {
		i := slices.IndexFunc(list, func(p ProducerStat) bool { return p.Producer == b.producer })
		if i < 0 {
			i, list = len(list), append(list, ProducerStat{Producer: b.producer})
		}
		list[i].Rows += len(b.keys)
		list[i].Blocks++
	}
	slices.SortStableFunc(list, func(a, b ProducerStat) int { return cmp.Compare(b.Rows, a.Rows) })
	return list
}

// Stat says what a cache file holds.
type Stat struct {
	FileBytes int64       `json:"file_bytes"`
	RawBytes  int64       `json:"raw_bytes"` // of the rows' numbers alone, as they are stored
	DocBytes  int64       `json:"doc_bytes"`
	Docs      int         `json:"docs"`
	FreeBytes int64       `json:"free_bytes"` // pages that the next commits use; Compact drops them
	Recovered string      `json:"recovered,omitempty"`
	Spaces    []SpaceStat `json:"spaces"`
}

// Spaces returns the spaces by ID.
func (c *Cache) Spaces() []SpaceStat {
	c.mu.RLock()
	defer c.mu.RUnlock()
	stats := []SpaceStat{}
	if c.closed {
		return stats
	}
	for _, id := range c.state.spaceIDs() {
		x := c.state.spaces[id]
		stats = append(stats, SpaceStat{x.Space, x.rows, len(x.blocks), x.bytes(), producers(x.blocks)})
	}
	return stats
}

// Recovered returns why an older commit of the file is in use than was the last: one
// of its two roots is damaged, by a power cut or later. It is nil otherwise. At most
// the last commit is missing, and the next one repairs the root.
func (c *Cache) Recovered() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.state.recovered
}

// Stat measures the file.
func (c *Cache) Stat() (Stat, error) {
	st := Stat{}
	err := c.read(func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		st.FileBytes = info.Size()
		return nil
	})
	if err != nil {
		return Stat{}, err
	}
	st.Spaces = c.Spaces()
	for _, s := range st.Spaces {
		st.RawBytes += int64(s.Rows) * int64(s.rowBytes())
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range c.state.docs {
		st.DocBytes += d.size
	}
	st.Docs = len(c.state.docs)
	st.FreeBytes = int64(c.state.free) * c.state.pageSize
	if c.state.recovered != nil {
		st.Recovered = c.state.recovered.Error()
	}
	return st, nil
}
