package config

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"icebox/pipeline/dataset"
)

// A list of texts is one text, or several, wherever it is written.
func TestGlobsAreReadFromEverywhere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yml")
	for _, c := range []struct {
		text, argument, env string
		want                []string
	}{
		{text: "data: {exclude: raw/}", want: []string{"raw/"}},
		{text: "data:\n  exclude:\n    - raw/\n    - \"*.tmp\"\n", want: []string{"raw/", "*.tmp"}},
		{text: "data: {exclude: []}"},
		{argument: "*_mask.*", want: []string{"*_mask.*"}},
		{argument: "[0-9]*.jpg", want: []string{"[0-9]*.jpg"}},
		{argument: `[raw/, "*.tmp"]`, want: []string{"raw/", "*.tmp"}},
		{env: "ICEBOX_DATA_EXCLUDE=!keep.jpg", want: []string{"!keep.jpg"}},
	} {
		write(t, file, c.text)
		s := Source{File: file, Dir: dir, Environ: []string{c.env}}
		if c.argument != "" {
			s.Overrides = []Override{{Key: "data.exclude", Value: c.argument}}
		}
		got := load(t, s).Options.Data.Reading.Exclude
		if len(got)+len(c.want) > 0 && !cmp.Equal(c.want, got) {
			t.Errorf("%+v: %q", c, got)
		}
	}
	for _, bad := range []string{"data: {exclude: [a: b]}", "data: {exclude: {a: b}}", "data: {exclude: [3]}", "data: {exclude: [a//b]}"} {
		write(t, file, bad)
		if _, err := Load(Source{File: file, Dir: dir}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestColumnsAreASection(t *testing.T) {
	got := load(t, Source{Dir: t.TempDir(), Overrides: []Override{{Key: "data.columns", Value: "{path: id, label: breed}"}}})
	if want := (dataset.Columns{Path: "id", Label: "breed"}); got.Options.Data.Reading.Columns != want {
		t.Errorf("%+v", got.Options.Data.Reading.Columns)
	}
}
