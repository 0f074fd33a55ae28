package web

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"icebox/pipeline/serve"
)

const config = `<View>
  <Image name="img" value="$photo"/>
  <Choices name="colour" toName="img"><Choice value="red"/><Choice value="Blue" alias="&lt;blue&gt;"/></Choices>
</View>`

// rootAt opens a folder.
func rootAt(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// filesOf is a folder with files, by their names.
func filesOf(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tell sends a request of Label Studio.
func tell(t *testing.T, ask func(body []byte) *httptest.ResponseRecorder, body map[string]any) *httptest.ResponseRecorder {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return ask(data)
}

func TestLabelStudioPredicts(t *testing.T) {
	outside := filesOf(t, map[string][]byte{"secret.png": painted(t, red)})
	dir := filesOf(t, map[string][]byte{"a b/red.png": painted(t, red), "upload/3/blue.png": painted(t, blue), "green.png": painted(t, green), "no.png": []byte("no image"), "large.png": make([]byte, 30_000)})
	links := os.Symlink(filepath.Join(outside, "secret.png"), filepath.Join(dir, "link.png")) == nil
	h := painting(t, Options{LocalFiles: rootAt(t, dir), MaxBody: 20_000})
	type prediction struct {
		Result []struct {
			From  string `json:"from_name"`
			To    string `json:"to_name"`
			Type  string
			Value struct{ Choices []string }
		}
		Score   float64
		Version string `json:"model_version"`
		Error   string
	}
	for photo, want := range map[string]struct{ label, fault string }{
		"/data/local-files/?d=a%20b/red.png":                                {"red", ""},
		"/data/local-files/?d=a+b%2Fred.png":                                {"red", ""},
		"/data/upload/3/blue.png":                                           {"<blue>", ""},
		"data:image/png;base64," + b64(painted(t, red)):                     {"red", ""},
		"/data/local-files/?d=green.png":                                    {"", ""}, // no choice of the project
		"/data/local-files/?d=no.png":                                       {"", "not an image"},
		"/data/local-files/?d=none.png":                                     {"", "there is no"},
		"/data/local-files/?d=large.png":                                    {"", "more than 20000 bytes"},
		"/data/local-files/?d=upload":                                       {"", "no file"},
		"/data/local-files/?d=":                                             {"", "names no file"},
		"/data/local-files/?d=../" + filepath.Base(outside) + "/secret.png": {"", "there is no"},
		"/data/local-files/?d=" + outside + "/secret.png":                   {"", "there is no"},
		"/data/upload/../../../etc/passwd":                                  {"", "there is no"},
		"/etc/passwd":                                                       {"", "a picture is"},
		"http://127.0.0.1/data/local-files/?d=green.png":                    {"", "not fetched"},
		"//127.0.0.1/data/local-files/?d=green.png":                         {"", "not fetched"},
		"file:///etc/passwd":                                                {"", "not fetched"},
		"s3://bucket/a.png":                                                 {"", "not fetched"},
		"/data/local-files/?d=link.png":                                     {"", "outside"},
	} {
		if strings.HasSuffix(photo, "link.png") && !links {
			continue
		}
		w := tell(t, func(body []byte) *httptest.ResponseRecorder { return ask(h, "POST", "/predict", body) },
			map[string]any{"tasks": []any{map[string]any{"id": 1, "data": map[string]any{"photo": photo}}}, "label_config": config, "project": "1.2"})
		got := said[struct {
			Results []prediction
			Version string `json:"model_version"`
		}](t, w, 200)
		if len(got.Results) != 1 || got.Version != "20261127-120000-paint" || got.Results[0].Version != got.Version {
			t.Fatalf("%s: %+v", photo, got)
		}
		p := got.Results[0]
		if !strings.Contains(p.Error, want.fault) || (want.fault == "") != (p.Error == "") || (want.label != "") != (len(p.Result) == 1) {
			t.Errorf("%s: %+v", photo, p)
		}
		if want.label != "" {
			if r := p.Result[0]; r.From != "colour" || r.To != "img" || r.Type != "choices" || len(r.Value.Choices) != 1 || r.Value.Choices[0] != want.label || p.Score < .9 {
				t.Errorf("%s: %+v", photo, p)
			}
		}
	}
}

func TestLabelConfigs(t *testing.T) {
	for text, fault := range map[string]string{
		config: "",
		`<View><Choices name="a" toName="i"><Choice value="x"/></Choices><Image name="i" value="$p"/></View>`: "",
		`<View><Text name="t" value="$t"/><Choices name="a" toName="t"/><Image name="i" value="$p"/></View>`:  "no <Choices>",
		`<View><Image name="i" value="http://x/"/><Choices name="a" toName="i"/></View>`:                      "no <Choices>",
		`<View><Choices`: "cannot be read",
		``:               "no label_config",
		`<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>`: "cannot be read",
	} {
		_, err := readLabelConfig(text)
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", text, err)
		}
	}
	h := painting(t, Options{})
	for name, w := range map[string]*httptest.ResponseRecorder{
		"setup":   ask(h, "POST", "/setup", []byte(`{"schema":"<View/>"}`)),
		"predict": ask(h, "POST", "/predict", []byte(`{"tasks":[],"label_config":"<View/>"}`)),
		"no JSON": ask(h, "POST", "/predict", []byte(`[1`)),
	} {
		said[map[string]string](t, w, 400)
		_ = name
	}
}

// What annotators choose is told to the model by the bytes of the picture.
func TestLabelStudioTeaches(t *testing.T) {
	image := painted(t, red)
	dir := filesOf(t, map[string][]byte{"red.png": image, "blue.png": painted(t, blue)})
	var heard []serve.Said
	var forced bool
	h := painting(t, Options{LocalFiles: rootAt(t, dir), Learn: func(_ context.Context, model string, s []serve.Said, always bool) (serve.Learned, error) {
		if heard, forced = s, always; model != "paint" {
			t.Errorf("model %q learns", model)
		}
		return serve.Learned{Known: 1, Changed: 1, Trained: "new", Promoted: true, Why: "p = 1"}, nil
	}, Train: func(_ context.Context, model string) (serve.Learned, error) {
		if forced = true; model != "paint" {
			t.Errorf("model %q trains", model)
		}
		return serve.Learned{Trained: "new", Promoted: true}, nil
	}})
	result := func(choices ...string) map[string]any {
		return map[string]any{"result": []any{map[string]any{"from_name": "colour", "to_name": "img", "type": "choices", "value": map[string]any{"choices": choices}}}}
	}
	task := map[string]any{"id": 1, "data": map[string]any{"photo": "/data/local-files/?d=red.png"}}
	project := map[string]any{"id": 1, "label_config": config}
	annotated := func(annotations ...any) map[string]any {
		return map[string]any{"data": task["data"], "annotations": annotations}
	}
	cancelled := result("red")
	cancelled["was_cancelled"] = true
	for name, c := range map[string]struct {
		path   string
		body   map[string]any
		want   string
		always bool
	}{
		"created":   {"/webhook", map[string]any{"action": "ANNOTATION_CREATED", "annotation": result("<blue>"), "task": task, "project": project}, "<blue>", false},
		"updated":   {"/webhook", map[string]any{"action": "ANNOTATION_UPDATED", "annotation": result("red"), "task": task, "project": project}, "red", false},
		"train":     {"/train", map[string]any{"annotations": []any{annotated(result("<blue>"), result("red"))}, "label_config": config, "project": "1.2"}, "red", true},
		"cancelled": {"/train", map[string]any{"annotations": []any{annotated(result("<blue>"), cancelled)}, "label_config": config}, "<blue>", true},
		"started":   {"/webhook", map[string]any{"action": "START_TRAINING", "project": project}, "", true},
		"one":       {"/webhook", map[string]any{"action": "ANNOTATIONS_CREATED", "annotation": []any{result("red")}, "task": []any{task}, "project": project}, "red", false},
		"by name":   {"/labelstudio/paint/train", map[string]any{"annotations": []any{annotated(result("red"))}, "label_config": config}, "red", true},
		"older":     {"/webhook", map[string]any{"annotations": []any{annotated(result("red"))}, "label_config": config, "project": "1.2"}, "red", true},
		"several":   {"/train", map[string]any{"annotations": []any{annotated(result("red", "<blue>"))}, "label_config": config}, "", true},
	} {
		heard = nil
		w := tell(t, func(body []byte) *httptest.ResponseRecorder { return ask(h, "POST", c.path, body) }, c.body)
		got := said[struct {
			Job         string
			Annotations int
			Served      bool
		}](t, w, 201)
		if got.Job != "new" || !got.Served || forced != c.always {
			t.Errorf("%s: %s", name, w.Body)
		}
		if c.want == "" && len(heard) != 0 || c.want != "" && (len(heard) != 1 || heard[0] != serve.Said{Image: sha256.Sum256(image), Class: c.want}) {
			t.Errorf("%s: %v", name, heard)
		}
	}
	// Several annotations come with their tasks, in any order.
	of := func(task int, choice string) map[string]any {
		a := result(choice)
		a["task"] = task
		return a
	}
	blueTask := map[string]any{"id": 2, "data": map[string]any{"photo": "/data/local-files/?d=blue.png"}}
	w := tell(t, func(body []byte) *httptest.ResponseRecorder { return ask(h, "POST", "/webhook", body) }, map[string]any{"action": "ANNOTATIONS_CREATED", "project": project,
		"annotation": []any{of(2, "<blue>"), of(1, "<blue>"), of(1, "red"), of(9, "red")}, "task": []any{task, blueTask}})
	isRed, isBlue := sha256.Sum256(image), sha256.Sum256(painted(t, blue))
	if want := []serve.Said{{Image: isBlue, Class: "<blue>"}, {Image: isRed, Class: "<blue>"}, {Image: isRed, Class: "red"}}; w.Code != 201 || !slices.Equal(heard, want) {
		t.Errorf("%d %s: %v", w.Code, w.Body, heard)
	}
	heard = nil
	w = ask(h, "POST", "/webhook", []byte(`{"action":"PROJECT_UPDATED","project":{"id":1}}`))
	if w.Code != 201 || heard != nil {
		t.Errorf("%d %s, %v", w.Code, w.Body, heard)
	}
	if w := ask(painting(t, Options{}), "POST", "/train", []byte(`{"annotations":[]}`)); w.Code != 501 || !strings.Contains(w.Body.String(), "does not learn") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Of several models each has its own back end; an address that names none says so.
func TestLabelStudioOfSeveralModels(t *testing.T) {
	b := backboneOf(t, colours{}, serve.BackboneOptions{})
	other := painter(b)
	other.Name, other.Version = "other", "20261127-130000-other"
	taught := ""
	h := New(shelfOf(t, painter(b), other), Options{
		Learn: func(_ context.Context, model string, _ []serve.Said, _ bool) (serve.Learned, error) {
			taught = model
			return serve.Learned{}, nil
		},
		Train: func(_ context.Context, model string) (serve.Learned, error) {
			taught = model
			return serve.Learned{}, nil
		},
	})
	photo := map[string]any{"photo": "data:image/png;base64," + b64(painted(t, red))}
	for path, body := range map[string]map[string]any{
		"/setup":   {"schema": config},
		"/predict": {"tasks": []any{map[string]any{"data": photo}}, "label_config": config},
		"/train":   {"annotations": []any{map[string]any{"data": photo}}, "label_config": config},
		"/webhook": {"action": "START_TRAINING"},
	} {
		for prefix, want := range map[string]string{"": "/labelstudio/NAME", "/labelstudio/paint": "20261127-120000-paint", "/labelstudio/other": other.Version, "/labelstudio/none": "no such model"} {
			taught = ""
			w := tell(t, func(body []byte) *httptest.ResponseRecorder { return ask(h, "POST", prefix+path, body) }, body)
			if !strings.Contains(w.Body.String(), want) || (w.Code < 300) != strings.HasPrefix(want, "2026") {
				t.Errorf("%s%s: %d %s", prefix, path, w.Code, w.Body)
			}
			if name := strings.TrimPrefix(prefix, "/labelstudio/"); taught != "" && taught != name {
				t.Errorf("%s%s teaches %s", prefix, path, taught)
			}
		}
	}
	for path, status := range map[string]int{"/labelstudio/other/health": 200, "/labelstudio/none/health": 404, "/labelstudio/other/is_training": 200, "/health": 200} {
		if w := ask(h, "GET", path, nil); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
