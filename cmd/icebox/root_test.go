package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
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

// The help of every command fits 80 columns.
func TestHelpFits(t *testing.T) {
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		r := icebox(t, t.TempDir(), append(slices.Clone(path), "--help")...)
		if r.code != 0 || r.out == "" {
			t.Errorf("%v: exit %d: %s", path, r.code, r.errOut)
		}
		for line := range strings.Lines(r.out) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%v --help: a line of %d columns: %s", path, n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub, append(slices.Clone(path), sub.Name()))
		}
	}
	walk((&process{}).rootCommand(), nil)
}
