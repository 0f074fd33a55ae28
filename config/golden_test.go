package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write REFERENCE.md and the golden files of testdata")

// golden compares got with the file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// testFiles calls test with each file of testdata that ends so.
func testFiles(t *testing.T, ending string, test func(t *testing.T, dir, name string)) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"+ending))
	if len(files) == 0 {
		t.Fatalf("no file ends in %s", ending)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ending)
		t.Run(name, func(t *testing.T) { test(t, dir, name) })
	}
}

func show(c *Config, dir string) string {
	var out strings.Builder
	for _, e := range c.Show() {
		value := filepath.ToSlash(strings.ReplaceAll(e.Value, dir, "DIR"))
		fmt.Fprintf(&out, "%-32s %-36s %s\n", e.Key, value, e.Origin)
	}
	return out.String()
}

func TestGoodFilesHaveTheirEffect(t *testing.T) {
	testFiles(t, ".good.yml", func(t *testing.T, dir, name string) {
		c, err := Load(Source{File: name + ".good.yml", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", name+".golden"), show(c, dir))
	})
}

func TestBadFilesGetTheirMessages(t *testing.T) {
	testFiles(t, ".bad.yml", func(t *testing.T, dir, name string) {
		c, err := Load(Source{File: name + ".bad.yml", Dir: dir})
		if err == nil || c != nil {
			t.Fatal("it loads")
		}
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%v is not ErrConfig", err)
		}
		golden(t, filepath.Join("testdata", name+".err"), err.Error()+"\n")
	})
}
