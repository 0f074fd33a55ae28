package web

import (
	"net/http"

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
	openInference = &dialect{"oip", faultError, failError}

	inference = []route{
		{method: "GET", path: "/v2", dialect: openInference, about: "What the server is", gives: has(schema{"name": anyText, "version": anyText, "extensions": listOf(anyText)}), body: oipServer, open: true},
		{method: "GET", path: "/v2/health/live", dialect: openInference, about: "Whether the server is up", gives: has(schema{"live": anyBool, "ready": anyBool}), body: oipHealth, open: true},
		{method: "GET", path: "/v2/health/ready", dialect: openInference, about: "Whether the server can answer", gives: has(schema{"live": anyBool, "ready": anyBool}), body: oipHealth, open: true},
		{method: "GET", path: "/v2/models/{model}", dialect: openInference, about: "Inputs and outputs of a model", gives: oipAbout, body: oipModel},
		{method: "GET", path: "/v2/models/{model}/versions/{version}", dialect: openInference, about: "Inputs and outputs of a model", gives: oipAbout, body: oipModel},
		{method: "GET", path: "/v2/models/{model}/ready", dialect: openInference, about: "Whether a model can answer", gives: has(schema{"name": anyText, "ready": anyBool}), body: oipReady},
		{method: "GET", path: "/v2/models/{model}/versions/{version}/ready", dialect: openInference, about: "Whether a model can answer", gives: has(schema{"name": anyText, "ready": anyBool}), body: oipReady},
		{method: "POST", path: "/v2/models/{model}/infer", dialect: openInference, about: "Probabilities and labels of images, crops or features", takes: oipTypes, asks: oipAsks, gives: oipGives, body: infer},
		{method: "POST", path: "/v2/models/{model}/versions/{version}/infer", dialect: openInference, about: "Probabilities and labels of images, crops or features", takes: oipTypes, asks: oipAsks, gives: oipGives, body: infer},
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

// oipPlatform is what the protocol calls a server's name, and a model's platform.
const oipPlatform = "icebox"

func oipServer(s *server, w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]any{"name": oipPlatform, "version": s.Program, "extensions": []string{"binary_tensor_data"}})
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
	inputs, outputs := tensorsOf(m)
	writeJSON(w, http.StatusOK, map[string]any{
		"name": m.Name, "versions": []string{m.Version}, "platform": oipPlatform, "inputs": inputs, "outputs": outputs,
		"parameters": map[string]any{"labels": m.Head.Classes},
	})
	return nil
}

// tensorsOf are what a model takes, one of them at a time, and what it answers.
func tensorsOf(m *serve.Model) (inputs, outputs []tensor) {
	k := int64(len(m.Head.Classes))
	inputs = []tensor{{Name: "features", Shape: []int64{-1, int64(m.Head.Dim)}, Datatype: "FP32"}}
	if m.Backbone != nil {
		inputs = append([]tensor{{Name: "image", Shape: []int64{-1}, Datatype: "BYTES"}, {Name: "pixels", Shape: []int64{-1, extract.Side, extract.Side, 3}, Datatype: "UINT8"}}, inputs...)
	}
	outputs = []tensor{{Name: "probabilities", Shape: []int64{-1, k}, Datatype: "FP32"}, {Name: "label", Shape: []int64{-1}, Datatype: "BYTES"}, {Name: "logits", Shape: []int64{-1, k}, Datatype: "FP32"}}
	return inputs, outputs
}
