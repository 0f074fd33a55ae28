package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFindLRRecommendsARateAndWritesNothing(t *testing.T) {
	dir := featureFolder(t)
	args := []string{"train", "--features", "f", "--find-lr", "head.batch_size=16", "head.lr=1"}
	r := icebox(t, dir, args...)
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	for _, want := range []string{"lr ", "train_loss\n", "0.00215", "train_loss by lr", "*", "lowest after one epoch on 60 rows"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in %s", want, r.out)
		}
	}
	args = append(args, "--json", "head.threads=1")
	got := icebox(t, dir, args...)
	if again := icebox(t, dir, append(args, "head.threads=3")...); again.lastJSON(t)["lr"] != got.lastJSON(t)["lr"] {
		t.Errorf("twice: %s %s", got.out, again.out)
	}
	found := got.lastJSON(t)
	tried := found["tried"].([]any)
	lowest := slices.MinFunc(tried, func(a, b any) int {
		if a.(map[string]any)["loss"].(float64) < b.(map[string]any)["loss"].(float64) {
			return -1
		}
		return 1
	})
	lr := found["lr"].(float64)
	if best := lowest.(map[string]any)["lr"].(float64); len(tried) != 16 || lr < 0.99*best || lr > 1.01*best {
		t.Errorf("%v of %v", lr, tried)
	}
	if found["train_rows"] != 60.0 {
		t.Errorf("%v", found)
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("it wrote something: %v", entries)
	}

	command := found["command"].(string)
	if strings.Contains(command, "find-lr") || strings.Contains(command, "json") || strings.Count(command, "head.lr=") != 1 {
		t.Fatalf("command: %s", command)
	}
	run := icebox(t, dir, strings.Fields(command)[1:]...)
	if run.code != 0 {
		t.Errorf("%s: exit %d: %s", command, run.code, run.errOut)
	}
	if _, err := os.Stat(filepath.Join(dir, "runs")); err != nil {
		t.Error(err)
	}
}

func TestFindLRSaysWhyThereIsNone(t *testing.T) {
	dir := featureFolder(t)
	for _, c := range []struct {
		want string
		code int
		args []string
	}{
		{"features.npy", exitData, []string{"--features", "nowhere"}},
		{"there is no cache", exitData, nil},
		{"head.optimizer (lbfgs) has no learning rate to look for", exitUsage, []string{"--features", "f", "head.optimizer=lbfgs"}},
	} {
		if r := icebox(t, dir, append([]string{"train", "--find-lr"}, c.args...)...); r.code != c.code || !strings.Contains(r.errOut, c.want) {
			t.Errorf("%v: exit %d, %s", c.args, r.code, r.errOut)
		}
	}
}

func TestQuotedWordsAreOneWordOfAShell(t *testing.T) {
	for word, want := range map[string]string{
		"runs/a.yaml": "runs/a.yaml", "": "''", "my photos": "'my photos'", "it's": `'it'\''s'`, "head.class_weights={a: 2}": "'head.class_weights={a: 2}'",
		"a$b": "'a$b'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
