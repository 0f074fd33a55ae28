package features

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"icebox/pipeline/npy"
)

// ShareForImages is how much memory images may take at once where nobody says so: a quarter
// of what is available, at least 64 MiB; 2 GiB where that is unknown.
func ShareForImages(available int64) int64 {
	if available == 0 {
		return 2 << 30
	}
	return max(available/4, 64<<20)
}

// exceedsMemory reports whether n rows take more than three quarters of the memory that there
// is, GOMEMLIMIT being a limit too, and could lie in a file instead. Few rows never do.
func exceedsMemory(n int) bool {
	bytes := int64(n) * rowBytes
	if !npy.CanMap || bytes <= npy.MapAbove {
		return false
	}
	available := debug.SetMemoryLimit(-1)
	if free := AvailableMemory(os.DirFS("/")); free > 0 {
		available = min(available, free)
	}
	return bytes > available/4*3
}

// AvailableMemory is how many bytes this process may come to hold, as Linux tells it
// in files below root: what the machine has left, or what a control group of the
// process, or one above it, is limited to. 0 is unknown, as it is elsewhere.
func AvailableMemory(root fs.FS) int64 {
	least := int64(0)
	take := func(bytes int64) {
		if bytes > 0 && (least == 0 || bytes < least) {
			least = bytes
		}
	}
	for line := range lines(root, "proc/meminfo") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemAvailable:" && f[2] == "kB" {
			take(byteCount(f[1]) << 10)
		}
	}
	for line := range lines(root, "proc/self/cgroup") {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(f) != 3 {
			continue
		}
		mount, file := "sys/fs/cgroup", "memory.max"
		switch {
		case f[0] == "0" && f[1] == "": // version 2, alone or beside version 1
		case hasField(f[1], "memory"):
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// A container sees its own group as the root, and may see the path outside.
		for group := path.Clean("/" + f[2]); ; group = path.Dir(group) {
			for limit := range lines(root, path.Join(mount, group, file)) {
				take(byteCount(limit))
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}

func hasField(list, name string) bool {
	for field := range strings.SplitSeq(list, ",") {
		if field == name {
			return true
		}
	}
	return false
}

// byteCount reads a number of bytes; 0 is none, as in max.
func byteCount(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// lines yields those of a small file; none, if it cannot be read.
func lines(root fs.FS, name string) func(yield func(string) bool) {
	data, _ := fs.ReadFile(root, name) // not there is as good as empty
	return func(yield func(string) bool) {
		for line := range bytes.Lines(data) {
			if !yield(string(line)) {
				return
			}
		}
	}
}
