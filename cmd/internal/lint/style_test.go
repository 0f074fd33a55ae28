package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"testing"
)

// Every package says what it is in a comment that tools show.
func TestEveryPackageHasADoc(t *testing.T) {
	has, seen := map[string]bool{}, map[string]bool{}
	eachSource(t, func(name, full string) {
		file, err := parser.ParseFile(token.NewFileSet(), full, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Error(err)
			return
		}
		dir := path.Dir(name)
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
	eachSource(t, func(name, full string) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, full, nil, 0)
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
				t.Errorf("%s: %s has %d lines, %d are the limit", name, f.Name.Name, n, most)
			}
		}
	})
}
