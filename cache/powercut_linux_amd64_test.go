package cache

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"icebox/cache/trace"
)

var (
	cuts  = flag.Int("cuts", 4, "power cuts that are tried after each system call")
	every = flag.Int("every", 23, "of so many system calls one is made to fail; 1 is all")
)

// scriptRows is how many rows the scripted child comes to.
const scriptRows = 90

// childScript does everything that changes a cache, and says what must be kept from then on.
func childScript(path string) error {
	c, err := OpenOrCreate(path, quick())
	if err != nil {
		return err
	}
	fmt.Println("rows 0")
	put := func(from, to int, spaces ...Space) error {
		w, err := c.Writer()
		if err != nil {
			return err
		}
		for _, s := range spaces {
			err = errors.Join(err, w.Space(s, native1))
		}
		for i := from; i < to && err == nil; i++ {
			for _, s := range spaces {
				err = errors.Join(err, w.Put(s.ID, keyOf(i), rowOf(s, keyOf(i))))
			}
			if i%10 == 9 && err == nil {
				err = errors.Join(w.PutDoc("progress", fmt.Append(nil, i+1)), w.Flush())
				if err == nil {
					fmt.Println("rows", i+1)
				}
			}
		}
		return errors.Join(err, w.Close())
	}
	compact := func(salvage bool) error {
		r, err := Compact(path, CompactOptions{Options: quick(), Salvage: salvage})
		if len(r.Lost) > 0 {
			fmt.Println("lost") // a salvage does without what it cannot read, and says so
		}
		return errors.Join(err, c.Refresh())
	}
	for _, step := range []func() error{
		func() error { return put(0, 50, space8, spaceHalf) },
		func() error { return compact(false) },
		func() error { return put(50, 70, space8, spaceHalf) },
		func() error { fmt.Println("drop"); return errors.Join(Drop(path, spaceHalf.ID, quick()), c.Refresh()) },
		func() error { return put(70, 80, space8) },
		func() error { return compact(true) },
		func() error { return put(80, scriptRows, space8) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// promise is what a cache must hold after what its writer said.
type promise struct {
	rows    int // -1: not even the file
	dropped bool
	lossy   bool // a salvage has given up what it could not read
}

func (p *promise) hear(e trace.Event) {
	if e.What != "said" {
		return
	}
	fmt.Sscanf(e.To, "rows %d", &p.rows)
	p.dropped = p.dropped || e.To == "drop"
	if p.lossy = p.lossy || e.To == "lost"; p.lossy {
		p.rows = 0
	}
}

// survey counts what was tried.
type survey struct{ states, faults, rows, missing, metas int }

// check opens the cache in dir after a crash, compares its rows with the promise, goes on to
// write and checks all again.
func (s *survey) check(t *testing.T, dir, what string, p promise) {
	t.Helper()
	path := filepath.Join(dir, "c.db")
	r, err := Verify(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && p.rows < 0:
		s.missing++
	case err != nil:
		t.Fatalf("%s: verify: %v", what, err)
	case len(r.Faults) == 1 && r.Faults[0].Where == "meta":
		s.metas++
	case !r.OK():
		t.Fatalf("%s: %v", what, r.Faults)
	}
	c, err := OpenOrCreate(path, quick())
	if err != nil {
		t.Fatalf("%s: open: %v", what, err)
	}
	defer c.Close()
	c.noSync = true // this is the second life
	for _, space := range []Space{space8, spaceHalf} {
		keys := slices.Collect(c.Keys(space.ID))
		if space.ID == space8.ID || !p.dropped {
			for i := range max(p.rows, 0) {
				if !c.Has(space.ID, keyOf(i)) {
					t.Fatalf("%s: space %s: row %d of %d is lost", what, space.ID, i, p.rows)
				}
			}
		}
		if len(keys) > 0 {
			wantRows(t, c, space, keys)
			s.rows += len(keys)
		}
	}
	if doc, err := c.Doc("progress"); p.rows > 0 {
		n := 0
		if fmt.Sscan(string(doc), &n); err != nil || n < p.rows {
			t.Fatalf("%s: document %q, %v, want %d", what, doc, err, p.rows)
		}
	}
	fill(t, c, keysOf(0, scriptRows), space8, spaceHalf)
	wantRows(t, c, space8, keysOf(0, scriptRows))
	wantRows(t, c, spaceHalf, keysOf(0, scriptRows))
	wantSound(t, path)
	if left, _ := filepath.Glob(path + "?*"); len(left) != 1 || left[0] != lockPath(path) {
		t.Fatalf("%s: left beside the cache: %v", what, left)
	}
	s.states++
	s.rows += 2 * scriptRows
}

// traced runs the script in a new folder; call failAt fails.
func traced(t *testing.T, failAt int, errno syscall.Errno) (dir string, tr *trace.Tracer) {
	t.Helper()
	if testing.Short() {
		t.Skip("a traced process is slow")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"=script:"+filepath.Join(dir, "c.db"), "GOMAXPROCS=2")
	tr = &trace.Tracer{Dir: dir, At: failAt, Errno: errno}
	if errno != 0 {
		tr.Fault = trace.Fail
	}
	if _, err := tr.Run(cmd); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
			t.Skip("processes cannot be traced here: ", err)
		}
		t.Fatal(err)
	}
	return dir, tr
}

// Whatever the moment of a kill or a power cut, and whatever was not synced by then, the
// cache holds all that its writer had said to be kept, and can be written on.
func TestEveryCrashLeavesWhatWasCommitted(t *testing.T) {
	_, tr := traced(t, -1, 0)
	random := *seed
	if random == 0 {
		random = uint64(time.Now().UnixNano())
	}
	rng := rand.New(rand.NewPCG(random, 1))
	t.Logf("again with: go test ./cache -run %s -seed %d -cuts %d", t.Name(), random, *cuts)
	d, p, s, begin := newDisk(), promise{rows: -1}, survey{}, time.Now()
	syncs := 0
	for n := 0; ; n++ {
		for cut := range *cuts + 1 {
			what, files := fmt.Sprintf("killed after call %d", n), d.killed
			if cut > 0 {
				what, files = fmt.Sprintf("power cut %d after call %d", cut, n), func() map[string][]byte { return d.cut(rng) }
			}
			dir, err := os.MkdirTemp(t.TempDir(), "")
			must(t, err)
			lay(t, dir, files())
			s.check(t, dir, what, p)
			must(t, os.RemoveAll(dir))
		}
		if n == len(tr.Events) {
			break
		}
		d.apply(tr.Events[n])
		p.hear(tr.Events[n])
		if tr.Events[n].What == "sync" {
			syncs++
		}
	}
	if p.rows != scriptRows || !p.dropped || syncs < 20 {
		t.Errorf("the script came to %+v, with %d syncs", p, syncs)
	}
	t.Logf("%d system calls (%d syncs) × %d crashes: %d states, %d rows compared; %d without a file yet, %d with a damaged meta page; %v",
		len(tr.Events), syncs, *cuts+1, s.states, s.rows, s.missing, s.metas, time.Since(begin).Round(time.Second))
}

// Whichever system call fails, the cache stays sound and can be written on.
func TestEveryFailedCallLeavesWhatWasCommitted(t *testing.T) {
	_, whole := traced(t, -1, 0)
	var s survey
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		for n := rand.IntN(*every); n < whole.Counts[trace.Fail]; n += *every {
			dir, tr := traced(t, n, errno)
			p := promise{rows: -1}
			for _, e := range tr.Events {
				p.hear(e)
			}
			s.faults++
			s.check(t, dir, fmt.Sprintf("call %d fails with %s", n, strings.ReplaceAll(errno.Error(), " ", "_")), p)
		}
	}
	t.Logf("%d of %d × 2 failed system calls, %d rows compared", s.faults, whole.Counts[trace.Fail], s.rows)
}
