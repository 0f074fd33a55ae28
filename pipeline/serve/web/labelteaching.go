package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"

	"icebox/pipeline/serve"
)

// errNoLearning is returned by a server that was not told where to write what annotators say.
var errNoLearning = errors.New("this server does not learn: it was not given a file of corrections")

// studioTrain learns by the tasks that a request brings.
func studioTrain(s *server, w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Tasks  []studioTask `json:"annotations"`
		Config string       `json:"label_config"`
	}
	if err := readStudio(r, &q); err != nil {
		return err
	}
	return s.studioLearn(w, r, q.Tasks, q.Config, true)
}

// studioWebhook learns by the annotation that it is told of, and thanks for anything else.
func studioWebhook(s *server, w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Action      string                      `json:"action"`
		Annotations oneOrMany[studioAnnotation] `json:"annotation"`
		Tasks       oneOrMany[studioTask]       `json:"task"`
		Older       []studioTask                `json:"annotations"` // as older versions ask for a training
		Config      string                      `json:"label_config"`
		Project     json.RawMessage             `json:"project"` // an object, or, in older versions, a text
	}
	if err := readStudio(r, &q); err != nil {
		return err
	}
	var project struct {
		Config string `json:"label_config"`
	}
	if json.Unmarshal(q.Project, &project) == nil && q.Config == "" {
		q.Config = project.Config
	}
	switch q.Action {
	case "ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED":
		if tasks := annotated(q.Annotations, q.Tasks); tasks != nil {
			return s.studioLearn(w, r, tasks, q.Config, false)
		}
	case "START_TRAINING": // it brings no annotations: those that were told of before count
		return s.studioTeach(w, r, func(ctx context.Context, model string) (int, serve.Learned, error) {
			l, err := s.Train(ctx, model)
			return 0, l, err
		})
	case "":
		if q.Older != nil {
			return s.studioLearn(w, r, q.Older, q.Config, true)
		}
	}
	place, err := s.studioModel(r)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, ordered{{"model_version", place.Model().Version}, {"annotations", 0}})
	return nil
}

// oneOrMany is a list in JSON, or its one element without brackets.
type oneOrMany[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (all *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*[]T)(all))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil || string(data) == "null" {
		return err
	}
	*all = []T{one}
	return nil
}

// annotated are the tasks that annotations are of, each with its one; a task stands there as
// often as it has annotations. They belong together by the task's ID, or stand in one order.
func annotated(annotations []studioAnnotation, tasks []studioTask) (all []studioTask) {
	byID := map[string]*studioTask{}
	for i := range tasks {
		if id := string(tasks[i].ID); id != "" && id != "null" {
			byID[id] = &tasks[i]
		}
	}
	for i, a := range annotations {
		of := byID[string(a.Task)]
		if of == nil && len(tasks) == len(annotations) {
			of = &tasks[i]
		}
		if of != nil {
			all = append(all, studioTask{Data: of.Data, Annotations: []studioAnnotation{a}})
		}
	}
	return all
}

// studioLearn has the model of a request learn by what annotators said of tasks.
func (s *server) studioLearn(w http.ResponseWriter, r *http.Request, tasks []studioTask, text string, always bool) error {
	return s.studioTeach(w, r, func(ctx context.Context, model string) (annotations int, l serve.Learned, err error) {
		config, err := readLabelConfig(text)
		if err != nil {
			return 0, l, err
		}
		said, err := s.saidOf(ctx, tasks, config)
		if err == nil {
			l, err = s.Learn(ctx, model, said, always)
		}
		return len(said), l, err
	})
}

// studioTeach has the model of a request taught, and tells by how many annotations.
func (s *server) studioTeach(w http.ResponseWriter, r *http.Request, teach func(ctx context.Context, model string) (annotations int, l serve.Learned, err error)) error {
	if s.Learn == nil {
		return &httpError{http.StatusNotImplemented, errNoLearning.Error()}
	}
	place, err := s.studioModel(r)
	if err != nil {
		return err
	}
	s.training.Add(1)
	defer s.training.Add(-1)
	annotations, learned, err := teach(r.Context(), place.Model().Name)
	if err != nil {
		return err
	}
	answer := ordered{{"model_version", place.Model().Version}, {"annotations", annotations}, {"images", learned.Known}, {"changed", learned.Changed},
		{"job", learned.Trained}, {"served", learned.Promoted}}
	if learned.Why != "" {
		answer = append(answer, pair{"test", learned.Why})
	}
	writeJSON(w, http.StatusCreated, answer)
	return nil
}

// saidOf are the newest choices for the pictures of tasks. A task that says nothing is left
// out; a picture that cannot be read is the fault of a request that brings it alone.
func (s *server) saidOf(ctx context.Context, tasks []studioTask, config labelConfig) ([]serve.Said, error) {
	var said []serve.Said
	for i := range tasks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		class := tasks[i].choice(config)
		if class == "" {
			continue
		}
		image, err := s.pictureOf(&tasks[i], config)
		if err != nil {
			if len(tasks) == 1 {
				return nil, err
			}
			continue
		}
		said = append(said, serve.Said{Image: sha256.Sum256(image), Class: class})
	}
	return said, nil
}

// choice is what the last annotation of a task chose; "" is none, or several things.
func (t *studioTask) choice(config labelConfig) string {
	class := ""
	for _, a := range t.Annotations {
		for _, r := range a.Result {
			if !a.WasCancelled && r.Type == "choices" && r.FromName == config.from && len(r.Value.Choices) == 1 {
				class = r.Value.Choices[0]
			}
		}
	}
	return class
}
