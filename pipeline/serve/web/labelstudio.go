package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"icebox/pipeline/serve"
	"icebox/pipeline/words"
)

// The machine-learning back end of Label Studio: labels are predicted for tasks, and what
// annotators say trains the head anew before they see the next task. Its paths are there for
// the one model that is served, and below studioPath and its name for each of several.
// https://github.com/HumanSignal/label-studio-ml-backend
var (
	studio = &dialect{"labelstudio", faultError, failError}

	labelStudio = ofEachModel([]route{
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
	})
	justJSON      = []string{"application/json"}
	studioLearned = has(schema{"model_version": anyText, "annotations": anyWhole})
)

// studioPath is where the back ends of models begin, by their names.
const studioPath = "/labelstudio/{model}"

// ofEachModel adds the same routes below the name of a model, and its health.
func ofEachModel(routes []route) []route {
	all := append(routes, route{method: "GET", path: studioPath + "/health", dialect: studio, about: "Whether a model can answer, for Label Studio", gives: has(schema{"status": anyText}),
		body: func(s *server, w http.ResponseWriter, r *http.Request) error {
			if _, err := s.studioModel(r); err != nil {
				return err
			}
			return isUp(s, w, r)
		}})
	for _, r := range routes {
		r.path = studioPath + r.path
		all = append(all, r)
	}
	return all
}

// studioModel is the place of the model that a request is for.
func (s *server) studioModel(r *http.Request) (*serve.Place, error) {
	name := r.PathValue("model")
	if all := s.shelf.Names(); name == "" && len(all) > 1 {
		return nil, bad("several models are served (%s): connect Label Studio to this server's address with /labelstudio/NAME behind it", words.List(all))
	}
	return s.shelf.Find(name, "")
}

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
	ID          json.RawMessage            `json:"id"`
	Data        map[string]json.RawMessage `json:"data"`
	Annotations []studioAnnotation         `json:"annotations"`
}

// studioAnnotation is what an annotator said.
type studioAnnotation struct {
	Task         json.RawMessage `json:"task"` // the ID of its task
	WasCancelled bool            `json:"was_cancelled"`
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
	place, err := s.studioModel(r)
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
	place, err := s.studioModel(r)
	if err != nil {
		return err
	}
	version := place.Model().Version
	results := []any{}
	for some := range slices.Chunk(q.Tasks, serve.MaxBatch) { // so that few pictures are in memory at a time
		answers, by, err := s.studioAnswers(r.Context(), place.Model().Name, config, some)
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
func (s *server) studioAnswers(ctx context.Context, model string, config labelConfig, tasks []studioTask) (all []any, version string, err error) {
	inputs, faults := make([]serve.Input, len(tasks)), make([]error, len(tasks))
	for i := range tasks {
		if inputs[i].Image, faults[i] = s.pictureOf(&tasks[i], config); faults[i] != nil {
			inputs[i].Image = nil
		}
	}
	reply, err := s.ask(ctx, asked{name: model}, inputs)
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
