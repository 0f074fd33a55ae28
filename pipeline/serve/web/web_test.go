package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"

	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/serve"
)

// colours is a backbone that is quick: feature c is the mean of a colour, for the first
// three, and else 0.
type colours struct{ held chan struct{} }

func (e colours) Forward(_ context.Context, features []float32, pixels []uint8, n int) error {
	if e.held != nil {
		<-e.held
	}
	for i := range n {
		row := features[i*extract.Dim : (i+1)*extract.Dim]
		clear(row)
		for p, v := range pixels[i*extract.PixelBytes : (i+1)*extract.PixelBytes] {
			row[p%3] += float32(v) / (extract.Side * extract.Side * 255)
		}
	}
	return nil
}

func (colours) Close() error { return nil }

// backboneOf opens a backbone of an engine.
func backboneOf(t testing.TB, e extract.Engine, o serve.BackboneOptions) *serve.Backbone {
	t.Helper()
	o.Extract = extract.Options{Weights: extract.Random, Engine: "colours", Engines: []extract.EngineSpec{{Name: "colours", Numerics: []string{"fp32"},
		Open: func(context.Context, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
			return e, extract.EngineInfo{Name: "colours", ISA: "any", Plan: "test", Numeric: "fp32"}, nil
		}}}}
	b, err := serve.OpenBackbone(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// painter tells the colour of an image.
func painter(b *serve.Backbone) *serve.Model {
	h := &headtrain.Head{Classes: []string{"red", "green", "<blue>"}, Dim: extract.Dim, W: make([]float32, 3*extract.Dim), B: []float32{0, .1, .2}, Temperature: 2, Threshold: .34}
	for c := range 3 {
		h.W[c*extract.Dim+c] = 10
	}
	return &serve.Model{Name: "paint", Version: "20261127-120000-paint", Head: h, Backbone: b}
}

func shelfOf(t testing.TB, models ...*serve.Model) *serve.Shelf {
	t.Helper()
	s := &serve.Shelf{}
	for _, m := range models {
		if err := s.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// server of one model that tells colours.
func painting(t testing.TB, o Options) http.Handler {
	t.Helper()
	return New(shelfOf(t, painter(backboneOf(t, colours{}, serve.BackboneOptions{}))), o)
}

// painted is an image of one colour.
func painted(t testing.TB, c color.NRGBA) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = [4]uint8{c.R, c.G, c.B, 255}[i%4]
	}
	data, err := extract.Encode(img)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var red, green, blue = color.NRGBA{R: 255}, color.NRGBA{G: 255}, color.NRGBA{B: 255}

// ask sends a request.
func ask(h http.Handler, method, target string, body []byte, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Host = "127.0.0.1:80"
	for n := 0; n+1 < len(header); n += 2 {
		if header[n] == "Host" {
			r.Host = header[n+1]
		} else {
			r.Header.Set(header[n], header[n+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// said is the JSON of an answer with a status.
func said[T any](t *testing.T, w *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

const asJSON = "application/json"

// form is a body with files in fields of a name.
func form(t *testing.T, field string, files ...[]byte) (body []byte, kind string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, data := range files {
		part, err := w.CreateFormFile(field, "a.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}
