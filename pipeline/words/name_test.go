package words

import "testing"

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
