package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	pageSize  = 4096
	allocSize = 64 << 10 // by which the file grows; bbolt's 16 MB would be most of a small cache
)

// change is what one commit does.
type change struct {
	blocks  []*newBlock
	docs    map[string][]byte // nil deletes
	removed []block           // of spaces that stay
	dropped []string          // spaces, with all their blocks
}

// newBlock is a block to be written.
type newBlock struct {
	space    Space
	producer Producer
	keys     []Key
	rows     []byte // as stored
	replaces uint64 // sequence number of the block whose rows are its first ones; 0: none

	head  *blockHead // set by the commit
	value []byte
	ref   block
}

// commit writes a change in one durable transaction and then lets the index know.
func (c *Cache) commit(ch change) error {
	c.io.Lock()
	defer c.io.Unlock()
	t := &transaction{was: c.state, noSync: c.noSync, ledger: c.state.ledger.clone(), change: ch, docRefs: map[string]docRef{}}
	err := t.prepare()
	if err == nil {
		err = guard(func() error { return t.run(c.path, c.opts.commitWait()) })
	}
	if err != nil {
		return inFile(c.path, asFull(err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.apply(c.state)
	return nil
}

// transaction is a commit under way.
type transaction struct {
	change
	was     *state
	noSync  bool
	ledger  *ledger
	docData map[string][]byte // encoded; nil deletes
	docRefs map[string]docRef
	info    os.FileInfo // after the commit
	txid    uint64
	free    int
}

// prepare encodes blocks, documents and the ledger that tells of them.
func (t *transaction) prepare() error {
	for _, b := range t.blocks {
		b.head = &blockHead{
			seq: t.ledger.takeSeq(), space: b.space.ID, dtype: b.space.DType, dim: b.space.Dim,
			producer: b.producer, keys: b.keys,
		}
		var err error
		if b.value, err = b.head.encode(b.rows); err != nil {
			return err
		}
		t.account(b)
	}
	for _, b := range t.removed {
		s := t.ledger.space(b.space)
		s.Rows -= len(b.keys)
		s.Blocks.remove(b.seq, b.crc)
	}
	t.ledger.Spaces = slices.DeleteFunc(t.ledger.Spaces, func(s ledgerSpace) bool { return slices.Contains(t.dropped, s.ID) })
	t.docData = map[string][]byte{}
	for name, data := range t.docs {
		if ref, ok := t.was.docs[name]; ok {
			t.ledger.Docs.remove(ref.seq, ref.crc)
		}
		if data == nil {
			t.docData[name] = nil
			continue
		}
		d := document{seq: t.ledger.takeSeq(), name: name, data: data}
		b := d.encode()
		t.docData[name] = b
		t.docRefs[name] = docRef{size: int64(len(b)), seq: d.seq, crc: crcOf(b)}
		t.ledger.Docs.add(d.seq, crcOf(b))
	}
	return nil
}

// account enters a block in the ledger.
func (t *transaction) account(b *newBlock) {
	s := t.ledger.space(b.space.ID)
	if s == nil {
		t.ledger.Spaces = append(t.ledger.Spaces, ledgerSpace{Space: b.space})
		slices.SortFunc(t.ledger.Spaces, func(a, b ledgerSpace) int { return strings.Compare(a.ID, b.ID) })
		s = t.ledger.space(b.space.ID)
	}
	if len(s.Info) == 0 {
		s.Info = b.space.Info
	}
	s.Rows += len(b.keys)
	s.Blocks.add(b.head.seq, b.head.crc)
	if b.replaces != 0 {
		x := t.was.spaces[b.space.ID]
		old := x.blocks[x.slot(b.replaces)]
		s.Rows -= len(old.keys)
		s.Blocks.remove(old.seq, old.crc)
	}
}

// run opens bbolt for as long as the commit takes.
func (t *transaction) run(path string, w *wait) error {
	file, db, err := openBolt(path, t.was.info, 0, w)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			abandon(file)
		}
	}()
	db.NoSync, db.NoGrowSync = t.noSync, t.noSync
	err = db.Update(t.write)
	if err == nil {
		err = db.View(t.locate)
	}
	if err == nil {
		stats := db.Stats()
		t.free = stats.FreePageN + stats.PendingPageN
		t.info, err = file.Stat()
	}
	done = true
	return errors.Join(err, db.Close())
}

// abandon frees a file in which bbolt has panicked, and which it can no longer close
// as it may hold its own locks. The mapping stays, until the process ends.
func abandon(f *os.File) {
	_ = unlock(f) // it is locked, or bbolt has closed it
	_ = f.Close()
}

// openBolt opens the file for writing and waits for its readers. It must be the one that
// was is of; if was is nil, it is made, with the permissions perm.
func openBolt(path string, was os.FileInfo, perm fs.FileMode, w *wait) (file *os.File, db *bbolt.DB, err error) {
	open := func(name string, flag int, perm os.FileMode) (*os.File, error) {
		flag &^= os.O_CREATE
		if was == nil && file == nil {
			flag |= os.O_CREATE | os.O_EXCL
		}
		f, err := openPlain(name, flag, perm)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err != nil || was != nil && !os.SameFile(info, was) {
			f.Close()
			return nil, errors.Join(errors.New("the file was replaced while it was written to"), err)
		}
		file = f
		return f, nil
	}
	defer func() {
		if db == nil && file != nil {
			abandon(file)
		}
	}()
	for {
		// bbolt's own wait cannot be interrupted: it is asked for a short one again and again.
		db, err = bbolt.Open(path, perm, &bbolt.Options{Timeout: 2 * lockPause, PageSize: pageSize, OpenFile: open})
		if !errors.Is(err, berrors.ErrTimeout) {
			break
		}
		if over, done := w.over(path + " is being read by other processes: waiting for them to write to it"); over {
			spent := time.Since(w.begin).Round(10 * time.Millisecond)
			return nil, nil, errors.Join(fmt.Errorf("%w: other processes have been reading it for %v", ErrLocked, spent), done)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	db.AllocSize = allocSize
	return file, db, nil
}

// write puts everything into the bbolt transaction.
func (t *transaction) write(tx *bbolt.Tx) error {
	t.txid = uint64(tx.ID())
	if t.txid != t.was.txid+1 {
		return errors.New("another program has written to the file in spite of the lock")
	}
	for _, b := range t.blocks {
		if err := t.writeBlock(tx, b); err != nil {
			return err
		}
	}
	if err := t.remove(tx); err != nil {
		return err
	}
	for name, data := range t.docData {
		if err := t.writeDoc(tx, name, data); err != nil {
			return err
		}
	}
	return putLedger(tx, t.ledger)
}

// remove takes out what is removed and dropped. A space that the ledger knows may have no
// bucket, as it has no block.
func (t *transaction) remove(tx *bbolt.Tx) error {
	all := tx.Bucket([]byte(blocksBucket))
	for _, b := range t.removed {
		if err := all.Bucket([]byte(b.space)).DeleteBucket(seqKey(b.seq)); err != nil {
			return err
		}
	}
	for _, id := range t.dropped {
		if all == nil || all.Bucket([]byte(id)) == nil {
			continue
		}
		if err := all.DeleteBucket([]byte(id)); err != nil {
			return err
		}
	}
	return nil
}

// putLedger writes the ledger, making its bucket if need be.
func putLedger(tx *bbolt.Tx, l *ledger) error {
	value, err := l.encode()
	if err != nil {
		return err
	}
	top, err := tx.CreateBucketIfNotExists([]byte(metaBucket))
	if err != nil {
		return err
	}
	return top.Put([]byte(docKey), value)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func (t *transaction) writeBlock(tx *bbolt.Tx, b *newBlock) error {
	all, err := tx.CreateBucketIfNotExists([]byte(blocksBucket))
	if err != nil {
		return err
	}
	space, err := all.CreateBucketIfNotExists([]byte(b.space.ID))
	if err != nil {
		return err
	}
	if b.replaces != 0 {
		if err := space.DeleteBucket(seqKey(b.replaces)); err != nil {
			return err
		}
	}
	own, err := space.CreateBucket(seqKey(b.head.seq))
	if err != nil {
		return err
	}
	return own.Put([]byte(blockKey), b.value)
}

func (t *transaction) writeDoc(tx *bbolt.Tx, name string, data []byte) error {
	all, err := tx.CreateBucketIfNotExists([]byte(docsBucket))
	if err != nil {
		return err
	}
	if _, ok := t.was.docs[name]; ok {
		if err := all.DeleteBucket([]byte(name)); err != nil {
			return err
		}
	}
	if data == nil {
		return nil
	}
	own, err := all.CreateBucket([]byte(name))
	if err != nil {
		return err
	}
	return own.Put([]byte(docKey), data)
}

// locate finds out where in the file the new values lie.
func (t *transaction) locate(tx *bbolt.Tx) error {
	begin := tx.DB().Info().Data
	offset := func(value []byte) int64 {
		return int64(uintptr(unsafe.Pointer(unsafe.SliceData(value))) - begin)
	}
	for _, b := range t.blocks {
		space := tx.Bucket([]byte(blocksBucket)).Bucket([]byte(b.space.ID))
		value := space.Bucket(seqKey(b.head.seq)).Get([]byte(blockKey))
		b.ref = block{b.head, offset(value), int64(len(value))}
	}
	for name, ref := range t.docRefs {
		ref.off = offset(tx.Bucket([]byte(docsBucket)).Bucket([]byte(name)).Get([]byte(docKey)))
		t.docRefs[name] = ref
	}
	return nil
}

// note tells the state which commit of the file is the last.
func (t *transaction) note(s *state) {
	s.info, s.txid, s.free, s.ledger, s.recovered = t.info, t.txid, t.free, t.ledger, nil
}

// apply brings the state up to date with the commit, which has removed no blocks.
func (t *transaction) apply(s *state) {
	t.note(s)
	for _, b := range t.blocks {
		x := s.spaces[b.space.ID]
		if x == nil {
			x = &index{}
			s.spaces[b.space.ID] = x
		}
		x.Space = t.ledger.space(b.space.ID).Space
		if b.replaces != 0 {
			x.replace(b.replaces, b.ref)
		} else {
			x.add(b.ref)
		}
	}
	for name, data := range t.docData {
		if data == nil {
			delete(s.docs, name)
		} else {
			s.docs[name] = t.docRefs[name]
		}
	}
}
