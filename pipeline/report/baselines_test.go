package report

import (
	"encoding/json"
	"strings"
	"testing"

	"icebox/headtrain/judge"
)

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		judge.Baseline
		want verdict
	}{
		{judge.Baseline{Head: 0.7, OnlyIt: 10, OnlyHead: 11}, beaten},
		{judge.Baseline{Head: 1}, beaten},
		{judge.Baseline{Head: 0.7, OnlyIt: 10, OnlyHead: 10}, aheadByChance},
		{judge.Baseline{Head: 0.7, OnlyIt: 13, OnlyHead: 5}, aheadByChance},
		{judge.Baseline{Head: 0.7, OnlyIt: 15, OnlyHead: 5}, clearlyAhead},
	} {
		if got := verdictOn(&c.Baseline); got != c.want {
			t.Errorf("%+v: %v, want %v", c.Baseline, got, c.want)
		}
	}
	// A clear gap on a sample outweighs a larger one that may be chance.
	b := Baselines{Part: "val", Found: []judge.Baseline{
		{Name: "large", Accuracy: 0.9, Head: 0.5, Rows: 10, OnlyIt: 4},
		{Name: "clear", Accuracy: 0.6, Head: 0.5, Rows: 1000, OnlyIt: 100},
		{Name: "level", Accuracy: 0.5, Head: 0.5, Rows: 1000, OnlyIt: 9, OnlyHead: 9},
	}}
	if best := b.Best(); best.Name != "clear" {
		t.Errorf("best: %+v", best)
	}
	const level = "the head is level with the baseline level: both have 50.00 % of 1,000 val images right"
	if got := b.byChance(&b.Found[2]); got != level {
		t.Error(got)
	}
}

// TestSampledBaselinesSaySoBesideTheirNumber is about what is printed and saved.
func TestSampledBaselinesSaySoBesideTheirNumber(t *testing.T) {
	b := Baselines{Part: "test", Found: []judge.Baseline{
		{Name: "majority class", Accuracy: 0.1, Rows: 900, RowsOf: 900, Learned: 35000, LearnedOf: 35000, Head: 1},
		{Name: "nearest image", Accuracy: 0.2, Rows: 488, RowsOf: 900, Learned: 6000, LearnedOf: 35000, Head: 1},
		{Name: "ridge regression", Accuracy: 0.3, Rows: 900, RowsOf: 900, Learned: 6000, LearnedOf: 35000, Head: 1},
	}}
	text := new(strings.Builder)
	b.text(text, 0.5)
	const want = "baselines   on test: majority class 10.00 %, nearest image 20.00 % (488 of 900 queries, 6,000 of 35,000 rows), " +
		"ridge regression 30.00 % (900 of 900 queries, 6,000 of 35,000 rows), this head 50.00 %\n"
	if text.String() != want {
		t.Errorf("%s", text)
	}
	body, err := json.Marshal(b)
	if err != nil || !strings.Contains(string(body), `"rows":488,"rows_of":900,"learned":6000,"learned_of":35000`) {
		t.Errorf("%s, %v", body, err)
	}
}

func TestWorseIsSaid(t *testing.T) {
	if worse(0.1, 0.2) != " (worse)" || worse(0.2, 0.1) != "" || worse(0.1, 0.1) != "" {
		t.Error("worse")
	}
}
