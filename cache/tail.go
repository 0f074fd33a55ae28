package cache

import (
	"os"
	"slices"
)

// tail is the block of a space that rows are being added to. It is committed again
// and again as it grows, each time in the place of its shorter self: so there is
// never more than one short block of a space and producer, even after a crash, and
// the pages it frees are the ones that the next short block needs.
type tail struct {
	space    Space
	producer Producer
	limit    int // rows of a full block
	keys     []Key
	rows     []byte
	stored   int    // rows that are committed
	seq      uint64 // of the block that holds them; 0: none
}

func (t *tail) full() bool  { return len(t.keys) >= t.limit }
func (t *tail) dirty() bool { return len(t.keys) > t.stored }

// pending is the tail as it is now. Rows added later do not change it.
func (t *tail) pending() *newBlock {
	n := len(t.keys)
	return &newBlock{
		space: t.space, producer: t.producer, replaces: t.seq,
		keys: t.keys[:n:n], rows: t.rows[:len(t.rows):len(t.rows)],
	}
}

// committed notes that b, made by pending, is on the disk.
func (t *tail) committed(b *newBlock) {
	t.stored, t.seq = len(b.keys), b.head.seq
}

// fullBlock is how many rows a full block of s has.
func (s Space) fullBlock(blockRows int) int { return max(1, min(blockRows, maxBlock/s.rowBytes())) }

// newTail begins an empty tail.
func newTail(s Space, p Producer, blockRows int) *tail {
	limit := s.fullBlock(blockRows)
	return &tail{space: s, producer: p, limit: limit, keys: make([]Key, 0, limit), rows: make([]byte, 0, limit*s.rowBytes())}
}

// adoptTail goes on with the short block that the space's last writer left, if there
// is one and it is sound.
func (c *Cache) adoptTail(s Space, p Producer) (*tail, error) {
	t := newTail(s, p, c.opts.BlockRows)
	err := c.read(func(f *os.File) error {
		c.mu.RLock()
		defer c.mu.RUnlock()
		x := c.state.spaces[s.ID]
		if x == nil {
			return nil
		}
		i := slices.IndexFunc(x.blocks, func(b block) bool { return b.producer == p && len(b.keys) < t.limit })
		if i < 0 {
			return nil
		}
		b, buf := x.blocks[i], []byte(nil)
		rows, err := b.readRows(f, &buf)
		if err != nil {
			return nil // it stays as it is; who reads it is told
		}
		t.keys, t.rows = append(t.keys, b.keys...), append(t.rows, rows...)
		t.stored, t.seq = len(b.keys), b.seq
		return nil
	})
	return t, err
}
