package web

import (
	"encoding/json"
	"math"
	"mime"
	"net/http"

	"icebox/pipeline/serve"
)

// The inference API of Hugging Face, for image classification: the bytes of an image, or JSON
// with them in base64, and a list of labels with scores.
// https://huggingface.co/docs/inference-providers/tasks/image-classification
var (
	hf = &dialect{"huggingface", faultError, failError}

	huggingFace = []route{
		{method: "POST", path: "/{$}", dialect: hf, about: "Classify an image by the first model", takes: hfTypes, asks: hfAsks, gives: hfGives, body: classify},
		{method: "POST", path: "/models/{model}", dialect: hf, about: "Classify an image", takes: hfTypes, asks: hfAsks, gives: hfGives, body: classify},
	}
	hfTypes = []string{"application/octet-stream", "application/json"}
	hfGives = listOf(has(schema{"label": anyText, "score": anyNumber}))
)

func hfAsks() schema {
	asks := may(schema{"inputs": inBase64(), "parameters": may(schema{"top_k": schema{"type": "integer", "minimum": 1}, "function_to_apply": word("softmax", "sigmoid", "none")})})
	asks["required"] = []string{"inputs"}
	return asks
}

// hfRequest is a request in JSON.
type hfRequest struct {
	Inputs     string `json:"inputs"`
	Parameters struct {
		TopK  *int   `json:"top_k"`
		Apply string `json:"function_to_apply"`
	} `json:"parameters"`
}

// hfLabel is a label and its score.
type hfLabel struct {
	Label string  `json:"label"`
	Score float64 `json:"score"`
}

func classify(s *server, w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	request := hfRequest{}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		if err := json.Unmarshal(body, &request); err != nil {
			return bad("the body is no JSON: %v", err)
		}
		if body, err = fromBase64(request.Inputs); err != nil {
			return err
		}
	}
	k := 5
	if request.Parameters.TopK != nil {
		if k = *request.Parameters.TopK; k < 1 {
			return bad("top_k (%d) must be at least 1", k)
		}
	}
	score, err := scoreBy(request.Parameters.Apply)
	if err != nil {
		return err
	}
	reply, err := s.askOne(r.Context(), asked{name: r.PathValue("model")}, body)
	if err != nil {
		return err
	}
	a := &reply.answers[0]
	var labels []hfLabel
	for _, c := range a.Ranked(k) {
		labels = append(labels, hfLabel{reply.Head.Classes[c], score(a, c)})
	}
	w.Header().Set("X-Model-Version", reply.Version)
	writeJSON(w, http.StatusOK, labels)
	return nil
}

// scoreBy is what is applied to the logits.
func scoreBy(function string) (func(*serve.Answer, int) float64, error) {
	switch function {
	case "", "softmax":
		return func(a *serve.Answer, c int) float64 { return a.Probabilities[c] }, nil
	case "sigmoid":
		return func(a *serve.Answer, c int) float64 { return 1 / (1 + math.Exp(-float64(a.Logits[c]))) }, nil
	case "none":
		return func(a *serve.Answer, c int) float64 { return float64(a.Logits[c]) }, nil
	}
	return nil, bad("function_to_apply %q is not known: choose softmax, sigmoid or none", function)
}
