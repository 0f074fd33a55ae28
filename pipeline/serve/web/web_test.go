package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestBadBodies(t *testing.T) {
	h := painting(t, Options{MaxBody: 4000})
	whole := painted(t, red)
	for name, c := range map[string]struct {
		w      *httptest.ResponseRecorder
		status int
		says   string
	}{
		"no image":       {ask(h, "POST", "/", []byte("hello")), 400, "not an image"},
		"nothing":        {ask(h, "POST", "/", nil), 400, "no body"},
		"cut short":      {ask(h, "POST", "/", whole[:len(whole)-1500]), 400, "truncated"},
		"huge":           {ask(h, "POST", "/", make([]byte, 4001)), 413, "4000 bytes"},
		"bomb":           {ask(h, "POST", "/", bomb(whole)), 413, "pixels"},
		"an address":     {ask(h, "POST", "/", []byte(`{"inputs":"http://169.254.169.254/a.jpg"}`), "Content-Type", asJSON), 400, "not fetched"},
		"no JSON":        {ask(h, "POST", "/", []byte(`{`), "Content-Type", asJSON), 400, "no JSON"},
		"no model":       {ask(h, "POST", "/models/%3Cx%3E", whole), 404, "no such model"},
		"TorchServe":     {ask(h, "POST", "/predictions/paint", []byte("hello")), 400, "BadRequestException"},
		"its version":    {ask(h, "POST", "/predictions/paint/7", whole), 404, "ModelNotFoundException"},
		"MLflow":         {ask(h, "POST", "/invocations", []byte(`{}`), "Content-Type", asJSON), 400, "exactly one"},
		"its type":       {ask(h, "POST", "/invocations", whole, "Content-Type", "text/html"), 415, "error_code"},
		"its image":      {ask(h, "POST", "/invocations", []byte("no image"), "Content-Type", "image/png"), 400, "not an image"},
		"its charset":    {ask(h, "POST", "/invocations", []byte(`{}`), "Content-Type", "application/json; charset=latin1"), 415, "utf-8"},
		"TF":             {ask(h, "POST", "/v1/models/none:predict", []byte(`{}`)), 404, "Servable not found for request: Latest(none)"},
		"nowhere":        {ask(h, "POST", "/nowhere/at/all", whole), 404, "nothing answers"},
		"its packing":    {ask(h, "POST", "/", whole, "Content-Encoding", "br"), 415, "gzip and deflate"},
		"packed badly":   {ask(h, "POST", "/", whole, "Content-Encoding", "gzip"), 400, "gzip"},
		"packed tightly": {ask(h, "POST", "/", packed(t, make([]byte, 100_000)), "Content-Encoding", "gzip"), 413, "4000 bytes"},
		"TF's verb":      {ask(h, "POST", "/v1/models/paint:regress", []byte(`{}`)), 404, ":predict"},
		"both":           {ask(h, "POST", "/v1/models/paint:predict", []byte(`{"instances":[],"inputs":[]}`)), 400, "one of"},
		"Custom Vision":  {ask(h, "POST", "/abc/classify/iterations/none/image", whole), 404, "Not Found"},
		"its url":        {ask(h, "POST", "/url", []byte(`{"Url":"http://localhost/"}`)), 400, "not fetched"},
		"OIP":            {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[]}`)), 400, "0 inputs"},
		"its shape":      {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"features","datatype":"FP32","shape":[1,-512],"data":[1]}]}`)), 400, "shape"},
		"its values":     {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"features","datatype":"FP32","shape":[1,512],"data":[1]}]}`)), 400, "1 values"},
		"its kind":       {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"data":[1]}]}`)), 400, "INT8"},
		"its output":     {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["`+b64(whole[:0])+b64(painted(t, red))[:0]+`"]}],"outputs":[{"name":"x"}]}`)), 400, "error"},
		"its header":     {ask(h, "POST", "/v2/models/paint/infer", []byte(`{}`), oipHeader, "7"), 400, oipHeader},
	} {
		if c.w.Code != c.status || !strings.Contains(c.w.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d %q", name, c.w.Code, c.w.Body, c.status, c.says)
		}
		if kind := c.w.Header().Get("Content-Type"); kind != asJSON {
			t.Errorf("%s: %s", name, kind)
		}
	}
}

// bomb is a PNG that claims to be of 50,000 × 50,000 pixels.
func bomb(png []byte) []byte {
	b := bytes.Clone(png)
	binary.BigEndian.PutUint32(b[16:], 50_000)
	binary.BigEndian.PutUint32(b[20:], 50_000)
	return b
}

func TestOpenInferenceProtocol(t *testing.T) {
	h := painting(t, Options{})
	type out struct {
		Name, Datatype string
		Shape          []int
		Data           []any
	}
	type response struct {
		ModelName    string `json:"model_name"`
		ModelVersion string `json:"model_version"`
		ID           string
		Outputs      []out
	}
	infer := func(body string) response {
		t.Helper()
		return said[response](t, ask(h, "POST", "/v2/models/paint/infer", []byte(body), "Content-Type", asJSON), 200)
	}
	got := infer(fmt.Sprintf(`{"id":"42","inputs":[{"name":"image","shape":[3],"datatype":"BYTES","parameters":{"content_type":"base64"},"data":[%q,%q,%q]}]}`, b64(painted(t, blue)), b64([]byte("no")), b64(painted(t, red))))
	if got.ID != "42" || got.ModelName != "paint" || got.ModelVersion != "20261127-120000-paint" || len(got.Outputs) != 3 {
		t.Fatalf("%+v", got)
	}
	if p := got.Outputs[0]; p.Name != "probabilities" || p.Datatype != "FP32" || fmt.Sprint(p.Shape) != "[3 3]" || len(p.Data) != 9 || p.Data[3] != 0.0 {
		t.Errorf("%+v", p)
	}
	if l := got.Outputs[1]; l.Name != "label" || fmt.Sprint(l.Data) != "[<blue>  red]" {
		t.Errorf("%+v", l)
	}
	if e := got.Outputs[2]; e.Name != "error" || e.Data[0] != "" || !strings.Contains(e.Data[1].(string), "not an image") {
		t.Errorf("%+v", e)
	}

	// Features go straight to the head, nested or flat; crops to the backbone.
	row := make([]float32, extract.Dim)
	row[1] = 1
	data, err := json.Marshal([][]float32{row})
	if err != nil {
		t.Fatal(err)
	}
	got = infer(`{"inputs":[{"name":"features","shape":[1,512],"datatype":"FP32","data":` + string(data) + `}],"outputs":[{"name":"logits"},{"name":"label"}]}`)
	if fmt.Sprint(got.Outputs[0].Data) != "[0 10.1 0.2]" || fmt.Sprint(got.Outputs[1].Data) != "[green]" {
		t.Errorf("%+v", got)
	}
	pixels := bytes.Repeat([]byte{0, 0, 200}, extract.Side*extract.Side)
	head := fmt.Sprintf(`{"parameters":{"binary_data_output":true},"inputs":[{"name":"pixels","shape":[1,224,224,3],"datatype":"UINT8","parameters":{"binary_data_size":%d}}]}`, len(pixels))
	w := ask(h, "POST", "/v2/models/paint/versions/20261127-120000-paint/infer", append([]byte(head), pixels...), oipHeader, fmt.Sprint(len(head)))
	if w.Code != 200 {
		t.Fatal(w.Body)
	}
	var n int
	if _, err := fmt.Sscan(w.Header().Get(oipHeader), &n); err != nil {
		t.Fatal(err)
	}
	raw := w.Body.Bytes()[n:]
	if p := math.Float32frombits(binary.LittleEndian.Uint32(raw[8:])); len(raw) != 12+4+6 || p < .5 || string(raw[16:]) != "<blue>" {
		t.Errorf("%d bytes, %v, %q", len(raw), p, raw[12:])
	}

	model := said[map[string]any](t, ask(h, "GET", "/v2/models/paint", nil), 200)
	if model["name"] != "paint" || len(model["inputs"].([]any)) != 3 {
		t.Errorf("%v", model)
	}
	for _, path := range []string{"/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/paint/ready", "/v2/models/paint/versions/20261127-120000-paint/ready"} {
		said[map[string]any](t, ask(h, "GET", path, nil), 200)
	}
	said[map[string]string](t, ask(h, "GET", "/v2/models/none/ready", nil), 404)
}

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

// A head of features of which nobody knows what made them answers for features alone.
func TestModelOfFeatures(t *testing.T) {
	m := painter(nil)
	m.Head.Dim, m.Head.W = 4, []float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}
	h := New(shelfOf(t, m), Options{})
	if got := said[map[string]string](t, ask(h, "POST", "/", painted(t, red)), 400); !strings.Contains(got["error"], "takes features") {
		t.Errorf("%v", got)
	}
	w := ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":[9,0,0,0]}]}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"data":["red"]`) {
		t.Error(w.Body)
	}
	if w := ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":[9,0,0,1e39]}]}`)); w.Code != 400 {
		t.Errorf("an infinite feature: %d %s", w.Code, w.Body)
	}
}

