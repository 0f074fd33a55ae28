package main

import (
	"strings"
	"testing"
)

func TestHelpAndUsage(t *testing.T) {
	dir := t.TempDir()
	if r := icebox(t, dir); r.code != 0 || !strings.Contains(r.out, "icebox quickstart") {
		t.Errorf("no arguments: %d %s", r.code, r.out)
	}
	if r := icebox(t, dir, "help", "exit-codes"); r.code != 0 || !strings.Contains(r.out, "130") {
		t.Errorf("exit codes: %s", r.out)
	}
	for _, args := range [][]string{{"nonsense"}, {"run", "--nonsense"}, {"run", "photos"}, {"cache", "nonsense"}, {"predict"}, {"eval"}, {"cache", "export"}, {"weights", "inspect"}} {
		if r := icebox(t, dir, args...); r.code != exitUsage && r.code != exitData || r.errOut == "" || strings.Count(r.errOut, "\n") > 2 {
			t.Errorf("%v: exit %d, %s", args, r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "version", "--json"); r.lastJSON(t)["isa"] == "" {
		t.Errorf("version: %s", r.out)
	}
}
