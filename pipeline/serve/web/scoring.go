package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"icebox/pipeline/serve"
)

// MLflow's scoring server, whose /invocations and /ping SageMaker asks too. Rows are images in
// base64, or lists of features; a body that is an image is one row.
// https://mlflow.org/docs/latest/deployment
var (
	mlflow = &dialect{"mlflow", has(schema{"error_code": anyText, "message": anyText}), func(w http.ResponseWriter, status int, text string) {
		code := map[int]string{http.StatusNotFound: "RESOURCE_DOES_NOT_EXIST", http.StatusServiceUnavailable: "TEMPORARILY_UNAVAILABLE", http.StatusInternalServerError: "INTERNAL_ERROR"}[status]
		if code == "" {
			code = "BAD_REQUEST"
		}
		writeJSON(w, status, map[string]string{"error_code": code, "message": text})
	}}

	scoring = []route{
		{method: "POST", path: "/invocations", dialect: mlflow, about: "Predictions for rows", asks: asksInstances, gives: has(schema{"predictions": listOf(anyObject)}), body: invocations,
			takes: []string{"application/json", "text/csv", "application/octet-stream", "application/x-image"}},
		{method: "GET", path: "/version", dialect: mlflow, about: "The program's name and version", body: func(s *server, w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte(s.Program)) // who has gone gets nothing
			return nil
		}},
	}
)

func asksInstances() schema {
	return has(schema{"instances": schema{"type": "array", "items": inBase64(), "minItems": 1, "example": []string{tinyImage()}}})
}

// scoringRequest has exactly one of its parts.
type scoringRequest struct {
	Split *struct {
		Data many[json.RawMessage] `json:"data"` // whatever its columns are called
	} `json:"dataframe_split"`
	Records   many[map[string]json.RawMessage] `json:"dataframe_records"`
	Instances many[json.RawMessage]            `json:"instances"`
	Inputs    json.RawMessage                  `json:"inputs"`
}

func invocations(s *server, w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return &httpError{http.StatusUnsupportedMediaType, "the request names no content type"}
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return &httpError{http.StatusUnsupportedMediaType, "the charset must be utf-8, and not " + set}
	}
	var rows []row
	switch {
	case kind == "application/json":
		rows, err = jsonRows(body)
	case kind == "text/csv":
		rows, err = csvRows(body)
	case kind == "application/octet-stream", kind == "application/x-image", strings.HasPrefix(kind, "image/"):
		rows = []row{{image: body}}
	default:
		err = &httpError{http.StatusUnsupportedMediaType, "rows come as application/json, text/csv or an image, and not as " + kind}
	}
	if err != nil {
		return err
	}
	reply, err := s.askRows(r, asked{}, rows)
	if err != nil {
		return err
	}
	if len(rows) == 1 && reply.answers[0].Err != nil {
		return imageError{reply.answers[0].Err}
	}
	all := make([]any, len(reply.answers))
	for i := range reply.answers {
		all[i] = predictionOf(reply, &reply.answers[i])
	}
	w.Header().Set("X-Model-Version", reply.Version)
	writeJSON(w, http.StatusOK, map[string]any{"predictions": all})
	return nil
}

// predictionOf is an answer as an object.
func predictionOf(r *reply, a *serve.Answer) ordered {
	if a.Err != nil {
		return ordered{{"error", a.Err.Error()}}
	}
	var all ordered
	for c, class := range r.Head.Classes {
		all = append(all, pair{class, a.Probabilities[c]})
	}
	return ordered{{"label", a.Label}, {"probability", a.Probabilities[a.Class]}, {"probabilities", all}}
}

// row is an image, or the features of one.
type row struct {
	image    []byte
	features []float32
}

