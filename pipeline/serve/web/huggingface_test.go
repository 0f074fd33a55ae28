package web

import (
	"math"
	"net/http/httptest"
	"testing"
)

func TestHuggingFace(t *testing.T) {
	h := painting(t, Options{})
	image := painted(t, green)
	type label struct {
		Label string
		Score float64
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"bytes":       ask(h, "POST", "/", image, "Content-Type", "image/png"),
		"by name":     ask(h, "POST", "/models/paint", image),
		"JSON":        ask(h, "POST", "/", []byte(`{"inputs":"`+b64(image)+`"}`), "Content-Type", asJSON),
		"data: in it": ask(h, "POST", "/", []byte(`{"inputs":"data:image/png;base64,`+b64(image)+`"}`), "Content-Type", "application/json; charset=utf-8"),
	} {
		got := said[[]label](t, w, 200)
		sum := 0.0
		for _, l := range got {
			sum += l.Score
		}
		if len(got) != 3 || got[0].Label != "green" || got[0].Score < got[1].Score || math.Abs(sum-1) > 1e-9 || w.Header().Get("X-Model-Version") != "20261127-120000-paint" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	with := func(parameters string) *httptest.ResponseRecorder {
		return ask(h, "POST", "/", []byte(`{"inputs":"`+b64(image)+`","parameters":`+parameters+`}`), "Content-Type", asJSON)
	}
	if got := said[[]label](t, with(`{"top_k":1,"function_to_apply":"none"}`), 200); len(got) != 1 || math.Abs(got[0].Score-10.1) > 1e-2 {
		t.Errorf("logits: %+v", got)
	}
	if got := said[[]label](t, with(`{"function_to_apply":"sigmoid"}`), 200); math.Abs(got[0].Score-1/(1+math.Exp(-10.1))) > 1e-5 {
		t.Errorf("sigmoids: %+v", got)
	}
	for _, parameters := range []string{`{"top_k":0}`, `{"function_to_apply":"tanh"}`} {
		said[map[string]string](t, with(parameters), 400)
	}
}
