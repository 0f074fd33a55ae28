package web

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"icebox/extract"
	"icebox/pipeline/serve"
)

// The Open Inference Protocol, version 2, over HTTP, with Triton's extension for binary
// tensors: the language of KServe, Triton, MLServer and OpenVINO's server.
// https://github.com/kserve/open-inference-protocol
//
// A model takes one of: image, BYTES [N], the bytes of image files; pixels, UINT8
// [N, 224, 224, 3], crops; features, FP32 [N, 512], what a backbone made of images.
var (
	oip = &dialect{"oip", faultError, failError}

	inference = []route{
		{method: "GET", path: "/v2", dialect: oip, about: "What the server is", gives: has(schema{"name": anyText, "version": anyText, "extensions": listOf(anyText)}), body: oipServer, open: true},
		{method: "GET", path: "/v2/health/live", dialect: oip, about: "Whether the server is up", gives: has(schema{"live": anyBool, "ready": anyBool}), body: oipHealth, open: true},
		{method: "GET", path: "/v2/health/ready", dialect: oip, about: "Whether the server can answer", gives: has(schema{"live": anyBool, "ready": anyBool}), body: oipHealth, open: true},
		{method: "GET", path: "/v2/models/{model}", dialect: oip, about: "Inputs and outputs of a model", gives: oipAbout, body: oipModel},
		{method: "GET", path: "/v2/models/{model}/versions/{version}", dialect: oip, about: "Inputs and outputs of a model", gives: oipAbout, body: oipModel},
		{method: "GET", path: "/v2/models/{model}/ready", dialect: oip, about: "Whether a model can answer", gives: has(schema{"name": anyText, "ready": anyBool}), body: oipReady},
		{method: "GET", path: "/v2/models/{model}/versions/{version}/ready", dialect: oip, about: "Whether a model can answer", gives: has(schema{"name": anyText, "ready": anyBool}), body: oipReady},
		{method: "POST", path: "/v2/models/{model}/infer", dialect: oip, about: "Probabilities and labels of images, crops or features", takes: oipTypes, asks: oipAsks, gives: oipGives, body: infer},
		{method: "POST", path: "/v2/models/{model}/versions/{version}/infer", dialect: oip, about: "Probabilities and labels of images, crops or features", takes: oipTypes, asks: oipAsks, gives: oipGives, body: infer},
	}
	oipTypes = []string{"application/json", "application/octet-stream"}
	oipShape = listOf(anyWhole)
	oipSpec  = has(schema{"name": anyText, "datatype": anyText, "shape": oipShape})
	oipAbout = has(schema{"name": anyText, "versions": listOf(anyText), "platform": anyText, "inputs": listOf(oipSpec), "outputs": listOf(oipSpec)})
	oipGives = has(schema{"model_name": anyText, "model_version": anyText, "outputs": listOf(oipSpec)})
)

func oipAsks() schema {
	in := has(schema{"name": word("image"), "datatype": word("BYTES"), "shape": schema{"type": "array", "items": schema{"type": "integer", "enum": []int{1}}, "minItems": 1, "maxItems": 1},
		"data": schema{"type": "array", "items": inBase64(), "minItems": 1, "maxItems": 1}})
	asks := has(schema{"inputs": schema{"type": "array", "items": oneOf(in, oipSpec), "minItems": 1, "maxItems": 1}})
	asks["example"] = schema{"id": "42", "inputs": []any{schema{"name": "image", "datatype": "BYTES", "shape": []int{1}, "data": []string{tinyImage()}}}}
	return asks
}

// tensor is an input or an output.
type tensor struct {
	Name       string          `json:"name"`
	Shape      []int64         `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`

	raw []byte // of the binary extension
}

type oipRequest struct {
	ID         string         `json:"id"`
	Parameters map[string]any `json:"parameters"`
	Inputs     []tensor       `json:"inputs"`
	Outputs    []struct {
		Name       string         `json:"name"`
		Parameters map[string]any `json:"parameters"`
	} `json:"outputs"`
}

