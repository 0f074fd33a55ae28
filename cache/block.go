package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"unsafe"
)

// formatVersion is that of blocks, documents and the ledger together.
const formatVersion = 1

const (
	blockMagic   = "ICEBLOCK"
	blockFixed   = 40 // bytes before the space's ID
	keySize      = len(Key{})
	maxBlockRows = 1 << 16
	maxBlock     = 1 << 30

	// minValue is the least size of a value. bbolt moves a bucket of less than a
	// quarter page into its parent's page, where every commit would move it on.
	minValue = 1024
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// blockHead is what a block says of itself before its rows.
type blockHead struct {
	seq      uint64
	space    string
	dtype    DType
	dim      int
	producer Producer
	keys     []Key
	size     int    // bytes before the rows
	crc      uint32 // of those bytes
}

func (h *blockHead) rowBytes() int { return h.dim * h.dtype.size() }

// blockSize is the size of the whole block.
func (h *blockHead) blockSize() int {
	return max(minValue, h.size+len(h.keys)*h.rowBytes()+4)
}

// encode lays out a block with the given stored rows, and sets h.size and h.crc.
func (h *blockHead) encode(rows []byte) ([]byte, error) {
	producer, err := json.Marshal(h.producer)
	if err != nil {
		return nil, err
	}
	named := align8(blockFixed + len(h.space) + len(producer))
	h.size = named + len(h.keys)*keySize + 8
	b := make([]byte, h.blockSize())
	le := binary.LittleEndian
	copy(b, blockMagic)
	le.PutUint32(b[8:], formatVersion)
	le.PutUint32(b[12:], uint32(h.size))
	le.PutUint64(b[16:], h.seq)
	le.PutUint32(b[24:], uint32(len(h.keys)))
	le.PutUint32(b[28:], uint32(h.dim))
	le.PutUint16(b[32:], uint16(dtypes[h.dtype].code))
	le.PutUint16(b[34:], uint16(len(h.space)))
	le.PutUint16(b[36:], uint16(len(producer)))
	copy(b[blockFixed:], h.space)
	copy(b[blockFixed+len(h.space):], producer)
	copy(b[named:], keyBytes(h.keys))
	h.crc = checksum(b[:h.size-8])
	le.PutUint32(b[h.size-8:], h.crc)
	copy(b[h.size:], rows)
	le.PutUint32(b[len(b)-4:], checksum(b[:len(b)-4]))
	return b, nil
}

// blockHeadSize reads from the first blockFixed bytes how long the head is; it is
// less than size, the block's.
func blockHeadSize(b []byte, size int64) (int, error) {
	if len(b) < blockFixed || string(b[:8]) != blockMagic {
		return 0, corruptf("no block is where one should be")
	}
	n := int64(binary.LittleEndian.Uint32(b[12:]))
	if n < blockFixed+8 || n%8 != 0 || n >= size {
		return 0, corruptf("the block's head is said to have %d of %d bytes", n, size)
	}
	return int(n), nil
}

// parseHead reads the head of a block of the given size; b is exactly the head.
func parseHead(b []byte, size int64) (*blockHead, error) {
	n, err := blockHeadSize(b, size)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if n != len(b) || le.Uint32(b[n-8:]) != checksum(b[:n-8]) || le.Uint32(b[n-4:]) != 0 {
		return nil, corruptf("checksum of the block's keys differs")
	}
	if v := le.Uint32(b[8:]); v != formatVersion {
		return nil, newer("block", v)
	}
	space, producer, rows := int(le.Uint16(b[34:])), int(le.Uint16(b[36:])), int64(le.Uint32(b[24:]))
	named := align8(blockFixed + space + producer)
	if rows == 0 || rows > maxBlockRows || int64(named)+rows*int64(keySize)+8 != int64(n) {
		return nil, corruptf("a block's head of %d bytes cannot hold %d keys", n, rows)
	}
	h := &blockHead{
		seq:   le.Uint64(b[16:]),
		space: string(b[blockFixed : blockFixed+space]),
		dim:   int(le.Uint32(b[28:])),
		keys:  make([]Key, rows),
		size:  n,
		crc:   le.Uint32(b[n-8:]),
	}
	for d, t := range dtypes {
		if t.code == int(le.Uint16(b[32:])) {
			h.dtype = d
		}
	}
	copy(keyBytes(h.keys), b[named:n-8])
	if err := json.Unmarshal(b[blockFixed+space:blockFixed+space+producer], &h.producer); err != nil {
		return nil, corruptf("the block's producer: %w", err)
	}
	if h.dtype == "" || h.dim < 1 || h.dim > maxDim || int64(h.blockSize()) != size {
		return nil, corruptf("a block of %d bytes cannot hold %d rows of %d %s", size, rows, h.dim, h.dtype)
	}
	return h, nil
}

// blockRows checks a whole block and returns its rows, a part of b.
func blockRows(b []byte, h *blockHead) ([]byte, error) {
	n := len(b) - 4
	switch {
	case len(b) != h.blockSize():
		return nil, corruptf("the block has %d bytes, not %d", len(b), h.blockSize())
	case binary.LittleEndian.Uint32(b[n:]) != checksum(b[:n]):
		return nil, corruptf("the block's checksum differs")
	case binary.LittleEndian.Uint32(b[h.size-8:]) != h.crc || !bytes.Equal(b[:8], []byte(blockMagic)):
		return nil, corruptf("another block is in its place")
	}
	return b[h.size : h.size+len(h.keys)*h.rowBytes()], nil
}

func newer(what string, version uint32) error {
	return fmt.Errorf("%w: %s of format %d, this program reads %d", ErrNewer, what, version, formatVersion)
}

func align8(n int) int { return (n + 7) &^ 7 }

// keyBytes is the memory of keys.
func keyBytes(keys []Key) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(keys))), len(keys)*keySize)
}
