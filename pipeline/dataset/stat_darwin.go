package dataset

import (
	"io/fs"
	"syscall"
)

func changeTimeInode(fi fs.FileInfo) (ctime int64, inode uint64) {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ctimespec.Nano(), st.Ino
	}
	return 0, 0
}
