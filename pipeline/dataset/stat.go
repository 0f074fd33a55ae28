package dataset

import (
	"io/fs"
	"time"
)

// Stat is what the cache compares to know that a file has not changed, as
// git's index does. The zero value equals no file's.
type Stat struct {
	Size  int64  `json:"size"`
	MTime int64  `json:"mtime"` // nanoseconds
	CTime int64  `json:"ctime"` // nanoseconds; 0 where the system has none
	Inode uint64 `json:"inode"`
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

// ofFile is s without the size: that of an archive in the stat of an image.
func (s Stat) ofFile() Stat {
	s.Size = 0
	return s
}

// SameFile reports whether two stats, whose sizes may be those of images in an archive, are
// of the same unchanged file.
func (s Stat) SameFile(other Stat) bool { return s.ofFile() == other.ofFile() }

// Timed reports whether s says more than a size.
func (s Stat) Timed() bool { return s.ofFile() != Stat{} }

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
