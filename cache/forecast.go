package cache

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Forecast says what [Compact] would do.
type Forecast struct {
	Before  int64   `json:"before"`  // bytes of the file
	After   int64   `json:"after"`   // of the new one, about
	Needs   int64   `json:"needs"`   // bytes of free disk that it takes, beside the old file
	Free    int64   `json:"free"`    // bytes of disk that are free; 0 where nobody knows
	Seconds float64 `json:"seconds"` // that it takes, by a sample that was copied
}

// freeDisk is diskFree but in tests.
var freeDisk = diskFree

// FreeDisk returns how many bytes this user may still write beside path; ok is false where
// nobody knows.
func FreeDisk(path string) (bytes int64, ok bool) { return freeDisk(path) }

// sampleBlocks is how many blocks a forecast copies.
const sampleBlocks = 64

// ForecastCompact says what Compact would do, and leaves the cache as it is. To know the time
// it copies a few blocks to a file of its own beside the cache, so no writer may be at work
// (ErrLocked). The error is ErrCorrupt for what Compact without Salvage refuses.
func ForecastCompact(path string, o Options) (fc Forecast, err error) {
	r := &rewrite{path: path, opts: o, gather: gatherState}
	release, err := r.begin()
	if err != nil {
		return fc, err
	}
	defer func() { err = errors.Join(err, release()) }()
	return fc, inFile(r.path, asFull(r.forecast(&fc)))
}

func (r *rewrite) forecast(fc *Forecast) error {
	f, err := openShared(r.path, r.opts.LockWait)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	from, err := r.gather(f)
	if err != nil {
		return err
	}
	fc.Before, fc.After = info.Size(), from.copied(r.opts.BlockRows)
	fc.Needs = fc.After
	fc.Free, _ = freeDisk(r.path)
	if fc.Free > 0 && fc.Free < fc.Needs/10 {
		return nil // a sample may be too much already
	}
	fc.Seconds, err = r.sample(f, from)
	return err
}

// sample copies some of the blocks, and returns how many seconds all of them would take.
func (r *rewrite) sample(f *os.File, from *contents) (seconds float64, err error) {
	few := *from
	few.docs, few.rows = map[string]docRef{}, map[string]int{}
	if n := len(from.blocks); n > sampleBlocks {
		few.blocks = nil
		for i := range sampleBlocks {
			few.blocks = append(few.blocks, from.blocks[i*n/sampleBlocks])
		}
	}
	size := func(blocks []block) (n int64) {
		for _, b := range blocks {
			n += b.length
		}
		return n
	}
	tmp := makingPath(r.path)
	defer func() { err = errors.Join(err, remove(tmp)) }()
	begin := time.Now()
	err = writeEmpty(tmp, few.next, 0o600)
	if err == nil {
		err = r.fill(tmp, f, &few)
	}
	if err == nil {
		_, err = finish(tmp)
	}
	if err == nil {
		_, err = checkCopy(tmp)
	}
	spent := time.Since(begin).Seconds()
	if part := size(few.blocks); part > 0 {
		spent *= float64(size(from.blocks)) / float64(part)
	}
	return spent, err
}

// copied is how many bytes a file takes that has the rows and documents of c and nothing
// else, about: it is not told less than by some pages.
func (c *contents) copied(blockRows int) int64 {
	type maker struct {
		space    string
		producer Producer
	}
	rows, head := map[maker]int{}, map[maker]int{}
	for _, b := range c.blocks {
		m := maker{b.space, b.producer}
		rows[m] += len(b.keys)
		head[m] = b.size - len(b.keys)*keySize
	}
	paged := func(value int) int64 { return int64(valueAt+value+pageSize-1) / pageSize * pageSize }
	total, values := int64(0), 0
	for _, s := range c.spaces {
		limit := s.fullBlock(blockRows)
		for m, n := range rows {
			if m.space != s.ID {
				continue
			}
			one := func(n int) int64 { return paged(max(minValue, head[m]+n*(keySize+s.rowBytes())+4)) }
			total += int64(n/limit)*one(limit) + one(n%limit)
			values += n/limit + 1
		}
	}
	for _, d := range c.docs {
		total += paged(int(d.size))
		values++
	}
	const perValue, fixed = 2 * (elementSize + 8 + bucketSize), 16 * pageSize // half-full pages of the tree
	return total + int64(values*perValue+fixed)
}

// checkRoom refuses to begin a copy that the disk has no room for.
func (r *rewrite) checkRoom(from *contents) error {
	free, known := freeDisk(r.path)
	if need := from.copied(r.opts.BlockRows); known && need > free {
		return fmt.Errorf("%w: the copy takes %d MB beside the old file, and %d MB are free; nothing was changed", ErrFull, need/1e6+1, free/1e6)
	}
	return nil
}
