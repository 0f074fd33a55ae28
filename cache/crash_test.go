package cache

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// childEnv makes the test binary play a child that is going to be killed.
const childEnv = "ICEBOX_CACHE_TEST_CHILD"

const crashRows = 1000

func TestMain(m *testing.M) {
	role, path, ok := strings.Cut(os.Getenv(childEnv), ":")
	if !ok {
		os.Exit(m.Run())
	}
	play := map[string]func(path string) error{
		"write": childWrite, "hold": childHold, "compact": childCompact, "full": childFull, "script": childScript, "remove": childRemove,
	}[role]
	if err := play(path); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childWrite fills the cache and says how far it is committed.
func childWrite(path string) error {
	o := quick()
	o.FlushEvery = 3 * time.Millisecond
	c, err := OpenOrCreate(path, o)
	if err != nil {
		return err
	}
	w, err := c.Writer()
	if err != nil {
		return err
	}
	err = errors.Join(w.Space(space8, native1), w.Space(spaceWide, native1))
	for i := 0; i < crashRows && err == nil; i++ {
		if c.Has(space8.ID, keyOf(i)) && c.Has(spaceWide.ID, keyOf(i)) {
			continue
		}
		time.Sleep(100 * time.Microsecond)
		for _, s := range []Space{space8, spaceWide} {
			err = errors.Join(err, w.Put(s.ID, keyOf(i), rowOf(s, keyOf(i))))
		}
		if i%10 == 9 && err == nil {
			err = errors.Join(w.PutDoc("progress", fmt.Append(nil, i)), w.Flush())
			fmt.Println(i)
		}
	}
	return errors.Join(err, w.Close())
}

// childHold claims the cache until it is killed.
func childHold(path string) error {
	c, err := Open(path, quick())
	if err != nil {
		return err
	}
	if _, err = c.Writer(); err != nil {
		return err
	}
	fmt.Println("holding")
	time.Sleep(time.Hour)
	return nil
}

// childCompact compacts without end.
func childCompact(path string) error {
	for {
		if _, err := Compact(path, CompactOptions{Options: quick()}); err != nil {
			return err
		}
		fmt.Println("compacted")
	}
}

// child starts the test binary in a role.
func child(t *testing.T, role, path string) (*exec.Cmd, io.Reader) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+role+":"+path)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	return cmd, out
}

// lastLine reads until the child is gone.
func lastLine(t *testing.T, out io.Reader) string {
	t.Helper()
	last := ""
	for s := bufio.NewScanner(out); s.Scan(); {
		last = s.Text()
		if strings.HasPrefix(last, "error:") {
			t.Fatal(last)
		}
	}
	return last
}

func TestKilledWriterLosesNothingThatWasCommitted(t *testing.T) {
	path := newCache(t, quick()).path
	flushed, kills := -1, 0
	for flushed < crashRows-1 {
		cmd, out := child(t, "write", path)
		lines := bufio.NewReader(out)
		for range rand.IntN(4) { // how far it may come, and then a little further
			if line, err := lines.ReadString('\n'); err == nil {
				fmt.Sscan(line, &flushed)
			}
		}
		time.Sleep(time.Duration(rand.IntN(6000)) * time.Microsecond)
		_ = cmd.Process.Kill()
		if last := lastLine(t, lines); last != "" {
			fmt.Sscan(last, &flushed)
		}
		if err := cmd.Wait(); err != nil {
			kills++
		}
		wantSound(t, path)
		c, err := Open(path, quick())
		must(t, err)
		wantOneShort(t, c)
		if flushed >= 0 {
			wantRows(t, c, space8, keysOf(0, flushed+1))
			wantRows(t, c, spaceWide, keysOf(0, flushed+1))
			if doc, err := c.Doc("progress"); err != nil || len(doc) == 0 {
				t.Errorf("the document is %q: %v", doc, err)
			}
		}
		if kills > 200 {
			t.Fatal("no progress")
		}
		if kills >= 12 { // now let it finish
			cmd, out = child(t, "write", path)
			lastLine(t, out)
			must(t, cmd.Wait())
			break
		}
	}
	if kills < 10 {
		t.Errorf("only %d writers were killed: make crashRows larger", kills)
	}
	c, err := Open(path, quick())
	must(t, err)
	wantRows(t, c, space8, keysOf(0, crashRows))
	wantRows(t, c, spaceWide, keysOf(0, crashRows))
	if n := c.Len(space8.ID); n != crashRows {
		t.Errorf("%d rows, want %d", n, crashRows)
	}
	wantSound(t, path)
}

func TestKilledCompactLeavesTheCacheWhole(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 200), space8, spaceHalf)
	for range 10 {
		cmd, out := child(t, "compact", c.path)
		pause := time.Duration(10+rand.IntN(80)) * time.Millisecond
		kill := time.AfterFunc(pause, func() { _ = cmd.Process.Kill() })
		lastLine(t, out)
		_ = cmd.Wait()
		kill.Stop()
		wantSound(t, c.path)
		must(t, c.Refresh())
		wantRows(t, c, space8, keysOf(0, 200))
		wantRows(t, c, spaceHalf, keysOf(0, 200))
	}
	_, err := Compact(c.path, CompactOptions{Options: quick()})
	must(t, err)
}

func TestClaimOfAKilledProcessVanishes(t *testing.T) {
	c := newCache(t, quick())
	cmd, out := child(t, "hold", c.path)
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if must(t, err); line != "holding\n" {
		t.Fatal(line)
	}
	_, err = c.Writer()
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", cmd.Process.Pid, " ")) {
		t.Errorf("while it lives: %v", err)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	w, err := c.Writer()
	must(t, err)
	must(t, w.Close())
}

func TestWriterWaitsForReadersAndLosesNothing(t *testing.T) {
	o := quick()
	o.LockWait = 150 * time.Millisecond
	c := newCache(t, o)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	put(t, w, space8, keysOf(0, 10)...)
	reader, err := openShared(c.path, time.Second)
	must(t, err)
	if err := w.Flush(); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), c.path) {
		t.Errorf("flush beside a reader that stays: %v", err)
	}
	if err := w.Put(space8.ID, keyOf(10), rowOf(space8, keyOf(10))); !errors.Is(err, ErrLocked) {
		t.Errorf("put after a failed commit: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { reader.Close() })
	must(t, w.Flush())
	put(t, w, space8, keyOf(10))
	must(t, w.Close())
	wantRows(t, c, space8, keysOf(0, 11))
}

func TestReaderWaitsForACommit(t *testing.T) {
	o := quick()
	o.LockWait = 150 * time.Millisecond
	c := newCache(t, o)
	db, err := bbolt.Open(c.path, 0o644, nil)
	must(t, err)
	if err := c.Refresh(); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), c.path) {
		t.Errorf("refresh beside a commit that does not end: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { db.Close() })
	must(t, c.Refresh())
}

func TestForeignWriteIsNoticed(t *testing.T) {
	c := newCache(t, quick())
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	db, err := bbolt.Open(c.path, 0o644, nil)
	must(t, err)
	must(t, db.Update(func(*bbolt.Tx) error { return nil }))
	must(t, db.Close())
	put(t, w, space8, keyOf(1))
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "in spite of the lock") {
		t.Errorf("%v", err)
	}
	wantSound(t, c.path)
}
