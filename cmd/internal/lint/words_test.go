package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"icebox/config"
)

// Words for people are at the edge: what lies below cmd is used by other programs,
// too, whose users have no command, no flag and, but for config, no YAML key of
// icebox to go by.

// TestNoStringBelowCmdNamesACommandOrAFlag reads the string literals of everything
// below cmd.
func TestNoStringBelowCmdNamesACommandOrAFlag(t *testing.T) {
	words := newEdgeWords(commandNames(t), config.Keys())
	eachSource(t, func(name, full string) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, full, nil, 0)
		if err != nil {
			t.Error(err)
			return
		}
		for _, s := range stringsOf(file) {
			for _, fault := range words.faults(name, s.text) {
				t.Errorf("%s:%d: %s in %.80q", name, set.Position(s.pos).Line, fault, s.text)
			}
		}
	})
}

// edgeWords are what strings below cmd may not hold.
type edgeWords struct{ command, flag, key *regexp.Regexp }

func newEdgeWords(commands []string, keys []config.Key) edgeWords {
	var names []string
	for _, k := range keys {
		names = append(names, regexp.QuoteMeta(k.Name))
	}
	any := strings.Join(commands, "|")
	return edgeWords{
		command: regexp.MustCompile("`icebox[ `]|\\bicebox (" + any + ")\\b|`(" + any + ") [^`]+`"),
		flag:    regexp.MustCompile("(^|[\\s(\"'`])--[a-z]"),
		key:     regexp.MustCompile(`(^|[^\w.])(` + strings.Join(names, "|") + `)($|[^\w.]|\.($|\s))`),
	}
}

// faults says what a string of the named file may not say.
func (w edgeWords) faults(name, text string) []string {
	if within(name, "cmd") {
		return nil
	}
	var found []string
	if w.command.MatchString(text) {
		found = append(found, "a command")
	}
	if w.flag.MatchString(text) {
		found = append(found, "a flag")
	}
	if !within(name, "config") && !within(name, "pipeline") && w.key.MatchString(text) {
		found = append(found, "a key of the configuration")
	}
	return found
}

func TestEdgeWordsAreFound(t *testing.T) {
	words := newEdgeWords(commandNames(t), config.Keys())
	for _, c := range []struct{ file, text, want string }{
		{"extract/a.go", "no weights: icebox weights fetch gets them", "a command"},
		{"cache/a.go", "damaged: see `icebox cache verify`", "a command"},
		{"pipeline/report/a.go", "`cache compact` makes it smaller", "a command"},
		{"config/a.go", "icebox run head.lr=1", "a command"},
		{"pipeline/a.go", "known from before; --retry-failed tries again", "a flag"},
		{"pipeline/a.go", "--data", "a flag"},
		{"headtrain/a.go", "try head.epochs=1000", "a key of the configuration"},
		{"headtrain/judge/a.go", "a smaller head.lr", "a key of the configuration"},
		{"extract/a.go", "it is for backbone.device.", "a key of the configuration"},
		{"extract/a.go", "icebox run --offline head.lr=1", "a command, a flag, a key of the configuration"},
		{"config/a.go", "`head.lr` in the section `head` of `icebox.yaml`", ""},
		{"pipeline/a.go", "train and test share images -- 3 of them", ""},
		{"cache/a.go", "not a feature cache of icebox; run is over", ""},
		{"headtrain/a.go", "head.lr.x and the head. Epochs", ""},
		{"cmd/icebox/a.go", "icebox run --offline head.lr=1", ""},
	} {
		if got := strings.Join(words.faults(c.file, c.text), ", "); got != c.want {
			t.Errorf("%s says %q: found %q, want %q", c.file, c.text, got, c.want)
		}
	}
}

// stringsOf lists the string literals of a file, but for import paths and the tags
// of fields.
func stringsOf(file *ast.File) []literal {
	var found []literal
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				found = append(found, literal{n.Pos(), text})
			}
		}
		return true
	})
	return found
}

type literal struct {
	pos  token.Pos
	text string
}

// commandNames are the first words that cmd/icebox gives cobra as Use, alone or
// through its function group.
func commandNames(t *testing.T) []string {
	t.Helper()
	var names []string
	take := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			if name, _, _ := strings.Cut(text, " "); name != "" && name != "icebox" {
				names = append(names, regexp.QuoteMeta(name))
			}
		}
	}
	eachSource(t, func(name, full string) {
		if !within(name, "cmd/icebox") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), full, nil, 0)
		if err != nil {
			t.Error(err)
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if fmt.Sprint(n.Key) == "Use" {
					take(n.Value)
				}
			case *ast.CallExpr:
				if fmt.Sprint(n.Fun) == "group" {
					take(n.Args[0])
				}
			}
			return true
		})
	})
	for _, must := range []string{"run", "train", "sweep", "cache", "weights"} {
		if !slices.Contains(names, must) {
			t.Fatalf("cmd/icebox has no command %s; found %v", must, names)
		}
	}
	return names
}
