package web

import (
	"io"
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	o := Options{Metrics: NewMetrics()}
	h := painting(t, o)
	for range 3 {
		ask(h, "POST", "/", painted(t, red))
	}
	ask(h, "POST", "/", []byte("no"))
	o.Metrics.Reloaded("paint", "kept")
	text, err := io.ReadAll(ask(h, "GET", "/metrics", nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`icebox_requests_total{dialect="huggingface",path="/{$}",status="200"} 3`, `icebox_requests_total{dialect="huggingface",path="/{$}",status="400"} 1`,
		`icebox_images_total 4`, `icebox_drift_unknown_share{model="paint"} 0`, `icebox_model_info{model="paint",version="20261127-120000-paint"} 1`, `icebox_reloads_total{model="paint",result="kept"} 1`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
}
