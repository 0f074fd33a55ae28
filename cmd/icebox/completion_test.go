package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// complete returns what Tab offers after args, without its explanations.
func complete(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	r := icebox(t, dir, append([]string{"__complete"}, args...)...)
	if r.code != 0 {
		t.Fatalf("%v: exit %d, %s", args, r.code, r.errOut)
	}
	var words []string
	for line := range strings.Lines(r.out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if !strings.HasPrefix(word, ":") {
			words = append(words, word)
		}
	}
	return words
}

func TestTabKnowsCommandsFlagsKeysAndValues(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		typed []string
		want  []string
	}{
		{[]string{"comp"}, []string{"completion"}},
		{[]string{"completion", ""}, []string{"bash", "zsh", "fish", "powershell"}},
		{[]string{"train", "--find"}, []string{"--find-lr"}},
		{[]string{"run", "head.lr"}, []string{"head.lr="}},
		{[]string{"run", "head.lr="}, []string{"head.lr=0.001"}},
		{[]string{"train", "head.batch_size=256", "head.early"}, []string{"head.early_stopping.patience=", "head.early_stopping.min_delta=", "head.early_stopping.metric="}},
		{[]string{"sweep", "head.optimizer="}, []string{"head.optimizer=adam", "head.optimizer=adamw", "head.optimizer=sgd", "head.optimizer=lbfgs"}},
		{[]string{"config", "show", "extract.exif="}, []string{"extract.exif=true", "extract.exif=false"}},
		{[]string{"run", "head.class_weights="}, []string{"head.class_weights=none", "head.class_weights=balanced"}},
		{[]string{"extract", "backbone.weights="}, []string{"backbone.weights=auto", "backbone.weights=random"}},
		{[]string{"run", "--weights", ""}, []string{"auto", "random"}},
		{[]string{"run", "no.such="}, nil},
	} {
		if got := complete(t, dir, c.typed...); !slices.Equal(got, c.want) {
			t.Errorf("%q: Tab offers %q, want %q", c.typed, got, c.want)
		}
	}
	for _, key := range []string{"data.train=", "head.lr=", "sweep.axes.lr=", "output.dir="} {
		if got := complete(t, dir, "run", ""); !slices.Contains(got, key) {
			t.Errorf("Tab does not offer %s, but %q", key, got)
		}
	}
}

func TestTabKnowsTheRunsNewestFirst(t *testing.T) {
	dir := t.TempDir()
	if got := complete(t, dir, "predict", "--run", ""); got != nil {
		t.Errorf("without a run Tab offers %q", got)
	}
	now := time.Now()
	for i, name := range []string{"b-old", "a-newer", "c-newest"} {
		for _, file := range []string{"head.safetensors", "sweep.jsonl"}[:1+i%2] {
			f := write(t, dir, filepath.Join("kept", name, file), nil)
			must(t, os.Chtimes(f, now, now.Add(time.Duration(i)*time.Minute)))
		}
	}
	must(t, os.MkdirAll(filepath.Join(dir, "kept", "no-run"), 0o755))
	write(t, dir, "icebox.yaml", []byte("output: {dir: kept}\n"))
	under := func(names ...string) (paths []string) {
		for _, n := range names {
			paths = append(paths, filepath.Join("kept", n))
		}
		return paths
	}
	for _, c := range []struct{ command, flag, runs []string }{
		{[]string{"predict"}, []string{"--run", ""}, under("c-newest", "a-newer", "b-old")},
		{[]string{"eval"}, []string{"--run", ""}, under("c-newest", "a-newer", "b-old")},
		{[]string{"insight"}, []string{"--run", ""}, under("c-newest", "a-newer", "b-old")},
		{[]string{"sweep"}, []string{"--resume", ""}, under("a-newer")},
	} {
		if got := complete(t, dir, append(c.command, c.flag...)...); !slices.Equal(got, c.runs) {
			t.Errorf("%v: Tab offers %q, want %q", c.command, got, c.runs)
		}
	}
}

func TestCompletionPrintsAScriptForEachShell(t *testing.T) {
	dir := t.TempDir()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := icebox(t, dir, "completion", shell)
		if r.code != 0 || len(r.out) < 1000 || !strings.Contains(r.out, "__complete") {
			t.Errorf("%s: exit %d, %d bytes, %s", shell, r.code, len(r.out), r.errOut)
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "csh"}} {
		if r := icebox(t, dir, args...); r.code != exitUsage {
			t.Errorf("%v: exit %d", args, r.code)
		}
	}
	if r := icebox(t, dir, "--help"); !strings.Contains(r.out, "completion") {
		t.Errorf("the help does not list completion: %s", r.out)
	}
}

// bash ends a word at "=": what it puts in the place of the word's end must not
// repeat the key.
func TestBashCompletesValuesWithoutTheKey(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: bash is not here")
	}
	dir := t.TempDir()
	script := write(t, dir, "icebox.bash", []byte(icebox(t, dir, "completion", "bash").out))
	for _, c := range []struct{ typed, offered, want string }{
		{"icebox run head.optimizer=ad", "head.optimizer=adam head.optimizer=adamw", "adam adamw"},
		{"icebox run head.opt", "head.optimizer=", "head.optimizer="},
		{"icebox run --run=a", "--run=b", "--run=b"},
	} {
		// The part of the script that asks icebox is left out: OFFERED is its answer.
		cmd := exec.Command(bash, "-c", `source "$1"; __start_icebox() { COMPREPLY=($OFFERED); }; COMP_LINE=$2 COMP_POINT=${#2}; __icebox_start; echo "${COMPREPLY[@]}"`, "bash", script, c.typed)
		cmd.Env = append(os.Environ(), "OFFERED="+c.offered)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("%s: bash offers %q, want %q (%v)", c.typed, got, c.want, err)
		}
	}
}

func TestVersionFlagSaysWhatTheCommandSays(t *testing.T) {
	dir := t.TempDir()
	flag, command := icebox(t, dir, "--version"), icebox(t, dir, "version")
	if flag.code != 0 || flag.out != command.out || !strings.HasPrefix(flag.out, "icebox ") {
		t.Errorf("exit %d: --version says %q, version %q", flag.code, flag.out, command.out)
	}
	var b build
	if err := json.Unmarshal([]byte(icebox(t, dir, "--version", "--json").out), &b); err != nil || b.Go == "" {
		t.Errorf("%+v: %v", b, err)
	}
	if r := icebox(t, dir, "--version", "nonsense"); r.code != exitUsage {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	defer func(v string) { version = v }(version)
	version = "1.2.3"
	if r := icebox(t, dir, "--version"); !strings.HasPrefix(r.out, "icebox 1.2.3") {
		t.Errorf("a release calls itself %q", r.out)
	}
}
