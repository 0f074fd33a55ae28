package web

import (
	"fmt"
	"strings"
	"testing"
)

func TestTensorFlowServing(t *testing.T) {
	h := painting(t, Options{})
	one, two := `{"b64":"`+b64(painted(t, red))+`"}`, `{"image":{"b64":"`+b64(painted(t, blue))+`"}}`
	type prediction struct {
		Label         string
		Probabilities []float64
	}
	rows := said[struct{ Predictions []prediction }](t, ask(h, "POST", "/v1/models/paint:predict", []byte(`{"instances":[`+one+`,`+two+`]}`)), 200)
	if len(rows.Predictions) != 2 || rows.Predictions[0].Label != "red" || rows.Predictions[1].Label != "<blue>" || len(rows.Predictions[1].Probabilities) != 3 {
		t.Errorf("%+v", rows)
	}
	columns := said[struct {
		Outputs struct {
			Label         []string
			Probabilities [][]float64
		}
	}](t, ask(h, "POST", "/v1/models/paint/versions/20261127-120000-paint:predict", []byte(`{"inputs":{"image":[`+one+`]}}`)), 200)
	if fmt.Sprint(columns.Outputs.Label) != "[red]" || len(columns.Outputs.Probabilities[0]) != 3 {
		t.Errorf("%+v", columns)
	}
	classes := said[struct{ Result [][][2]any }](t, ask(h, "POST", "/v1/models/paint:classify", []byte(`{"examples":[`+two+`]}`)), 200)
	if classes.Result[0][0][0] != "<blue>" || classes.Result[0][0][1].(float64) < classes.Result[0][1][1].(float64) {
		t.Errorf("%+v", classes)
	}
	state := ask(h, "GET", "/v1/models/paint", nil).Body.String()
	if !strings.Contains(state, `"state":"AVAILABLE"`) {
		t.Error(state)
	}
}
