package cache

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// last is each half of the offset of the byte that is locked.
const last = 1<<32 - 1

// noFollow is nothing: links are rare here, and openPlain looks for one before it opens.
const noFollow = 0

// unlock gives the lock on f up. Closing f does it too, but not at once.
func unlock(f *os.File) error {
	err := windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{Offset: last, OffsetHigh: last})
	return os.NewSyscallError("UnlockFileEx", err)
}

// tryLock takes a lock on f until f is closed, on the byte past all data that bbolt
// locks too; false: somebody has it.
func tryLock(f *os.File, exclusive bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if exclusive {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{Offset: last, OffsetHigh: last})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
}
