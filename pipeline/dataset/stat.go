package dataset

import (
	"io/fs"
	"time"
)

// Stat is what the cache compares to know that a file has not changed, as
// git's index does. The zero value equals no file's.
type Stat struct {
	Size  int64
	MTime int64 // nanoseconds
	CTime int64 // nanoseconds; 0 where the system has none
	Inode uint64
}

// Margins within which a time stamp is too fresh to prove that a file was not
// written again: clocks of file systems tick every few milliseconds, some every
// two seconds (FAT), and those show it by whole seconds.
const (
	tick       = 20 * time.Millisecond
	coarseTick = 2 * time.Second
)

// Racy reports whether the file may have changed after it was read at the given
// moment without its stat showing it.
func (s Stat) Racy(read time.Time) bool {
	margin := tick
	if s.MTime%int64(time.Second) == 0 && s.CTime%int64(time.Second) == 0 {
		margin = coarseTick
	}
	latest := s.MTime
	if s.CTime%int64(time.Second) != 0 {
		latest = s.CTime // which nobody can set, to the future or the past
	}
	return latest+int64(margin) >= read.UnixNano()
}

// StatOf reads what fi holds and what the system adds to it.
func StatOf(fi fs.FileInfo) Stat {
	s := Stat{Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
	s.CTime, s.Inode = changeTimeInode(fi)
	return s
}

// Trusted returns s, or the zero Stat if the file was changed so shortly before it was
// read that the stat proves nothing.
func (s Stat) Trusted(read time.Time) Stat {
	if s.Racy(read) {
		return Stat{}
	}
	return s
}
