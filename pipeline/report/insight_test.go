package report

import (
	"strings"
	"testing"

	"icebox/pipeline/insight"
)

// The text says how many labels are wrong, or that none is to be doubted.
func TestTextOfLabels(t *testing.T) {
	clean := Insight{Findings: insight.Findings{LabelsJudged: 1200, Folds: 5}}
	doubt := Insight{Findings: insight.Findings{LabelsJudged: 1200, LabelsWrong: 7.4, Folds: 5, Suspects: []insight.Suspect{{Path: "a.png", Label: "cat", LooksLike: "dog", Chance: 0.987}}}}
	for want, i := range map[string]Insight{
		"LABELS  none of 1,200 is wrong with a chance of 5 % or more": clean,
		"LABELS  about 7 of 1,200 are wrong, by estimate; 1 to look":  doubt,
		" a.png        cat    dog         98.70 %":                    doubt,
	} {
		text := new(strings.Builder)
		i.suspectsText(text)
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
