package weights

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// places is a machine with nothing on it: an environment and its folders.
type places struct {
	t        *testing.T
	vars     map[string]string
	own, hub string
}

func newPlaces(t *testing.T) *places {
	root := t.TempDir()
	return &places{
		t:    t,
		vars: map[string]string{"XDG_CACHE_HOME": root},
		own:  filepath.Join(root, "icebox", "weights"),
		hub:  filepath.Join(root, "torch", "hub", "checkpoints"),
	}
}

func (p *places) env(name string) string { return p.vars[name] }

func (p *places) put(dir, name string, data []byte) string {
	p.t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func TestFindLooksInOrder(t *testing.T) {
	p := newPlaces(t)
	find := func(want string) {
		t.Helper()
		if got, err := Find(Search{Env: p.env}); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	p.put(p.own, "official.pth.part", nil)
	p.put(p.own, ".hidden.pth", nil)
	p.put(p.hub, "resnet18-5c106cde.pth", nil)
	_, err := Find(Search{Env: p.env})
	if !errors.Is(err, ErrNotFound) || errors.Is(err, ErrHashNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	for _, words := range []string{PathVariable, p.own, p.hub} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
	find(p.put(p.hub, officialName, nil))
	find(p.put(p.own, "mine.safetensors", nil))
	find(p.put(p.own, "adapted.pth", nil))
	find(p.put(p.own, officialName, nil))
	named := p.put(t.TempDir(), "named", nil)
	p.vars[PathVariable] = named
	find(named)
	for _, word := range []string{"auto", "random", "random:3"} {
		p.vars[PathVariable] = word
		find(filepath.Join(p.own, officialName))
	}
	p.vars[PathVariable] = filepath.Join(p.own, "gone.pth")
	if _, err := Find(Search{Env: p.env}); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrVariable) || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), PathVariable) {
		t.Errorf("got %v, want an error that names %s", err, PathVariable)
	}
}

func TestHubFolderFollowsPyTorch(t *testing.T) {
	for _, c := range []struct {
		vars map[string]string
		want string
	}{
		{map[string]string{"TORCH_HOME": "~/t", "HOME": "/h"}, "/h/t/hub/checkpoints"},
		{map[string]string{"TORCH_HOME": "/t", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/t/hub/checkpoints"},
		{map[string]string{"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/torch/hub/checkpoints"},
		{map[string]string{"HOME": "/h"}, "/h/.cache/torch/hub/checkpoints"},
		{map[string]string{"USERPROFILE": "/u"}, "/u/.cache/torch/hub/checkpoints"},
	} {
		if got := hubFolder(func(name string) string { return c.vars[name] }); got != filepath.FromSlash(c.want) {
			t.Errorf("%v: got %s, want %s", c.vars, got, c.want)
		}
	}
}

func TestFindByHashOpensEveryCandidate(t *testing.T) {
	p := newPlaces(t)
	wanted := encoded(t, encodeSafetensors, resnetTensors())
	other := encoded(t, encodePTH, Random(1).tensors)
	hash := Random(0).Hash()
	search := func() (string, error) {
		return Find(Search{Env: p.env, Hash: hash, Hints: []string{filepath.Join(p.own, "hint.pth"), filepath.Join(p.own, "gone.pth")}})
	}
	if _, err := Find(Search{Env: p.env, Hash: hash}); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "no file") {
		t.Errorf("nothing to open: got %v, want ErrNotFound", err)
	}
	p.put(p.own, "hint.pth", other)
	p.put(p.own, "broken.pth", []byte("PK\x03\x04"))
	p.vars[PathVariable] = filepath.Join(p.own, "gone.pth")
	_, err := search()
	if !errors.Is(err, ErrNotFound) || !errors.Is(err, ErrHashNotFound) {
		t.Fatalf("got %v, want ErrHashNotFound", err)
	}
	for _, words := range []string{hash[:12], "hint.pth: other weights", "gone.pth: is not there", "broken.pth", "cut short", p.hub} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q is not in: %v", words, err)
		}
	}
	if strings.Count(err.Error(), "hint.pth: ") != 1 {
		t.Errorf("a file is named twice: %v", err)
	}
	for _, place := range [][2]string{{p.hub, "resnet18-abcdef01.pth"}, {p.own, "renamed.safetensors"}, {p.own, "hint.pth"}} {
		want := p.put(place[0], place[1], wanted)
		if got, err := search(); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}
