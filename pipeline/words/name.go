package words

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name is a name of a file as it fits into a line: one that holds what is not printable, such
// as a line break, a tab or an escape sequence of a terminal, or bytes that are no UTF-8, is
// quoted as Go quotes strings. So is one that begins with a quote: every name can be told
// from a quoted one.
func Name(name string) string {
	if !utf8.ValidString(name) || strings.HasPrefix(name, `"`) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// Printable is text for a terminal: what is not printable in it, but for line breaks and
// tabs, is written as in a quoted string, so that no name in it moves the cursor or changes
// colours.
func Printable(text string) string {
	odd := func(r rune) bool {
		return r != '\n' && r != '\t' && (!unicode.IsPrint(r) && !unicode.IsSpace(r) || unicode.IsControl(r))
	}
	if utf8.ValidString(text) && !strings.ContainsFunc(text, odd) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1 || odd(r):
			quoted := strconv.Quote(text[i : i+n])
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}