type oipResponse struct {
	ModelName    string   `json:"model_name"`
	ModelVersion string   `json:"model_version"`
	ID           string   `json:"id,omitempty"`
	Outputs      []tensor `json:"outputs"`
}

// oipHeader says how many bytes of a body are JSON; binary tensors follow.
const oipHeader = "Inference-Header-Content-Length"

func oipServer(s *server, w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]any{"name": "icebox", "version": s.Program, "extensions": []string{"binary_tensor_data"}})
	return nil
}

func oipHealth(_ *server, w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]bool{"live": true, "ready": true})
	return nil
}

func oipReady(s *server, w http.ResponseWriter, r *http.Request) error {
	place, err := s.shelf.Find(r.PathValue("model"), r.PathValue("version"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"name": place.Model().Name, "ready": true})
	return nil
}

func oipModel(s *server, w http.ResponseWriter, r *http.Request) error {
	place, err := s.shelf.Find(r.PathValue("model"), r.PathValue("version"))
	if err != nil {
		return err
	}
	m := place.Model()
	k := int64(len(m.Head.Classes))
	inputs := []tensor{{Name: "features", Shape: []int64{-1, int64(m.Head.Dim)}, Datatype: "FP32"}}
	if m.Backbone != nil {
		inputs = append([]tensor{{Name: "image", Shape: []int64{-1}, Datatype: "BYTES"}, {Name: "pixels", Shape: []int64{-1, extract.Side, extract.Side, 3}, Datatype: "UINT8"}}, inputs...)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": m.Name, "versions": []string{m.Version}, "platform": "icebox", "inputs": inputs,
		"outputs":    []tensor{{Name: "probabilities", Shape: []int64{-1, k}, Datatype: "FP32"}, {Name: "label", Shape: []int64{-1}, Datatype: "BYTES"}, {Name: "logits", Shape: []int64{-1, k}, Datatype: "FP32"}},
		"parameters": map[string]any{"labels": m.Head.Classes},
	})
	return nil
}

func infer(s *server, w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	request, err := readOIP(body, r.Header.Get(oipHeader))
	if err != nil {
		return err
	}
	to := asked{r.PathValue("model"), r.PathValue("version")}
	var answered *reply
	switch in := &request.Inputs[0]; in.Datatype {
	case "BYTES":
		images, err := in.images()
		if err != nil {
			return err
		}
		answered, err = s.ask(r.Context(), to, inputsOf(images...))
		if err != nil {
			return err
		}
	case "UINT8":
		pixels, err := in.pixels()
		if err != nil {
			return err
		}
		if answered, err = s.ask(r.Context(), to, cropsOf(pixels)); err != nil {
			return err
		}
	case "FP32":
		x, err := in.floats()
		if err != nil {
			return err
		}
		if answered, err = s.askFeatures(to, x); err != nil {
			return err
		}
	default:
		return bad("input %q is of %s: BYTES (image files), UINT8 (crops of 224 × 224 × 3) and FP32 (features) are taken", in.Name, in.Datatype)
	}
	if len(answered.answers) == 1 && answered.answers[0].Err != nil {
		return imageError{answered.answers[0].Err}
	}
	outputs, err := request.outputs(answered)
	if err != nil {
		return err
	}
	return writeOIP(w, &oipResponse{ModelName: answered.Name, ModelVersion: answered.Version, ID: request.ID, Outputs: outputs})
}

// readOIP reads a request: JSON, and binary tensors behind it where a header says so.
func readOIP(body []byte, header string) (*oipRequest, error) {
	rest := []byte(nil)
	if header != "" {
		n, err := strconv.Atoi(header)
		if err != nil || n < 0 || n > len(body) {
			return nil, bad("%s (%s) is no length within the body", oipHeader, header)
		}
		body, rest = body[:n], body[n:]
	}
	var request oipRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, bad("the body is no inference request: %v", err)
	}
	if len(request.Inputs) != 1 {
		return nil, bad("the request has %d inputs, and one is taken: image, pixels or features", len(request.Inputs))
	}
	for i := range request.Inputs {
		in := &request.Inputs[i]
		size, binary := in.Parameters["binary_data_size"].(float64)
		if !binary {
			continue
		}
		if size < 0 || size > float64(len(rest)) {
			return nil, bad("input %q has %v bytes behind the header, and there are %d", in.Name, size, len(rest))
		}
		in.raw, rest = rest[:int(size)], rest[int(size):]
	}
	if len(rest) > 0 {
		return nil, bad("%d bytes behind the tensors belong to none", len(rest))
	}
	return &request, nil
}

