package web

import (
	"net/http/httptest"
	"testing"
)

func TestCustomVision(t *testing.T) {
	h := painting(t, Options{})
	body, kind := form(t, "imageData", painted(t, blue))
	for _, w := range []*httptest.ResponseRecorder{
		ask(h, "POST", "/image", painted(t, blue), "Content-Type", "application/octet-stream"),
		ask(h, "POST", "/abc/image/nostore", body, "Content-Type", kind),
		ask(h, "POST", "/abc/classify/iterations/paint/image", painted(t, blue)),
	} {
		got := said[struct {
			ID          string
			Predictions []struct {
				Probability float64
				TagID       string `json:"tagId"`
				TagName     string `json:"tagName"`
			}
		}](t, w, 200)
		if len(got.ID) != 36 || len(got.Predictions) != 3 || got.Predictions[0].TagName != "<blue>" || got.Predictions[0].Probability < .9 || len(got.Predictions[0].TagID) != 36 {
			t.Errorf("%+v", got)
		}
	}
}
