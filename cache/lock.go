package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// claim is a writer's exclusive right to a cache: the operating system's lock on the
// file <cache>.lock, which goes with the process, however it ends. The file's content
// only tells others whose it is.
type claim struct{ f *os.File }

// Owner is who writes to a cache, by its own account: the content of the lock file.
type Owner struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func lockPath(cache string) string { return cache + ".lock" }

// takeClaim locks the cache for one writer, or fails with ErrLocked after o.ClaimWait.
func takeClaim(cache string, o Options) (*claim, error) {
	f, err := openLock(cache)
	if err != nil {
		return nil, fmt.Errorf("cache %s: lock file: %w", cache, err)
	}
	c := &claim{f}
	if err := c.lock(cache, newWait(o.Context, o.ClaimWait, o.Waiting)); err != nil {
		f.Close()
		return nil, err
	}
	if err := c.sign(); err != nil {
		return nil, fmt.Errorf("cache %s: lock file %s: %w", cache, f.Name(), asFull(err))
	}
	return c, nil
}

// lock waits for the lock.
func (c *claim) lock(cache string, w *wait) error {
	for {
		ok, err := tryLock(c.f, true)
		if err != nil {
			return fmt.Errorf("cache %s: lock file %s: %w", cache, c.f.Name(), err)
		}
		if ok {
			return nil
		}
		who := readOwner(c.f)
		over, err := w.over(fmt.Sprintf("%s is being written by %s: waiting for it", cache, who))
		if over {
			held := fmt.Errorf("%w: %s is being written by %s: wait for it, or stop it", ErrLocked, cache, who)
			return errors.Join(held, err)
		}
		time.Sleep(lockPause)
	}
}

// sign writes whose the lock is, unless the file is somebody else's, and lets go of it on
// an error.
func (c *claim) sign() error {
	b, err := c.content()
	if b = bytes.Trim(b, "\x00"); err == nil && len(b) > 0 && !bytes.HasPrefix(b, []byte(ownerBegin)) {
		err = errors.New("it holds something else: move it elsewhere")
	}
	if err != nil {
		return errors.Join(err, c.f.Close())
	}
	host, _ := os.Hostname()
	me, err := json.Marshal(Owner{os.Getpid(), host, strings.Join(os.Args, " "), time.Now().Round(time.Second)})
	if err == nil {
		err = errors.Join(c.f.Truncate(0), writeAll(c.f, me))
	}
	if err != nil {
		return errors.Join(err, c.release())
	}
	return nil
}

// ownerBegin begins what an owner writes.
const ownerBegin = `{"pid":`

func (c *claim) content() ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(c.f, 0, 1<<16))
}

// openLock opens the lock file of a cache and makes it if there is none, for everybody who
// may write to the cache. It follows no link and opens nothing but a file: what is in the
// place of the lock file must not be written to.
func openLock(cache string) (*os.File, error) {
	path, perm := lockPath(cache), fs.FileMode(0)
	if info, err := os.Stat(cache); err == nil {
		perm = info.Mode().Perm()&0o666 | 0o600
	}
	f, err := openPlain(path, os.O_RDWR, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	f, err = openPlain(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) { // another process has made it
		return openPlain(path, os.O_RDWR, 0)
	}
	if err == nil && perm != 0 {
		_ = f.Chmod(perm) // where there are no such modes, none is wanted
	}
	return f, err
}

// openPlain opens a file and refuses a link and whatever else is no file.
func openPlain(path string, flag int, perm fs.FileMode) (*os.File, error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, notPlain(path)
	}
	f, err := os.OpenFile(path, flag|noFollow, perm)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = notPlain(path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func notPlain(path string) error {
	return fmt.Errorf("%s is a link or no file: move it elsewhere", path)
}

func writeAll(f *os.File, b []byte) error {
	_, err := f.WriteAt(b, 0)
	return err
}

// release gives the claim up. The lock file stays: who removes it can remove one that
// another process has locked meanwhile.
func (c *claim) release() error {
	if c == nil {
		return nil
	}
	return errors.Join(c.f.Truncate(0), c.f.Close())
}

// readOwner says in words who holds the lock.
func readOwner(f *os.File) string {
	o, ok := ownerIn(f)
	if !ok {
		return "another process"
	}
	return o.String()
}

func ownerIn(f *os.File) (o Owner, ok bool) {
	b, err := (&claim{f}).content()
	return o, err == nil && json.Unmarshal(b, &o) == nil
}

// String names the process in a line.
func (o Owner) String() string {
	return fmt.Sprintf("process %d on %s (%s, since %s)", o.PID, inLine(o.Host), inLine(o.Command), o.Since.Format(time.DateTime))
}

// WrittenBy is who writes to the cache at path, as the lock file says; ok is false where
// nobody does, as far as can be told. It takes no lock, so that it keeps nobody from one. A
// process of this machine that is gone does not count; whether one of another machine is, is
// not known.
func WrittenBy(path string) (o Owner, ok bool) {
	path, err := realPath(path)
	if err != nil {
		return o, false
	}
	f, err := openPlain(lockPath(path), os.O_RDONLY, 0)
	if err != nil {
		return o, false
	}
	defer f.Close()
	if o, ok = ownerIn(f); !ok || o.PID <= 0 {
		return o, false
	}
	host, _ := os.Hostname()
	return o, o.Host != host || lives(o.PID)
}

// lives reports whether a process of this machine is there.
func lives(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false // as Windows says
	}
	defer func() { _ = p.Release() }() // nothing is held elsewhere
	if runtime.GOOS == "windows" {
		return true
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// inLine is a text of a lock file, which anybody may have written, as it fits into a line:
// cut where it is long, and quoted where something in it is not printable.
func inLine(text string) string {
	if at := 200; len(text) > at {
		for !utf8.RuneStart(text[at]) {
			at--
		}
		text = text[:at] + "…"
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
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
