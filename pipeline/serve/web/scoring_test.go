package web

import (
	"strings"
	"testing"

	"icebox/extract"
)

func TestScoringServer(t *testing.T) {
	h := painting(t, Options{Program: "icebox 9"})
	image := b64(painted(t, green))
	row := strings.TrimSuffix(strings.Repeat("0,", extract.Dim-1)+"0", ",")
	type answer struct {
		Predictions []struct {
			Label         string
			Probability   float64
			Probabilities map[string]float64
			Error         string
		}
	}
	for name, c := range map[string]struct{ kind, body, label string }{
		"split":     {asJSON, `{"dataframe_split":{"columns":["image"],"data":[["` + image + `"]]}}`, "green"},
		"records":   {asJSON, `{"dataframe_records":[{"image":"` + image + `"}]}`, "green"},
		"instances": {asJSON, `{"instances":[{"b64":"` + image + `"}],"params":{}}`, "green"},
		"inputs":    {asJSON, `{"inputs":{"image":["` + image + `"]}}`, "green"},
		"one input": {asJSON, `{"inputs":"` + image + `"}`, "green"},
		"features":  {asJSON, `{"instances":[[` + row + `]]}`, "<blue>"},
		"numbered":  {asJSON, `{"dataframe_split":{"columns":[0],"data":[["` + image + `"]]}}`, "green"},
		"columns":   {asJSON, `{"dataframe_split":{"data":[[` + row + `]]}}`, "<blue>"},
		"CSV":       {"text/csv", "image\n" + image + "\n", "green"},
		"CSV rows":  {"text/csv; charset=UTF-8", row + "\n", "<blue>"},
		"image":     {"image/png", string(painted(t, green)), "green"},
		"SageMaker": {"application/x-image", string(painted(t, green)), "green"},
	} {
		got := said[answer](t, ask(h, "POST", "/invocations", []byte(c.body), "Content-Type", c.kind), 200)
		if len(got.Predictions) != 1 || got.Predictions[0].Label != c.label || got.Predictions[0].Probability != got.Predictions[0].Probabilities[c.label] {
			t.Errorf("%s: %+v", name, got)
		}
	}
	got := said[answer](t, ask(h, "POST", "/invocations", []byte(`{"instances":["`+image+`","`+b64([]byte("no"))+`"]}`), "Content-Type", asJSON), 200)
	if got.Predictions[0].Label != "green" || !strings.Contains(got.Predictions[1].Error, "not an image") {
		t.Errorf("a bad one among others: %+v", got)
	}
	if w := ask(h, "GET", "/version", nil); w.Body.String() != "icebox 9" {
		t.Errorf("%s", w.Body)
	}
}
