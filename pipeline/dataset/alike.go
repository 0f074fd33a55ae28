package dataset

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrAlike is returned for names of classes that differ in Unicode form, case or blanks
// alone: as a rule, one class that was written in two ways.
var ErrAlike = fmt.Errorf("%w: class names that look alike", ErrData)

// CheckAlike returns an [ErrAlike] for names of classes that look alike. It lets two letters pass that differ in case:
// a and A are classes of handwriting.
func CheckAlike(classes []string) error {
	fold := cases.Fold()
	seen := map[string]string{}
	for _, name := range classes {
		key := strings.Join(strings.Fields(norm.NFC.String(name)), " ")
		if utf8.RuneCountInString(key) > 1 {
			key = norm.NFC.String(fold.String(key))
		}
		if other, ok := seen[key]; ok {
			return fmt.Errorf("%w: %q (%s) and %q (%s): give both one name", ErrAlike, other, codePoints(other), name, codePoints(name))
		}
		seen[key] = name
	}
	return nil
}

// codePoints writes the letters of a name as Unicode numbers them.
func codePoints(name string) string {
	return strings.Trim(fmt.Sprintf("%U", []rune(name)), "[]")
}
