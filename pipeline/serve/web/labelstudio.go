package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"icebox/pipeline/serve"
)

// The machine-learning back end of Label Studio: labels are predicted for tasks, and what
// annotators say trains the head anew before they see the next task.
// https://github.com/HumanSignal/label-studio-ml-backend
var (
	studio = &dialect{"labelstudio", faultError, failError}

	labelStudio = []route{
		{method: "POST", path: "/setup", dialect: studio, about: "Whether a project can be answered for, and the version of the model", body: studioSetup,
			takes: justJSON, asks: setupAsks, gives: has(schema{"model_version": anyText})},
		{method: "POST", path: "/predict", dialect: studio, about: "Choices for the pictures of tasks", body: studioPredict,
			takes: justJSON, asks: predictAsks, gives: has(schema{"results": listOf(anyObject), "model_version": anyText})},
		{method: "POST", path: "/train", dialect: studio, about: "Train the head by what annotators say", body: studioTrain, status: http.StatusCreated,
			takes: justJSON, asks: trainAsks, gives: studioLearned},
		{method: "POST", path: "/webhook", dialect: studio, about: "Hear of a new annotation, and train the head by it", body: studioWebhook, status: http.StatusCreated,
			takes: justJSON, gives: studioLearned},
		{method: "GET", path: "/is_training", dialect: studio, about: "Whether a head is being trained", gives: has(schema{"is_training": anyBool}),
			body: func(s *server, w http.ResponseWriter, _ *http.Request) error {
				writeJSON(w, http.StatusOK, map[string]bool{"is_training": s.training.Load() > 0})
				return nil
			}},
	}
	justJSON      = []string{"application/json"}
	studioLearned = has(schema{"model_version": anyText, "annotations": anyWhole})
)

const configExample = `<View><Image name="image" value="$image"/><Choices name="choice" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices></View>`

func configText() schema { return schema{"type": "string", "example": configExample} }

func setupAsks() schema { return has(schema{"project": anyText, "schema": configText()}) }

func predictAsks() schema {
	task := has(schema{"data": has(schema{"image": schema{"type": "string", "example": "data:image/png;base64," + tinyImage()}})})
	return has(schema{"tasks": listOf(task), "label_config": configText()})
}

func trainAsks() schema {
	return has(schema{"annotations": schema{"type": "array", "items": anyObject, "minItems": 1}, "label_config": configText()})
}

// studioTask is a task, with what annotators said where a training asks.
type studioTask struct {
	Data        map[string]json.RawMessage `json:"data"`
	Annotations []studioAnnotation         `json:"annotations"`
}

// studioAnnotation is what an annotator said.
type studioAnnotation struct {
	WasCancelled bool `json:"was_cancelled"`
	Result       []struct {
		FromName string `json:"from_name"`
		Type     string `json:"type"`
		Value    struct {
			Choices []string `json:"choices"`
		} `json:"value"`
	} `json:"result"`
}

func readStudio(r *http.Request, v any) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return bad("the body is no request of Label Studio: %v", err)
	}
	return nil
}

func studioSetup(s *server, w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Schema string `json:"schema"`
	}
	if err := readStudio(r, &q); err != nil {
		return err
	}
	if _, err := readLabelConfig(q.Schema); err != nil {
		return err
	}
	place, err := s.shelf.Find("", "")
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{"model_version": place.Model().Version})
	return nil
}

func studioPredict(s *server, w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Tasks  []studioTask `json:"tasks"`
		Config string       `json:"label_config"`
	}
	if err := readStudio(r, &q); err != nil {
		return err
	}
	config, err := readLabelConfig(q.Config)
	if err != nil {
		return err
	}
	if len(q.Tasks) > MaxImages {
		return &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request has %d tasks, and %d are allowed", len(q.Tasks), MaxImages)}
	}
	place, err := s.shelf.Find("", "")
	if err != nil {
		return err
	}
	version := place.Model().Version
	results := []any{}
	for some := range slices.Chunk(q.Tasks, serve.MaxBatch) { // so that few pictures are in memory at a time
		answers, by, err := s.studioAnswers(r.Context(), config, some)
		if err != nil {
			return err
		}
		version = by
		results = append(results, answers...)
	}
	writeJSON(w, http.StatusOK, map[string]any{"results": results, "model_version": version})
	return nil
}

