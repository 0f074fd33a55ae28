package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// claim is a writer's exclusive right to a cache: the operating system's lock on the
// file <cache>.lock, which goes with the process, however it ends. The file's content
// only tells others whose it is.
type claim struct{ f *os.File }

// owner is the content of the lock file.
type owner struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func lockPath(cache string) string { return cache + ".lock" }

// takeClaim locks the cache for one writer, or fails at once with ErrLocked.
func takeClaim(cache string) (*claim, error) {
	f, err := os.OpenFile(lockPath(cache), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cache %s: lock file: %w", cache, err)
	}
	ok, err := tryLock(f, true)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cache %s: lock file %s: %w", cache, f.Name(), err)
	}
	if !ok {
		defer f.Close()
		return nil, fmt.Errorf("%w: %s is being written by %s: wait for it, or stop it", ErrLocked, cache, readOwner(f))
	}
	host, _ := os.Hostname()
	me, err := json.Marshal(owner{os.Getpid(), host, strings.Join(os.Args, " "), time.Now().Round(time.Second)})
	if err == nil {
		err = errors.Join(f.Truncate(0), writeAll(f, me))
	}
	c := &claim{f}
	if err != nil {
		return nil, fmt.Errorf("cache %s: lock file: %w", cache, errors.Join(asFull(err), c.release()))
	}
	return c, nil
}

func writeAll(f *os.File, b []byte) error {
	_, err := f.WriteAt(b, 0)
	return err
}

// release gives the claim up. The lock file stays: who removes it can remove one that
// another process has locked meanwhile.
func (c *claim) release() error {
	return errors.Join(c.f.Truncate(0), c.f.Close())
}

// readOwner says in words who holds the lock.
func readOwner(f *os.File) string {
	var o owner
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<16))
	if err != nil || json.Unmarshal(b, &o) != nil {
		return "another process"
	}
	if len(o.Command) > 200 {
		o.Command = o.Command[:200] + "…"
	}
	return fmt.Sprintf("process %d on %s (%s, since %s)", o.PID, o.Host, o.Command, o.Since.Format(time.DateTime))
}

// openShared opens a cache file for reading and waits for a commit in progress. The
// lock is bbolt's own and goes with the file.
func openShared(path string, wait time.Duration) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(wait)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		ok, err := tryLock(f, false)
		if ok {
			return f, nil
		}
		if err == nil && time.Now().After(deadline) {
			err = fmt.Errorf("%w: another process has been committing for %v", ErrLocked, wait)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		time.Sleep(pause)
	}
}
