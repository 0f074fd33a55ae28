package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// fence says who alone may import what.
type fence struct {
	imports string   // an import path, or the beginning of one
	only    []string // folders whose packages may
	reason  string
}

var fences = []fence{
	{"github.com/spf13/viper", []string{"config"}, "layering of values is config's business"},
	{"go.yaml.in/yaml", []string{"config"}, "YAML is read in one place"},
	{"github.com/spf13/cobra", []string{"cmd/icebox"}, "commands are words for people"},
	{"github.com/vbauerster/mpb", []string{"cmd/icebox"}, "drawing progress is the command's business"},
	{"go.etcd.io/bbolt", []string{"cache"}, "the file's layout and its fault guard are in cache"},
	{"github.com/disintegration/imaging", []string{"extract", "pipeline"}, "pixels belong to extract, thumbnails to reports"},
	{"gorgonia.org", []string{"headtrain/graph"}, "a user of the linear head links no graph engine"},
	{"github.com/ebitengine/purego", []string{"extract/cuda"}, "a user of the CPU engine links no dynamic loader"},
	{"github.com/nlpodyssey/gopickle", []string{"extract/internal/weights"}, "pickles are read in one guarded place"},
	{"icebox/cmd", []string{"cmd"}, "arrows go down"},
	{"icebox/config", []string{"cmd"}, "nothing below knows where a value came from"},
	{"icebox/pipeline", []string{"cmd", "config"}, "arrows go down"},
	{"icebox/extract", []string{"extract", "pipeline", "config", "cmd"}, "the leaves do not know each other"},
	{"icebox/cache", []string{"cache", "pipeline", "config", "cmd"}, "the leaves do not know each other"},
	{"icebox/headtrain", []string{"headtrain", "pipeline", "config", "cmd"}, "the leaves do not know each other"},
	{"icebox/headtrain/graph", []string{"headtrain/graph", "cmd"}, "engines that drag much along are handed down by cmd"},
	{"icebox/extract/cuda", []string{"extract/cuda", "cmd"}, "engines that drag much along are handed down by cmd"},
}

// broken lists the fences that a file in folder dir breaks with its imports.
func broken(dir string, file *ast.File) []string {
	var faults []string
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		for _, f := range fences {
			if within(path, f.imports) && !anyWithin(dir, f.only) {
				faults = append(faults, fmt.Sprintf("%s imports %s: only %s may, since %s", dir, path, strings.Join(f.only, ", "), f.reason))
			}
		}
	}
	return faults
}

func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

func anyWithin(dir string, folders []string) bool {
	for _, f := range folders {
		if within(dir, f) {
			return true
		}
	}
	return false
}

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eachFile calls f for every Go file of the module.
func eachFile(t *testing.T, f func(dir, path string)) {
	top := root(t)
	n := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != top && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			rel, err := filepath.Rel(top, filepath.Dir(path))
			if err != nil {
				return err
			}
			n++
			f(filepath.ToSlash(rel), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Fatalf("only %d Go files found below %s", n, top)
	}
}

func TestFencesStand(t *testing.T) {
	eachFile(t, func(dir, path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		for _, fault := range broken(dir, file) {
			t.Errorf("%s: %s", filepath.Base(path), fault)
		}
	})
}

// A rule that no import can break is no rule: each fence must stop a sample.
func TestEveryFenceStopsASample(t *testing.T) {
	for _, f := range fences {
		src := fmt.Sprintf("package sample\nimport _ %q\n", f.imports+"/v9")
		file, err := parser.ParseFile(token.NewFileSet(), "sample.go", src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		outside := "elsewhere"
		if len(broken(outside, file)) == 0 {
			t.Errorf("fence of %s lets %s through", f.imports, outside)
		}
		if got := broken(f.only[0], file); len(got) != 0 && f.imports != "icebox/headtrain/graph" {
			t.Errorf("fence of %s stops %s: %v", f.imports, f.only[0], got)
		}
	}
}

// Every package says what it is in a comment that tools show.
func TestEveryPackageHasADoc(t *testing.T) {
	has, seen := map[string]bool{}, map[string]bool{}
	eachFile(t, func(dir, path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Error(err)
			return
		}
		seen[dir] = true
		if file.Doc != nil && len(file.Doc.Text()) > 40 {
			has[dir] = true
		}
	})
	for dir := range seen {
		if !has[dir] {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

// Functions fit a screen.
func TestFunctionsAreShort(t *testing.T) {
	const most = 80
	eachFile(t, func(dir, path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line; n > most {
				t.Errorf("%s/%s: %s has %d lines, %d are the limit", dir, filepath.Base(path), f.Name.Name, n, most)
			}
		}
	})
}