// studioAnswers are predictions for tasks, and the version of the model that made them. A task
// whose picture is bad has an empty one, which says why.
func (s *server) studioAnswers(ctx context.Context, config labelConfig, tasks []studioTask) (all []any, version string, err error) {
	inputs, faults := make([]serve.Input, len(tasks)), make([]error, len(tasks))
	for i := range tasks {
		if inputs[i].Image, faults[i] = s.pictureOf(&tasks[i], config); faults[i] != nil {
			inputs[i].Image = nil
		}
	}
	reply, err := s.ask(ctx, asked{}, inputs)
	if err != nil {
		return nil, "", err
	}
	for i := range tasks {
		a := &reply.answers[i]
		if faults[i] == nil {
			faults[i] = a.Err
		}
		if faults[i] != nil {
			all = append(all, ordered{{"result", []any{}}, {"score", 0}, {"model_version", reply.Version}, {"error", faults[i].Error()}})
			continue
		}
		all = append(all, studioPrediction(reply, a, config, i))
	}
	return all, reply.Version, nil
}

// studioPrediction is an answer as Label Studio shows it. A label that is no choice of the
// project is left out.
func studioPrediction(r *reply, a *serve.Answer, config labelConfig, i int) ordered {
	result := []any{}
	if slices.Contains(config.choices, a.Label) {
		result = append(result, ordered{{"id", fmt.Sprintf("icebox-%d", i)}, {"from_name", config.from}, {"to_name", config.to}, {"type", "choices"},
			{"value", map[string][]string{"choices": {a.Label}}}})
	}
	return ordered{{"result", result}, {"score", a.Probabilities[a.Class]}, {"model_version", r.Version}}
}

// pictureOf reads the picture of a task.
func (s *server) pictureOf(task *studioTask, config labelConfig) ([]byte, error) {
	var text string
	if err := json.Unmarshal(task.Data[config.key], &text); err != nil {
		return nil, bad("the task has no picture under %q", config.key)
	}
	return s.taskImage(text)
}

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
		Action     string            `json:"action"`
		Annotation *studioAnnotation `json:"annotation"`
		Task       studioTask        `json:"task"`
		Tasks      []studioTask      `json:"annotations"` // as older versions ask for a training
		Config     string            `json:"label_config"`
		Project    json.RawMessage   `json:"project"` // an object, or, in older versions, a text
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
	switch {
	case q.Annotation != nil && (q.Action == "ANNOTATION_CREATED" || q.Action == "ANNOTATION_UPDATED"):
		q.Task.Annotations = []studioAnnotation{*q.Annotation}
		return s.studioLearn(w, r, []studioTask{q.Task}, q.Config, false)
	case q.Action == "" && q.Tasks != nil:
		return s.studioLearn(w, r, q.Tasks, q.Config, true)
	}
	place, err := s.shelf.Find("", "")
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, ordered{{"model_version", place.Model().Version}, {"annotations", 0}})
	return nil
}

// studioLearn has the first model learn by what annotators said of tasks.
func (s *server) studioLearn(w http.ResponseWriter, r *http.Request, tasks []studioTask, text string, always bool) error {
	if s.Learn == nil {
		return &httpError{http.StatusNotImplemented, errNoLearning.Error()}
	}
	config, err := readLabelConfig(text)
	if err != nil {
		return err
	}
	place, err := s.shelf.Find("", "")
	if err != nil {
		return err
	}
	said, err := s.saidOf(r.Context(), tasks, config)
	if err != nil {
		return err
	}
	s.training.Add(1)
	defer s.training.Add(-1)
	learned, err := s.Learn(r.Context(), place.Model().Name, said, always)
	if err != nil {
		return err
	}
	answer := ordered{{"model_version", place.Model().Version}, {"annotations", len(said)}, {"images", learned.Known}, {"changed", learned.Changed},
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
