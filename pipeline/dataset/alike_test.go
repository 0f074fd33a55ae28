package dataset

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamesThatLookAlikeAreRefused(t *testing.T) {
	for _, c := range []struct {
		classes []string
		says    string // "" where they pass
	}{
		{[]string{"cafe\u0301", "caf\u00e9"}, "(U+0063 U+0061 U+0066 U+0065 U+0301) and \"caf\u00e9\" (U+0063 U+0061 U+0066 U+00E9)"},
		{[]string{"Cat", "cat"}, `"Cat" (U+0043 U+0061 U+0074) and "cat"`},
		{[]string{"STRASSE", "straße"}, "U+00DF"},
		{[]string{"dog", "dog "}, "U+0020"},
		{[]string{"red  fox", "red fox"}, "U+0020 U+0020"},
		{[]string{"A", "a", "ab"}, ""},
		{[]string{"red fox", "redfox", "red_fox"}, ""},
	} {
		err := CheckAlike(c.classes)
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, ErrAlike) || !errors.Is(err, ErrData) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%q: got %v, want %q", c.classes, err, c.says)
		}
	}
}

// Equal names in two parts are one class only if they are equal to the byte.
func TestNamesThatLookAlikeInTwoParts(t *testing.T) {
	dir := tree(t, "a/caf\u00e9/1.jpg", "a/bar/1.jpg", "b/cafe\u0301/2.jpg")
	_, err := Scan(context.Background(), Options{Train: filepath.Join(dir, "a"), Val: filepath.Join(dir, "b")}, nil)
	if !errors.Is(err, ErrAlike) {
		t.Errorf("got %v", err)
	}
}
