package web

import (
	"strings"
	"testing"
)

func TestTorchServe(t *testing.T) {
	h := painting(t, Options{})
	w := ask(h, "PUT", "/predictions/paint", painted(t, red))
	if got := said[map[string]float64](t, w, 200); got["red"] < .9 || !strings.HasPrefix(w.Body.String(), `{"red":`) {
		t.Errorf("%s", w.Body)
	}
	body, kind := form(t, "data", painted(t, green), []byte("no"))
	two := said[[]map[string]any](t, ask(h, "POST", "/predictions/paint/20261127-120000-paint", body, "Content-Type", kind), 200)
	if two[0]["green"].(float64) < .9 || two[1]["code"] != 400.0 {
		t.Errorf("%v", two)
	}
	if got := said[map[string]string](t, ask(h, "GET", "/ping", nil), 200); got["status"] != "Healthy" || got["health"] != "healthy!" {
		t.Errorf("%v", got)
	}
}
