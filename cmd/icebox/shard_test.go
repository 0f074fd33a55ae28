package main

import (
	"strings"
	"testing"
)

// A shell, or a scheduler, shares the work out, and brings it together.
func TestShardsOnTheCommandLine(t *testing.T) {
	dir := folder(t, 2, 5)
	if r := icebox(t, dir, "manifest", "--data", "photos", "--weights", "random:3", "--out", "parts/manifest"); r.code != exitFailure {
		t.Errorf("into a folder that is not there: %d %s", r.code, r.errOut)
	}
	if r := icebox(t, dir, "manifest", "--data", "photos", "--weights", "random:3", "--out", "m"); r.code != 0 || !strings.Contains(r.out, "images     10 of 2 classes") {
		t.Fatalf("%d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "extract", "--manifest", "m", "--shard", "0/2", "--parts", "parts"); r.code != 0 || !strings.Contains(r.out, "shard      0/2: 5 rows, 0 without a feature") {
		t.Errorf("%d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "cache", "merge", "parts", "--manifest", "m", "--cache", "c.db"); r.code != exitData || !strings.Contains(r.errOut, "1 of 2 are not done: 1") || !strings.Contains(r.errOut, "--shard i/n") {
		t.Errorf("merged with one of two: %d %s", r.code, r.errOut)
	}
	for _, v := range []string{"SLURM_ARRAY_TASK_ID=1", "JOB_COMPLETION_INDEX=1"} {
		if r := iceboxEnv(t, dir, []string{v}, "extract", "--manifest", "m", "--shard", "/2", "--parts", "parts", "--json"); r.code != 0 || r.lastJSON(t)["already"] != (v[0] == 'J') {
			t.Errorf("%s: %d %s %s", v, r.code, r.out, r.errOut)
		}
	}
	if r := icebox(t, dir, "cache", "merge", "parts", "--manifest", "m", "--cache", "c.db"); r.code != 0 || !strings.Contains(r.out, "merged     10 rows of dataset photos, 0 without a feature") {
		t.Fatalf("%d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "run", "--data", "photos", "--weights", "random:3", "--cache", "c.db", "head.tune=off"); r.code != 0 || !strings.Contains(r.out, "10 from the cache, 0 computed; 0 images opened") {
		t.Errorf("%d %s %s", r.code, r.out, r.errOut)
	}
}

func TestShardUsage(t *testing.T) {
	dir := folder(t, 2, 2)
	if r := icebox(t, dir, "manifest", "--data", "photos", "--weights", "random:3", "--out", "m"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	for _, c := range []struct {
		env, args string
		code      int
		says      string
	}{
		{"", "--manifest m --shard 0/2", exitUsage, "--parts DIR"},
		{"", "--shard 0/2 --parts p", exitUsage, "--manifest FILE"},
		{"", "--manifest m --shard 2/2 --parts p", exitUsage, "no index from 0 to 1"},
		{"", "--manifest m --shard -1/2 --parts p", exitUsage, "no index from 0 to 1"},
		{"", "--manifest m --shard 1 --parts p", exitUsage, "is not i/n"},
		{"", "--manifest m --shard 0/0 --parts p", exitUsage, "no number of shards"},
		{"", "--manifest m --shard /2 --parts p", exitUsage, "none of JOB_COMPLETION_INDEX"},
		{"SLURM_ARRAY_TASK_ID=2", "--manifest m --shard /2 --parts p", exitUsage, "SLURM_ARRAY_TASK_ID=2"},
		{"", "--manifest m --shard 0/2 --parts p --data photos", exitUsage, "exclude each other"},
		{"", "--manifest m --shard 0/2 --parts p --weights random:4", exitData, "other features than the manifest's"},
		{"", "--manifest photos/class0 --shard 0/2 --parts p", exitFailure, ""},
		{"", "--manifest none --shard 0/2 --parts p", exitFailure, "none"},
	} {
		r := iceboxEnv(t, dir, []string{c.env}, append([]string{"extract"}, strings.Fields(c.args)...)...)
		if r.code != c.code || !strings.Contains(r.errOut, c.says) {
			t.Errorf("extract %s: %d %s", c.args, r.code, r.errOut)
		}
	}
}

func TestCachesAreMerged(t *testing.T) {
	dir := folder(t, 3, 4)
	for _, class := range []string{"a", "b"} {
		if r := icebox(t, dir, "extract", "--data", "photos/"+class, "--weights", "random:3", "--cache", class+".db"); r.code != 0 {
			t.Fatal(r.errOut)
		}
	}
	if r := icebox(t, dir, "cache", "merge", "a.db", "b.db", "--cache", "c.db"); r.code != 0 || !strings.Contains(r.out, "8 rows added to c.db") {
		t.Fatalf("%d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "cache", "merge", "a.db", "b.db", "--cache", "c.db"); r.code != 0 || !strings.Contains(r.out, "0 rows added to c.db") {
		t.Errorf("again: %d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random:3", "--cache", "c.db"); r.code != 0 || !strings.Contains(r.out, "8 from the cache, 4 computed; 4 images opened") {
		t.Errorf("%d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "cache", "verify", "--cache", "c.db"); r.code != 0 {
		t.Errorf("%d %s %s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random:4", "--cache", "d.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	if r := icebox(t, dir, "cache", "merge", "a.db", "d.db", "--cache", "e.db"); r.code != exitData || !strings.Contains(r.errOut, "other features") {
		t.Errorf("of other weights: %d %s", r.code, r.errOut)
	}
	if r := icebox(t, dir, "cache", "merge", "a.db", "--cache", "a.db"); r.code != exitData || !strings.Contains(r.errOut, "into itself") {
		t.Errorf("into itself: %d %s", r.code, r.errOut)
	}
}
