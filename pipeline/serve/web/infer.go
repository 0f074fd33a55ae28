package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

type oipRequest struct {
	ID         string         `json:"id"`
	Parameters map[string]any `json:"parameters"`
	Inputs     few[tensor]    `json:"inputs"`
	Outputs    few[wanted]    `json:"outputs"`
}

// few and many are lists that are read up to a length: of many short elements, each takes far
// more memory than it has bytes.
type (
	few[T any]  []T
	many[T any] []T
)

const (
	mostFew  = 16
	mostMany = 1 << 16 // rows of 512 short numbers fill the largest body that is usual
)

func (f *few[T]) UnmarshalJSON(data []byte) (err error) {
	*f, err = listOfUpTo[T](data, mostFew)
	return err
}

func (m *many[T]) UnmarshalJSON(data []byte) (err error) {
	*m, err = listOfUpTo[T](data, mostMany)
	return err
}

// listOfUpTo reads a list of JSON.
func listOfUpTo[T any](data []byte, most int) (list []T, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t == nil {
		return nil, err // null is no list
	} else if t != json.Delim('[') {
		return nil, errNoList
	}
	for list = []T{}; d.More(); {
		var element T
		if len(list) == most {
			return nil, fmt.Errorf("a list has more than %d elements", most)
		}
		if err := d.Decode(&element); err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	return list, nil
}

var errNoList = errors.New("a list is wanted")

// wanted is an output that a request asks for.
type wanted struct {
	Name       string         `json:"name"`
	Parameters map[string]any `json:"parameters"`
}

type oipResponse struct {
	ModelName    string   `json:"model_name"`
	ModelVersion string   `json:"model_version"`
	ID           string   `json:"id,omitempty"`
	Outputs      []tensor `json:"outputs"`
}

// oipHeader says how many bytes of a body are JSON; binary tensors follow.
const oipHeader = "Inference-Header-Content-Length"

// infer answers a request in JSON, with binary tensors behind it where a header says so.
func infer(s *server, w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	request, err := readOIP(body, r.Header.Get(oipHeader))
	if err != nil {
		return err
	}
	answered, err := s.askTensor(r.Context(), asked{r.PathValue("model"), r.PathValue("version")}, &request.Inputs[0])
	if err != nil {
		return err
	}
	outputs, err := request.outputs(answered)
	if err != nil {
		return err
	}
	return writeOIP(w, &oipResponse{ModelName: answered.Name, ModelVersion: answered.Version, ID: request.ID, Outputs: outputs})
}

// askTensor has a model answer for an input. Where it is one image, its fault is the request's.
func (s *server) askTensor(ctx context.Context, to asked, in *tensor) (answered *reply, err error) {
	switch in.Datatype {
	case "BYTES":
		images, err := in.images()
		if err != nil {
			return nil, err
		}
		answered, err = s.ask(ctx, to, inputsOf(images...))
		if err != nil {
			return nil, err
		}
	case "UINT8":
		pixels, err := in.pixels()
		if err != nil {
			return nil, err
		}
		if answered, err = s.ask(ctx, to, cropsOf(pixels)); err != nil {
			return nil, err
		}
	case "FP32":
		x, err := in.floats()
		if err != nil {
			return nil, err
		}
		if answered, err = s.askFeatures(to, x); err != nil {
			return nil, err
		}
	default:
		return nil, bad("input %q is of %s: BYTES (image files), UINT8 (crops of 224 × 224 × 3) and FP32 (features) are taken", in.Name, in.Datatype)
	}
	if len(answered.answers) == 1 && answered.answers[0].Err != nil {
		return nil, imageError{answered.answers[0].Err}
	}
	return answered, nil
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
	if err := oneInput(len(request.Inputs)); err != nil {
		return nil, err
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

// oneInput refuses any other number of inputs.
func oneInput(n int) error {
	if n != 1 {
		return bad("the request has %d inputs, and one is taken: image, pixels or features", n)
	}
	return nil
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
