package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"icebox/pipeline/predictions"
)

// A map lies below its folder, whatever the image is called, and no two images share one.
func TestMapsAreNamedAsTheirImages(t *testing.T) {
	e := &explainer{dir: "why", from: map[string]string{}}
	root := filepath.VolumeName(t.TempDir()) + string(filepath.Separator)
	for _, c := range []struct{ name, want string }{
		{"a.jpg", "why/a.jpg.evidence.jpg"},
		{"a.jpg", "why/a.jpg.evidence.jpg"},
		{"x/../a.jpg", "why/a.jpg-2.evidence.jpg"},
		{"cat/a.jpg", "why/cat/a.jpg.evidence.jpg"},
		{"../../etc/a.jpg", "why/etc/a.jpg.evidence.jpg"},
		{root + filepath.Join("photos", "b.jpg"), "why/b.jpg.evidence.jpg"},
		{"shard:7/a.jpg", "why/shard_7/a.jpg.evidence.jpg"},
		{"-", "why/stdin.evidence.jpg"},
	} {
		got, err := e.file(c.name)
		if err != nil || filepath.ToSlash(got) != c.want {
			t.Errorf("%q: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	if file, err := e.file("a\x00.jpg"); err == nil {
		t.Errorf("a name with a zero byte gives %q", file)
	}
}

func TestMapsDoNotMixWithOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(CheckExplained(dir, false), CheckExplained(filepath.Join(dir, "new"), false)); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckExplained(dir, false); !errors.Is(err, predictions.ErrExists) {
		t.Errorf("%v", err)
	}
	if err := CheckExplained(dir, true); err != nil {
		t.Error(err)
	}
	if CheckExplained(file, true) == nil {
		t.Error("a file is no folder")
	}
}