// elements is the product of the shape, which is bounded.
func (t *tensor) elements() (int, error) {
	n := int64(1)
	for _, side := range t.Shape {
		if side < 0 || side > 1<<31 || n*side > 1<<31 {
			return 0, bad("input %q has the shape %v", t.Name, t.Shape)
		}
		n *= side
	}
	return int(n), nil
}

// images are those of a tensor of BYTES.
func (t *tensor) images() ([][]byte, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	var images [][]byte
	if t.raw != nil {
		for rest := t.raw; len(rest) > 0; {
			if len(rest) < 4 || uint64(binary.LittleEndian.Uint32(rest)) > uint64(len(rest)-4) {
				return nil, bad("input %q ends within an element", t.Name)
			}
			size := int(binary.LittleEndian.Uint32(rest))
			images, rest = append(images, rest[4:4+size]), rest[4+size:]
		}
	} else {
		var texts []string
		if err := json.Unmarshal(t.Data, &texts); err != nil {
			return nil, bad("the data of input %q are no list of texts: %v", t.Name, err)
		}
		for _, text := range texts {
			data, err := fromBase64(text)
			if err != nil {
				return nil, err
			}
			images = append(images, data)
		}
	}
	if len(images) != n {
		return nil, bad("input %q has %d elements, and its shape %v says %d", t.Name, len(images), t.Shape, n)
	}
	return images, nil
}

// pixels are the crops of a tensor of UINT8.
func (t *tensor) pixels() ([]byte, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	if len(t.Shape) != 4 || t.Shape[1] != extract.Side || t.Shape[2] != extract.Side || t.Shape[3] != 3 {
		return nil, bad("pixels have the shape [N, %d, %d, 3], and not %v", extract.Side, extract.Side, t.Shape)
	}
	data := t.raw
	if data == nil {
		var values flat
		if err := values.read(t.Data, n); err != nil {
			return nil, bad("the data of input %q: %v", t.Name, err)
		}
		data = make([]byte, len(values))
		for i, v := range values {
			if v != math.Trunc(v) || v < 0 || v > 255 {
				return nil, bad("the data of input %q have %v, and pixels are from 0 to 255", t.Name, v)
			}
			data[i] = byte(v)
		}
	}
	if len(data) != n {
		return nil, bad("input %q has %d bytes, and its shape %v says %d", t.Name, len(data), t.Shape, n)
	}
	return data, nil
}

// floats are the values of a tensor of FP32.
func (t *tensor) floats() ([]float32, error) {
	n, err := t.elements()
	if err != nil {
		return nil, err
	}
	if t.raw != nil {
		if len(t.raw) != 4*n {
			return nil, bad("input %q has %d bytes, and its shape %v says %d", t.Name, len(t.raw), t.Shape, 4*n)
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
		}
		return x, finite(t.Name, x)
	}
	var values flat
	if err := values.read(t.Data, n); err != nil {
		return nil, bad("the data of input %q: %v", t.Name, err)
	}
	x := make([]float32, len(values))
	for i, v := range values {
		x[i] = float32(v)
	}
	if len(x) != n {
		return nil, bad("input %q has %d values, and its shape %v says %d", t.Name, len(x), t.Shape, n)
	}
	return x, finite(t.Name, x)
}

// finite refuses features that are no numbers.
func finite(name string, x []float32) error {
	for i, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return bad("input %q has %v at %d", name, v, i)
		}
	}
	return nil
}

// flat is a list of numbers, however deep it is nested: both forms are allowed.
type flat []float64