func TestDoors(t *testing.T) {
	h := painting(t, Options{Hosts: Hosts("80"), Origins: []string{"https://ours.example"}, Token: "a token of some length"})
	image := painted(t, red)
	token := "Bearer a token of some length"
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"no token":       {nil, 401},
		"a wrong one":    {[]string{"Authorization", "Bearer a token of some lengtH"}, 401},
		"basic":          {[]string{"Authorization", "Basic YTpi"}, 401},
		"as a password":  {[]string{"Authorization", "Basic " + b64([]byte("anybody:a token of some length"))}, 200},
		"the right one":  {[]string{"Authorization", token}, 200},
		"a foreign host": {[]string{"Authorization", token, "Host", "evil.example:80"}, 421},
		"a foreign page": {[]string{"Authorization", token, "Origin", "https://evil.example"}, 403},
		"our page":       {[]string{"Authorization", token, "Origin", "https://ours.example"}, 200},
		"a page's form":  {[]string{"Authorization", token, "Sec-Fetch-Site", "cross-site"}, 403},
	} {
		if w := ask(h, "POST", "/", image, c.header...); w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := ask(h, "GET", "/ping", nil); w.Code != 200 {
		t.Errorf("health asks for a token: %d", w.Code)
	}
	if w := ask(h, "GET", "/metrics", nil); w.Code != 401 {
		t.Errorf("metrics ask for none: %d", w.Code)
	}
	w := ask(h, "OPTIONS", "/", nil, "Origin", "https://ours.example")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Origin") != "https://ours.example" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(h, "GET", "/debug/pprof/", nil, "Authorization", token); w.Code != 404 {
		t.Errorf("profiles that nobody asked for: %d", w.Code)
	}
	if w := ask(painting(t, Options{Pprof: true}), "GET", "/debug/pprof/", nil); w.Code != 200 {
		t.Errorf("profiles: %d", w.Code)
	}
}

// The description names what is answered, and nothing else.
func TestDescription(t *testing.T) {
	h := painting(t, Options{Program: "icebox 9", Token: "a token of some length"})
	d := said[struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}](t, ask(h, "GET", "/openapi.json", nil, "Authorization", "Bearer a token of some length"), 200)
	if d.OpenAPI != "3.0.3" || d.Paths["/"]["post"] == nil || d.Paths["/v2/models/{model}/infer"]["post"] == nil || len(d.Paths) < 25 {
		t.Errorf("%v", d)
	}
	for path, methods := range d.Paths {
		for method := range methods {
			w := ask(h, strings.ToUpper(method), strings.NewReplacer("{model}", "paint", "{version}", "v", "{call}", "paint:predict", "{project}", "p").Replace(path), nil, "Authorization", "Bearer a token of some length")
			if w.Code == http.StatusMethodNotAllowed || w.Body.String() == "404 page not found\n" {
				t.Errorf("%s %s is described, and nothing answers", method, path)
			}
		}
	}
}

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
