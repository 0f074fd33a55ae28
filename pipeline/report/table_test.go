package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
)

func TestPathsAreShortenedSoThatTablesFit(t *testing.T) {
	long := strings.Repeat("folder/", 20) + "name.jpg"
	for _, paths := range [][]any{{long, "a.jpg"}, {long, long}, {"a.jpg", "b.jpg"}} {
		var out strings.Builder
		tab := NewTable(&out, 2, 3)
		tab.AppendHeader(table.Row{"cosine", "image", "copy", ""})
		tab.AppendRow(table.Row{"0.999", paths[0], paths[1], "leak"})
		tab.Render()
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > Width {
				t.Errorf("a line of %d columns: %s", n, line)
			}
		}
		for _, p := range paths {
			if name := p.(string); !strings.Contains(out.String(), name[max(0, len(name)-20):]) {
				t.Errorf("%s is not there:\n%s", name, out.String())
			}
		}
	}
}

func TestShortPathsKeepTheirEnd(t *testing.T) {
	for path, want := range map[string]string{
		"a/b.jpg": "a/b.jpg", "photos/2024/holidays/beach.jpg": "…/beach.jpg", "averyveryverylongname.jpg": "…verylongname.jpg", "müller/ß/ü.jpg": "müller/ß/ü.jpg",
	} {
		if got := ShortPath(path, 17); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
