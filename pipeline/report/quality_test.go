package report

import (
	"strings"
	"testing"

	"icebox/pipeline/insight"
	"icebox/pipeline/quality"
)

// A line says what was found, and only if something was. What most images have is left out.
func TestLineOnQuality(t *testing.T) {
	dark := quality.Issue{Name: quality.Dark, Images: 3, Worst: []quality.Picture{{Ref: insight.Ref{Path: "night.jpg"}, Score: 0.125}}}
	grey := quality.Issue{Name: quality.Grayscale, Images: 1500}
	for _, c := range []struct {
		q    *quality.Report
		want string
	}{
		{nil, ""},
		{&quality.Report{Judged: 2000, NotJudged: 4, Issues: []quality.Issue{{Name: quality.Light}, grey}}, ""},
		{&quality.Report{Judged: 2000, Issues: []quality.Issue{dark, grey}}, "quality    3 dark of 2,000 images\n"},
		{&quality.Report{Judged: 4000, NotJudged: 5, Issues: []quality.Issue{dark, grey}}, "quality    3 dark, 1,500 grayscale of 4,000 images; 5 not judged\n"},
	} {
		line := new(strings.Builder)
		if qualityLine(line, "quality   ", c.q); line.String() != c.want {
			t.Errorf("%q, want %q", line, c.want)
		}
	}
	for want, q := range map[string]*quality.Report{
		"\nPICTURES  not judged: an earlier version computed their features\n":                 {NotJudged: 5},
		"PICTURES  none of 8 is dark, light, blurry, empty or unlike the others\n":             {Judged: 8},
		"the others; 2 not judged, because an earlier version computed their features\n":       {Judged: 8, NotJudged: 2},
		" dark   3       night.jpg  0.125\nA score goes from 0, the worst, to 1. All of these": {Judged: 8, Issues: []quality.Issue{dark}},
	} {
		text := new(strings.Builder)
		if (&Insight{Quality: q}).qualityText(text); !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
