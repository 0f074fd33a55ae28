package web

import (
	"encoding/json"
	"net/http"
	"strings"

	"icebox/pipeline/serve"
)

// The REST interface of TensorFlow Serving, which is KServe's first protocol, too.
// https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md
var (
	tf = &dialect{"tensorflow", faultError, failError}

	tensorFlow = []route{
		{method: "GET", path: "/v1/models/{model}", dialect: tf, about: "State of a model", gives: has(schema{"model_version_status": listOf(anyObject)}), body: tfStatus},
		{method: "GET", path: "/v1/models/{model}/versions/{version}", dialect: tf, about: "State of a model", gives: has(schema{"model_version_status": listOf(anyObject)}), body: tfStatus},
		{method: "POST", path: "/v1/models/{call}", dialect: tf, about: "MODEL:predict or MODEL:classify, for images in base64", takes: []string{"application/json"}, asks: asksInstances, gives: tfGives, body: tfCall},
		{method: "POST", path: "/v1/models/{model}/versions/{call}", dialect: tf, about: "VERSION:predict or VERSION:classify, for images in base64", takes: []string{"application/json"}, asks: asksInstances, gives: tfGives, body: tfCall},
	}
	tfGives = oneOf(has(schema{"predictions": listOf(anyObject)}), has(schema{"outputs": anyObject}), has(schema{"result": listOf(listOf(listOf(schema{})))}))
)

func tfFind(s *server, name, version string) (*serve.Model, error) {
	place, err := s.shelf.Find(name, version)
	if err != nil {
		return nil, &httpError{http.StatusNotFound, "Servable not found for request: Latest(" + name + ")"}
	}
	return place.Model(), nil
}

func tfStatus(s *server, w http.ResponseWriter, r *http.Request) error {
	m, err := tfFind(s, r.PathValue("model"), r.PathValue("version"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"model_version_status": []any{map[string]any{
		"version": m.Version, "state": "AVAILABLE", "status": map[string]string{"error_code": "OK", "error_message": ""},
	}}})
	return nil
}

// tfCall answers MODEL:predict and the like: the last part of the path is a name, a colon and
// what to do.
func tfCall(s *server, w http.ResponseWriter, r *http.Request) error {
	at := strings.LastIndexByte(r.PathValue("call"), ':')
	if at < 0 {
		return &httpError{http.StatusNotFound, "the path must end in :predict or :classify"}
	}
	last, verb := r.PathValue("call")[:at], r.PathValue("call")[at+1:]
	to := asked{name: last}
	if model := r.PathValue("model"); model != "" {
		to = asked{model, last}
	}
	if _, err := tfFind(s, to.name, to.version); err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	switch verb {
	case "predict":
		return tfPredict(s, w, r, to, body)
	case "classify":
		return tfClassify(s, w, r, to, body)
	}
	return &httpError{http.StatusNotFound, "the path must end in :predict or :classify, and not in :" + verb}
}

func tfPredict(s *server, w http.ResponseWriter, r *http.Request, to asked, body []byte) error {
	var q struct {
		Instances many[json.RawMessage] `json:"instances"`
		Inputs    json.RawMessage       `json:"inputs"`
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return bad("JSON Parse error: %v", err)
	}
	if (q.Instances == nil) == (q.Inputs == nil) {
		return bad("the request must have one of instances and inputs")
	}
	rows, err := rowsOf(q.Instances)
	if q.Inputs != nil {
		rows, err = inputRows(q.Inputs)
	}
	if err != nil {
		return err
	}
	reply, err := s.askRows(r, to, rows)
	if err != nil {
		return err
	}
	if len(rows) == 1 && reply.answers[0].Err != nil {
		return imageError{reply.answers[0].Err}
	}
	w.Header().Set("X-Model-Version", reply.Version)
	if q.Instances != nil {
		all := make([]any, len(reply.answers))
		for i := range reply.answers {
			all[i] = tfPrediction(&reply.answers[i])
		}
		writeJSON(w, http.StatusOK, map[string]any{"predictions": all})
		return nil
	}
	labels, probabilities := make([]string, len(reply.answers)), make([][]float64, len(reply.answers))
	for i, a := range reply.answers {
		labels[i], probabilities[i] = a.Label, a.Probabilities
	}
	writeJSON(w, http.StatusOK, map[string]any{"outputs": map[string]any{"label": labels, "probabilities": probabilities, "classes": reply.Head.Classes}})
	return nil
}

func tfPrediction(a *serve.Answer) any {
	if a.Err != nil {
		return map[string]any{"error": a.Err.Error()}
	}
	return ordered{{"label", a.Label}, {"probabilities", a.Probabilities}}
}

func tfClassify(s *server, w http.ResponseWriter, r *http.Request, to asked, body []byte) error {
	var q struct {
		Examples many[json.RawMessage] `json:"examples"`
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return bad("JSON Parse error: %v", err)
	}
	rows, err := rowsOf(q.Examples)
	if err != nil {
		return err
	}
	reply, err := s.askRows(r, to, rows)
	if err != nil {
		return err
	}
	all := make([][]any, len(reply.answers))
	for i := range reply.answers {
		a := &reply.answers[i]
		if a.Err != nil {
			return imageError{a.Err} // the form has no room for it
		}
		for _, c := range a.Ranked(0) {
			all[i] = append(all[i], []any{reply.Head.Classes[c], a.Probabilities[c]})
		}
	}
	w.Header().Set("X-Model-Version", reply.Version)
	writeJSON(w, http.StatusOK, map[string]any{"result": all})
	return nil
}
