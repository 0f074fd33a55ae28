package pipeline

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/report"
)

// Every accuracy has its interval, the same in training and in a later evaluation.
func TestEveryAccuracyHasAnInterval(t *testing.T) {
	o := featureOptions(t)
	sum, err := o.train()
	must(t, err)
	rep, text := reportOf(t, sum)
	for part, s := range rep.Parts {
		if i := rep.Answers.Parts[part].Interval; i == nil || !(i.Low <= s.Top1 && s.Top1 <= i.High && i.Low < i.High) || rep.Answers.Parts[part].Units != s.N {
			t.Errorf("%s: accuracy %v, %+v", part, s.Top1, rep.Answers.Parts[part])
		}
	}
	if v, i := sum.ValAccRange, sum.TestAccRange; !reflect.DeepEqual(v, rep.Answers.Parts["val"].Interval) || !reflect.DeepEqual(i, rep.Answers.Parts["test"].Interval) {
		t.Errorf("summary: %v, %v", v, i)
	}
	var words strings.Builder
	sum.Text(&words, report.Style{})
	for _, text := range []string{text, words.String()} {
		if !strings.Contains(text, " of 95 %, of the accuracy: val ") {
			t.Errorf("no interval in %s", text)
		}
	}
	ev, err := Eval(context.Background(), EvalOptions{Run: *sum.RunDir}, o.Options, Silent)
	must(t, err)
	if got, want := ev.Answers.Parts["test"].Interval, sum.TestAccRange; !reflect.DeepEqual(got, want) {
		t.Errorf("evaluated: %v, trained: %v", got, want)
	}
}

func TestGroupsWidenTheInterval(t *testing.T) {
	ds := &dataset.Dataset{Items: make([]dataset.Item, 60)}
	p := judgedPart{answeredRows: answeredRows{Rows: &features.Rows{Data: &headtrain.Dataset{Classes: []string{"a", "b"}}}}}
	var logits []float32
	for n := range ds.Items {
		p.Rows.Items = append(p.Rows.Items, n)
		p.Rows.Data.Labels = append(p.Rows.Data.Labels, int32(n/5%4/3)) // every fourth five is wrong
		logits = append(logits, 1, 0)
	}
	var err error
	p.answers, err = judge.NewAnswers(t.Context(), headtrain.GivenLogits(logits, 2), p.Rows.Data.Labels, 1)
	must(t, err)
	width := func() float64 {
		p.setInterval(ds)
		return p.summary.Interval.High - p.summary.Interval.Low
	}
	alone := width()
	if want := judge.AccuracyInterval(p.answers.Right(), nil); *p.summary.Interval != want || p.summary.Units != 60 {
		t.Errorf("without groups: %+v", p.summary)
	}
	for n := 5; n < 60; n++ { // the first five have no group
		ds.Items[n].Group = string(rune('a' + n/5))
	}
	if grouped := width(); grouped < 1.5*alone || p.summary.Units != 16 {
		t.Errorf("grouped: %+v, alone %v wide", p.summary, alone)
	}
}