// askRows answers for rows that are all images, or all features.
func (s *server) askRows(r *http.Request, to asked, rows []row) (*reply, error) {
	var images [][]byte
	var features []float32
	for _, row := range rows {
		if row.image != nil {
			images = append(images, row.image)
		}
		features = append(features, row.features...)
	}
	switch {
	case len(images) > 0 && len(features) > 0:
		return nil, bad("some rows are images and some are features: send one kind")
	case len(features) > 0:
		return s.askFeatures(to, features)
	}
	return s.ask(r.Context(), to, inputsOf(images...))
}

// rowOf reads a value of JSON: an image in base64, {"b64": …}, an object with one such value,
// or a list of features.
func rowOf(data json.RawMessage) (row, error) {
	var text string
	if json.Unmarshal(data, &text) == nil {
		image, err := fromBase64(text)
		return row{image: image}, err
	}
	var list []float32
	if json.Unmarshal(data, &list) == nil && len(list) > 0 {
		return row{features: list}, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) == nil && len(object) == 1 {
		for _, inside := range object {
			return rowOf(inside)
		}
	}
	return row{}, bad("a row is an image in base64 or a list of features, and not %.40s", data)
}

func rowsOf(all []json.RawMessage) ([]row, error) {
	rows := make([]row, len(all))
	for i, data := range all {
		var err error
		if rows[i], err = rowOf(data); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func jsonRows(body []byte) ([]row, error) {
	var q scoringRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, bad("the body is no request: %v", err)
	}
	parts := 0
	for _, there := range []bool{q.Split != nil, q.Records != nil, q.Instances != nil, q.Inputs != nil} {
		if there {
			parts++
		}
	}
	if parts != 1 {
		return nil, bad("the request must have exactly one of dataframe_split, dataframe_records, instances and inputs, and has %d", parts)
	}
	switch {
	case q.Split != nil:
		for i, cells := range q.Split.Data {
			q.Split.Data[i] = onlyCell(cells)
		}
		return rowsOf(q.Split.Data)
	case q.Records != nil:
		var all []json.RawMessage
		for _, record := range q.Records {
			if len(record) != 1 {
				return nil, bad("a record has %d columns, and one is taken: the image", len(record))
			}
			for _, value := range record {
				all = append(all, value)
			}
		}
		return rowsOf(all)
	case q.Instances != nil:
		return rowsOf(q.Instances)
	}
	return inputRows(q.Inputs)
}

// onlyCell is the value of a row of a table: its only cell, or the list of them.
func onlyCell(row json.RawMessage) json.RawMessage {
	cells, err := listOfUpTo[json.RawMessage](row, 1)
	if err != nil || len(cells) != 1 {
		return row
	}
	return cells[0]
}

// inputRows are those of a list, or of an object of one list.
func inputRows(data json.RawMessage) ([]row, error) {
	list, err := listOfUpTo[json.RawMessage](data, mostMany)
	switch {
	case err == nil && list != nil:
		return rowsOf(list)
	case err != nil && !errors.Is(err, errNoList):
		return nil, bad("%v", err)
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) == nil && len(object) == 1 {
		for _, inside := range object {
			return inputRows(inside)
		}
	}
	r, err := rowOf(data)
	return []row{r}, err
}

// csvRows reads rows of features, or of an image in base64.
func csvRows(body []byte) ([]row, error) {
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		return nil, bad("the body is no CSV: %v", err)
	}
	var rows []row
	for n, line := range lines {
		if len(line) == 1 {
			image, err := fromBase64(line[0])
			if err != nil && n == 0 {
				continue // the names of the columns
			}
			if err != nil {
				return nil, err
			}
			rows = append(rows, row{image: image})
			continue
		}
		x := make([]float32, len(line))
		for i, cell := range line {
			v, err := strconv.ParseFloat(cell, 32)
			if err != nil && n == 0 {
				x = nil // the names of the columns
				break
			}
			if err != nil {
				return nil, bad("line %d has %q among its features", n+1, cell)
			}
			x[i] = float32(v)
		}
		if x != nil {
			rows = append(rows, row{features: x})
		}
	}
	return rows, nil
}
