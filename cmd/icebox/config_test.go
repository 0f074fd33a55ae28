package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	if r := icebox(t, dir, "config", "init"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	if r := icebox(t, dir, "config", "init"); r.code != exitUsage {
		t.Errorf("init overwrote: %s", r.errOut)
	}
	if r := icebox(t, dir, "config", "check"); r.code != 0 {
		t.Errorf("the starter file is not sound: %s", r.errOut)
	}
	r := iceboxEnv(t, dir, []string{"ICEBOX_HEAD_LR=0.5"}, "config", "show", "head.epochs=3")
	for _, want := range []string{"head.lr", "0.5", "ICEBOX_HEAD_LR", "head.epochs"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("show has no %q: %s", want, r.out)
		}
	}
}

func TestConfigCheckTellsEveryFault(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "icebox.yaml", []byte("head:\n  lr: 0\n  epoch: 3\n"))
	r := icebox(t, dir, "config", "check")
	if want := "icebox: " + filepath.Join(dir, "icebox.yaml") + ":2: head.lr (0) must be > 0\n  "; r.code != exitUsage || !strings.Contains(r.errOut, want) || !strings.Contains(r.errOut, "did you mean head.epochs?") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
	if r := icebox(t, dir, "config", "show", "--config", "none.yaml"); r.code != exitUsage || !strings.Contains(r.errOut, "no such file\n  try: `icebox config init`") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}
