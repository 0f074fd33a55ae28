package cache

import (
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// fullErrnos mean that there is no room.
var fullErrnos = []syscall.Errno{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL}

// syncDir does nothing: NTFS keeps renames in its journal.
func syncDir(string) error { return nil }

// sameOwner does nothing: rights come from the folder.
func sameOwner(string, os.FileInfo) error { return nil }
