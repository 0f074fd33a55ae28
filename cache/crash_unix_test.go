//go:build unix

package cache

import (
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"
)

// childFull writes until the largest size of a file is reached, then gets more room.
func childFull(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	c, err := OpenOrCreate(path, quick())
	if err != nil {
		return err
	}
	w, err := c.Writer()
	if err != nil {
		return err
	}
	if err := w.Space(spaceWide, native1); err != nil {
		return err
	}
	small := limit
	small.Cur = 300 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	put := func(i int) error { return w.Put(spaceWide.ID, keyOf(i), rowOf(spaceWide, keyOf(i))) }
	n := 0
	for ; n < 2000 && err == nil; n++ {
		err = put(n)
	}
	if !errors.Is(err, ErrFull) {
		return fmt.Errorf("put %d on a full disk: %w", n, err)
	}
	if err := put(n); !errors.Is(err, ErrFull) {
		return fmt.Errorf("put after a full disk: %w", err)
	}
	if err := w.Flush(); !errors.Is(err, ErrFull) {
		return fmt.Errorf("flush on a full disk: %w", err)
	}
	if _, err := Compact(path, CompactOptions{}); !errors.Is(err, ErrLocked) {
		return err
	}
	kept := c.Len(spaceWide.ID)
	report, err := Verify(path)
	if err != nil || !report.OK() || report.Rows != kept {
		return fmt.Errorf("after a full disk: %d rows committed, %+v: %w", kept, report, err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	fmt.Println(n, kept)
	return nil
}

func TestFullDiskKeepsWhatIsCommittedAndGoesOnWithRoom(t *testing.T) {
	c := newCache(t, quick())
	cmd, out := child(t, "full", c.path)
	var n, kept int
	fmt.Sscan(lastLine(t, out), &n, &kept)
	must(t, cmd.Wait())
	if kept == 0 || n <= kept {
		t.Errorf("%d rows put, %d committed before the disk was full", n, kept)
	}
	must(t, c.Refresh())
	wantRows(t, c, spaceWide, keysOf(0, n))
	wantSound(t, c.path)
}
