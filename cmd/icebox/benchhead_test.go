package main

import (
	"strings"
	"testing"
)

func TestBenchHead(t *testing.T) {
	args := []string{"bench", "head", "--rows", "600", "--dim", "24", "--classes", "3", "--heads", "4", "--epochs", "3", "--threads", "2", "--shuffle", "blocks"}
	r := icebox(t, t.TempDir(), append(args, "--json")...)
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	v := r.lastJSON(t)
	for _, key := range []string{"epoch_seconds", "gflops", "peak_gflops", "peak_read_bytes_per_s", "rows_per_s", "train_acc"} {
		if n, ok := v[key].(float64); !ok || n <= 0 {
			t.Errorf("%s is %v", key, v[key])
		}
	}
	if r := icebox(t, t.TempDir(), args...); !strings.Contains(r.out, "600 rows of 24 features, 3 classes") {
		t.Errorf("table:\n%s", r.out)
	}
	if v["shuffle"] != "blocks" {
		t.Errorf("shuffled by %v", v["shuffle"])
	}
	if r := icebox(t, t.TempDir(), "bench", "head", "--shuffle", "pages"); r.code != exitUsage || !strings.Contains(r.errOut, "--shuffle must be rows or blocks") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
	if r := icebox(t, t.TempDir(), "bench", "head", "--heads", "0"); r.code != exitUsage || !strings.Contains(r.errOut, "--heads must be from 1") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}
