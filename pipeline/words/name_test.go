package words

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestNamesFitIntoALine(t *testing.T) {
	for name, want := range map[string]string{
		"a b.jpg": "a b.jpg", "ünï/ß.jpg": "ünï/ß.jpg", "tab\t.jpg": `"tab\t.jpg"`, "two\nlines": `"two\nlines"`,
		"\x1b[31mred": `"\x1b[31mred"`, "caf\xe9": `"caf\xe9"`, `"quoted"`: `"\"quoted\""`, "right\u202eleft": `"right\u202eleft"`,
	} {
		if got := Name(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestNothingInATextMovesTheCursor(t *testing.T) {
	for text, want := range map[string]string{
		"plain\n\ttext – 1\u00a0%": "plain\n\ttext – 1\u00a0%", "a\x1b[2Jb\rc\x07": `a\x1b[2Jb\rc\a`, "caf\xe9": `caf\xe9`, "c1 \u009b31m": `c1 \u009b31m`, "over\u202e": `over\u202e`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzName holds that a name fits into a line and that no two names look alike there, and
// that no text moves the cursor.
func FuzzName(f *testing.F) {
	for _, name := range []string{"a.jpg", "\"a.jpg\"", "two\nlines", "\x1b[2J", "caf\xe9", "\u202eabc", "ß", "", "\u0085"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := Name(name)
		back := got
		if strings.HasPrefix(got, `"`) {
			var err error
			if back, err = strconv.Unquote(got); err != nil {
				t.Fatalf("%q became %s: %v", name, got, err)
			}
		}
		if back != name {
			t.Fatalf("%q became %s, which is %q", name, got, back)
		}
		for _, text := range []string{got, strings.Join(strings.Fields(Printable(name)), "")} {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
				t.Fatalf("%q is %q on a terminal", name, text)
			}
		}
		if again := Printable(Printable(name)); again != Printable(name) {
			t.Fatalf("%q changes again: %q", name, again)
		}
	})
}
