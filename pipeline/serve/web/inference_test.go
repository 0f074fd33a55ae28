package web

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"icebox/extract"
)

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

// A list of a million empty inputs takes no memory for them.
func TestAFloodOfInputsIsRefused(t *testing.T) {
	h := New(shelfOf(t, painter(nil)), Options{})
	flood := []byte(`{"inputs":[` + strings.Repeat("{},", 1e6) + `{}]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := ask(h, "POST", "/v2/models/paint/infer", flood)
	runtime.ReadMemStats(&after)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "more than 16 elements") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 10*uint64(len(flood)) {
		t.Errorf("%d bytes were taken for a body of %d", took, len(flood))
	}
	for _, body := range []string{`{"inputs":null}`, `{"inputs":{}}`, `{"inputs":[]}`, `{"inputs":[{},{}]}`, `{"inputs":[1]}`} {
		if w := ask(h, "POST", "/v2/models/paint/infer", []byte(body)); w.Code != 400 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// So it is in the other dialects, whatever the list is of, and wherever it lies.
func TestAFloodOfRowsIsRefused(t *testing.T) {
	h := New(shelfOf(t, painter(nil)), Options{})
	for body, path := range map[string]string{
		`{"instances":[%s]}`: "/v1/models/paint:predict", `{"inputs":[%s]}`: "/v1/models/paint:predict", `{"inputs":{"x":[%s]}}`: "/v1/models/paint:predict",
		`{"examples":[%s]}`: "/v1/models/paint:classify", `{"instances":[%s] }`: "/invocations", `{"dataframe_split":{"data":[%s]}}`: "/invocations",
	} {
		for _, element := range []string{"1", "{}"} {
			flood := []byte(strings.Replace(body, "%s", strings.Repeat(element+",", 1e6)+element, 1))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := ask(h, "POST", path, flood, "Content-Type", "application/json")
			runtime.ReadMemStats(&after)
			if w.Code != 400 {
				t.Errorf("%s of %s: %d %.200s", body, element, w.Code, w.Body)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 25*uint64(len(flood)) { // it was 68 times
				t.Errorf("%s of %s: %d bytes were taken for a body of %d", body, element, took, len(flood))
			}
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
