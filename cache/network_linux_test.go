package cache

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The mounts of a machine are not the test's to make: what statfs says of two that each
// has is compared with what Network makes of it.
func TestNetworkGoesByTheFileSystem(t *testing.T) {
	if got := Network("/proc/none/features.db"); got != "" {
		t.Errorf("proc is %q", got)
	}
	dir := t.TempDir()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	want := networkTypes[uint32(st.Type)]
	if got := Network(filepath.Join(dir, "not", "made", "yet.db")); got != want {
		t.Errorf("a folder to be made in %s: %q, want %q", dir, got, want)
	}
	networkTypes[uint32(st.Type)] = "a test's"
	defer func() {
		if delete(networkTypes, uint32(st.Type)); want != "" {
			networkTypes[uint32(st.Type)] = want
		}
	}()
	if got := Network(filepath.Join(dir, "features.db")); !strings.HasPrefix(got, "a test") {
		t.Errorf("got %q", got)
	}
}
