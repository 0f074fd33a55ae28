package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

func copyDir(to, from string) error { return os.CopyFS(to, os.DirFS(from)) }

// What a person reads on a terminal of 80 columns fits it.
func TestOutputFitsTheTerminal(t *testing.T) {
	dir := folder(t, 2, 6)
	must(t, copyFeatures(t, dir))
	weightsFile(t, dir, "w.pth")
	run := icebox(t, dir, append(commandCases("")[0].good, "--json")...).lastJSON(t)["run_dir"].(string)
	p := &process{dir: dir}
	for _, c := range commandCases(p.short(run)) {
		for _, args := range [][]string{c.good, append(c.bad, "--quiet")} { // no bars are drawn then
			if args == nil || args[0] == "predict" || args[0] == "weights" || args[0] == "doctor" || args[0] == "bench" && args[1] != "head" || len(args) > 1 && (args[1] == "keys" || args[1] == "schema") {
				continue // lines for programs, and names of tensors
			}
			out, errOut := onTerminal(dir, args...)
			for line := range strings.Lines(out + errOut) {
				line = strings.TrimSuffix(line, "\n")
				if n := utf8.RuneCountInString(line); n > 80 && !strings.HasPrefix(line, "  icebox ") && !longWord(line) {
					t.Errorf("%v: a line of %d columns: %s", args, n, line)
				}
			}
		}
	}
}

// longWord reports whether a line holds one that cannot be broken: the path of a
// temporary folder.
func longWord(line string) bool {
	for word := range strings.FieldsSeq(line) {
		if strings.Contains(word, os.TempDir()) {
			return true
		}
	}
	return false
}

// onTerminal runs the program with a terminal of 80 columns for results and, if it is
// quiet, for errors.
func onTerminal(dir string, args ...string) (out, errOut string) {
	var stdout, stderr bytes.Buffer
	p := &process{
		environ: []string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, dir: dir, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, outWidth: 80,
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}
	if slices.Contains(args, "--quiet") {
		p.errWidth = 80
	}
	p.main(args)
	if p.errWidth == 0 {
		stderr.Reset() // it is no terminal, and its lines are not wrapped
	}
	return stdout.String(), stderr.String()
}

func TestLinesAreWrapped(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"short\n", "short\n"},
		{"features   one two three\n", "features   one two\n           three\n"},
		{"note: one two three four five\n", "note: one two three\nfour five\n"},
		{"  try: one two three four\n", "  try: one two three\n  four\n"},
		{"a averyveryverylongword b\n\nc", "a\naveryveryverylongword\nb\n\nc"},
		{"  icebox train --features a b c d\n", "  icebox train --features a b c d\n"},
	} {
		if got := wrap(c.text, 20); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
		if got := wrap(c.text, 0); got != c.text {
			t.Errorf("without a terminal %q became %q", c.text, got)
		}
	}
}

// fullDevice is a stdout that takes nothing.
type fullDevice struct{}

func (fullDevice) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestNoCommandSucceedsOnAFullOutput(t *testing.T) {
	dir := trainedIn(t)
	for _, args := range [][]string{
		{"--help"}, {"help", "exit-codes"}, {"version"}, {"cache", "stat"}, {"cache", "verify"}, {"eval", "--run", "latest"}, {"eval", "--run", "latest", "--json"},
		{"runs"}, {"predict", "--run", "latest", "photos"}, {"predict", "--run", "latest", "photos", "-o", "-"}, {"predict", "--run", "latest", "photos/a/0.png"},
		{"config", "show"}, {"config", "keys"}, {"completion", "bash"}, {"train", "head.tune=off"}, {"insight", "--run", "latest"}, {"extract", "--data", "photos", "--weights", "random:1"},
	} {
		p := &process{
			environ: []string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, dir: dir, stdin: strings.NewReader(""), stdout: fullDevice{}, stderr: io.Discard,
			interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
		}
		if code := p.main(args); code != exitDiskFull {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}
