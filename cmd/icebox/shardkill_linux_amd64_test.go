package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Workers that are killed at random, and that take shards which others compute at the same
// time, end with the features of one process. What a kill costs is the shard, at most.
func TestShardsSurviveKills(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it starts some dozen processes")
	}
	dir := folder(t, 3, 6)
	if r := icebox(t, dir, "manifest", "--data", "photos", "--weights", "random:3", "--out", "m"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	self, err := os.Executable()
	must(t, err)
	const of = 2
	var killed, done atomic.Int32
	work := func(rng *rand.Rand, host string) {
		for round := 0; ; round++ {
			for _, i := range rng.Perm(of) { // each worker takes all shards, so that two often have the same one
				cmd := exec.Command(self, "extract", "--manifest", "m", "--shard", fmt.Sprintf("%d/%d", i, of), "--parts", "parts", "--quiet")
				cmd.Dir, cmd.Env = dir, []string{asCommand + "=1", "HOME=" + dir, "TMPDIR=" + host, "ICEBOX_OFFLINE=1", "GOMAXPROCS=1"}
				must(t, cmd.Start())
				if round < 1 {
					kill := time.AfterFunc(time.Duration(100+rng.IntN(2500))*time.Millisecond, func() { _ = cmd.Process.Kill() })
					defer kill.Stop()
				}
				switch err := cmd.Wait(); {
				case err == nil:
					done.Add(1)
				case cmd.ProcessState.Exited():
					t.Errorf("shard %d ended by itself: %v", i, err)
				default:
					killed.Add(1)
				}
			}
			if round == 1 {
				return
			}
		}
	}
	var workers sync.WaitGroup
	for n := range 2 {
		host := t.TempDir()
		workers.Go(func() { work(rand.New(rand.NewPCG(1, uint64(n))), host) })
	}
	workers.Wait()
	t.Logf("%d processes were killed, %d ended", killed.Load(), done.Load())
	if killed.Load() == 0 || done.Load() < of {
		t.Errorf("%d were killed, and %d ended: this tests nothing", killed.Load(), done.Load())
	}
	for _, args := range [][]string{
		{"cache", "merge", "parts", "--manifest", "m", "--cache", "merged.db"},
		{"extract", "--data", "photos", "--weights", "random:3", "--cache", "one.db"},
		{"cache", "export", "--format", "csv", "--cache", "merged.db", "--out", "merged"},
		{"cache", "export", "--format", "csv", "--cache", "one.db", "--out", "one"},
		{"cache", "verify", "--cache", "merged.db"},
	} {
		if r := icebox(t, dir, args...); r.code != 0 {
			t.Fatalf("%v: %s", args, r.errOut)
		}
	}
	merged, err := os.ReadFile(filepath.Join(dir, "merged", "features.csv"))
	must(t, err)
	one, err := os.ReadFile(filepath.Join(dir, "one", "features.csv"))
	must(t, err)
	if !slices.Equal(merged, one) {
		t.Error("the features of the shards are not those of one process")
	}
	left, err := filepath.Glob(filepath.Join(dir, "parts", ".*"))
	must(t, err)
	if len(left) > 2*of {
		t.Errorf("killed processes left %d files: %v", len(left), left)
	}
}
