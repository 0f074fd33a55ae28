package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWaitQueuesForTheWriterOfTheCache(t *testing.T) {
	dir := folder(t, 2, 3)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	write(t, dir, "photos/a/new.png", pngOf(t, 0, 77))
	for _, args := range [][]string{
		{"extract", "--data", "photos", "--weights", "random"}, {"cache", "compact"}, {"train", "head.tune=off"},
	} {
		args = append(args, "--cache", "f.db", "--wait")
		unlock := lockCache(t, filepath.Join(dir, "f.db"))
		if r := icebox(t, dir, append(args, "80ms")...); r.code != exitLocked || !strings.Contains(r.errOut, "--wait") {
			t.Errorf("%s: exit %d after a short wait: %s", args[0], r.code, r.errOut)
		}
		release := time.AfterFunc(300*time.Millisecond, unlock)
		if r := icebox(t, dir, append(args, "1m")...); r.code != exitOK || release.Stop() {
			t.Errorf("%s: exit %d: %s", args[0], r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "extract", "--wait", "-1s"); r.code != exitUsage {
		t.Errorf("a negative wait ends with %d: %s", r.code, r.errOut)
	}
}
