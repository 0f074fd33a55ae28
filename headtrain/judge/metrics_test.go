package judge

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"icebox/headtrain"
	"icebox/headtrain/internal/testkit"
)

func TestReportEqualsScikitLearn(t *testing.T) {
	var fixture struct {
		Cases []struct {
			Name                  string
			Classes               int
			Logits                []float32
			Labels                []int32
			N                     int
			Loss, Top1, Top5      float64
			MacroF1               float64 `json:"macro_f1"`
			BalancedAccuracy      float64 `json:"balanced_accuracy"`
			Precision, Recall, F1 []float64
			Support               []int
			Confusion             [][]int
		}
	}
	testkit.Read(t, "metrics.json", &fixture)
	for _, c := range fixture.Cases {
		t.Run(c.Name, func(t *testing.T) {
			names := testkit.Names(c.Classes)
			want := Report{
				N: c.N, Loss: c.Loss, Top1: c.Top1, Top5: c.Top5,
				MacroF1: c.MacroF1, BalancedAccuracy: c.BalancedAccuracy, Confusion: c.Confusion,
			}
			for i := range names {
				want.PerClass = append(want.PerClass, Class{Class: names[i], Precision: c.Precision[i], Recall: c.Recall[i], F1: c.F1[i], Support: c.Support[i]})
			}
			got := given(t, c.Logits, c.Labels, c.Classes, 1).Report(names)
			if d := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12), cmpopts.IgnoreUnexported(Class{}),
				cmpopts.IgnoreFields(Report{}, "ECE", "Reliability", "Macro", "Weighted")); d != "" {
				t.Errorf("-scikit-learn +Report:\n%s", d)
			}
		})
	}
}

func TestTiesGoToTheLowerClass(t *testing.T) {
	r := given(t, make([]float32, 14), []int32{0, 5}, 7, 1).Report(testkit.Names(7))
	if r.Top1 != 0.5 || r.Top5 != 0.5 || r.Confusion[5][0] != 1 || !(math.Abs(r.Loss-math.Log(7)) <= 1e-12) {
		t.Errorf("report of equal logits: %+v", r)
	}
}

func TestHugeLogitsHaveAFiniteLoss(t *testing.T) {
	r := given(t, []float32{3e38, -3e38, -3e38, 3e38}, []int32{0, 0}, 2, 1).Report(testkit.Names(2))
	if !(math.Abs(r.Loss/3e38-1) <= 1e-6) {
		t.Errorf("loss %v", r.Loss)
	}
}

func TestReportOfManyClassesHasNoConfusion(t *testing.T) {
	k := maxConfusion + 1
	r := given(t, make([]float32, k), []int32{0}, k, 1).Report(testkit.Names(k))
	if r.Confusion != nil || r.Top1 != 1 {
		t.Errorf("top-1 %v, %d rows of confusion", r.Top1, len(r.Confusion))
	}
	text, err := json.Marshal(Report{})
	if err != nil || strings.Contains(string(text), "confusion") {
		t.Errorf("JSON %s, error %v", text, err)
	}
}

func TestAnswersRefuseWhatTheyCannotJudge(t *testing.T) {
	nan := float32(math.NaN())
	for says, c := range map[string]struct {
		logits []float32
		labels []int32
		k      int
	}{
		"there are no classes":                   {nil, []int32{-1}, 0},
		"3 logits do not make 2 rows":            {[]float32{1, 2, 3}, []int32{0, 0}, 2},
		"row 1 has label 2":                      {make([]float32, 4), []int32{0, 2}, 2},
		"the logit of row 1, class 0 is NaN":     {[]float32{1, 2, nan, 3}, []int32{0, 1}, 2},
		"no labelled row":                        {[]float32{1, 2}, []int32{-1}, 2},
		"but labels go from 0 to 1, or -1 for n": {[]float32{1, 2}, []int32{-2}, 2},
	} {
		if _, err := NewAnswers(t.Context(), headtrain.GivenLogits(c.logits, c.k), c.labels, 1); !errors.Is(err, headtrain.ErrDataset) || !strings.Contains(err.Error(), says) {
			t.Errorf("error lacks %q: %v", says, err)
		}
	}
}