func (f *flat) read(data []byte, most int) error {
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			if len(*f) > 0 || d.InputOffset() > 0 && err.Error() == "EOF" {
				return nil
			}
			return errors.New("a list of numbers was expected")
		}
		switch v := token.(type) {
		case json.Delim:
			if v != '[' && v != ']' {
				return errors.New("a list of numbers was expected")
			}
		case float64:
			if *f = append(*f, v); len(*f) > most {
				return errors.New("it has more values than its shape says")
			}
		default:
			return errors.New("a list of numbers was expected")
		}
	}
}

// outputs are those that a request asks for, or all but the logits.
func (q *oipRequest) outputs(r *reply) ([]tensor, error) {
	inBinary, _ := q.Parameters["binary_data_output"].(bool)
	if len(q.Outputs) == 0 {
		all := []tensor{r.probabilities(inBinary), r.labels(inBinary)}
		if t, failed := r.faults(inBinary); failed {
			all = append(all, t)
		}
		return all, nil
	}
	var all []tensor
	for _, o := range q.Outputs {
		binary := inBinary
		if v, ok := o.Parameters["binary_data"].(bool); ok {
			binary = v
		}
		switch o.Name {
		case "probabilities":
			all = append(all, r.probabilities(binary))
		case "label":
			all = append(all, r.labels(binary))
		case "logits":
			all = append(all, r.numbers("logits", binary, func(a *serve.Answer, c int) float32 { return a.Logits[c] }))
		case "error":
			t, _ := r.faults(binary)
			all = append(all, t)
		default:
			return nil, bad("there is no output %q: probabilities, label, logits and error are", o.Name)
		}
	}
	return all, nil
}

func (r *reply) probabilities(binary bool) tensor {
	return r.numbers("probabilities", binary, func(a *serve.Answer, c int) float32 { return float32(a.Probabilities[c]) })
}

// numbers is an output with a number an image and class; those of a bad image are 0.
func (r *reply) numbers(name string, inBinary bool, of func(*serve.Answer, int) float32) tensor {
	n, k := len(r.answers), len(r.Head.Classes)
	values := make([]float32, n*k)
	for i := range r.answers {
		if r.answers[i].Err == nil {
			for c := range k {
				values[i*k+c] = of(&r.answers[i], c)
			}
		}
	}
	t := tensor{Name: name, Shape: []int64{int64(n), int64(k)}, Datatype: "FP32"}
	if !inBinary {
		t.Data, _ = json.Marshal(values) // they are finite
		return t
	}
	for _, v := range values {
		t.raw = binary.LittleEndian.AppendUint32(t.raw, math.Float32bits(v))
	}
	return t
}

// labels is an output with the label of each image; that of a bad one is "".
func (r *reply) labels(inBinary bool) tensor {
	texts := make([]string, len(r.answers))
	for i := range r.answers {
		texts[i] = r.answers[i].Label
	}
	return textTensor("label", texts, inBinary)
}

// faults says what is wrong with each image, and whether anything is.
func (r *reply) faults(inBinary bool) (t tensor, failed bool) {
	texts := make([]string, len(r.answers))
	for i := range r.answers {
		if err := r.answers[i].Err; err != nil {
			texts[i], failed = err.Error(), true
		}
	}
	return textTensor("error", texts, inBinary), failed
}

func textTensor(name string, texts []string, inBinary bool) tensor {
	t := tensor{Name: name, Shape: []int64{int64(len(texts))}, Datatype: "BYTES"}
	if !inBinary {
		t.Data, _ = json.Marshal(texts) // texts have no error
		return t
	}
	for _, text := range texts {
		t.raw = append(binary.LittleEndian.AppendUint32(t.raw, uint32(len(text))), text...)
	}
	return t
}

// writeOIP answers in JSON, with binary tensors behind it where there are some.
func writeOIP(w http.ResponseWriter, response *oipResponse) error {
	var raw []byte
	for i := range response.Outputs {
		t := &response.Outputs[i]
		if t.Data == nil {
			t.Parameters = map[string]any{"binary_data_size": len(t.raw)}
			raw = append(raw, t.raw...)
		}
	}
	head, err := json.Marshal(response)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	if raw != nil {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set(oipHeader, strconv.Itoa(len(head)))
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(append(head, raw...)) // who has gone gets nothing
	return nil
}
