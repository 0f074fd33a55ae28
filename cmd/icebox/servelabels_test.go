package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command reads the pictures of Label Studio's tasks below its folder, writes what
// annotators say, and serves the head that it trained by that; without a file it learns nothing.
func TestServeLearnsFromAnnotators(t *testing.T) {
	dir := trainedIn(t)
	found, err := filepath.Glob(filepath.Join(dir, "photos", "a", "*"))
	must(t, err)
	const config = `<View><Image name="img" value="$image"/><Choices name="kind" toName="img"><Choice value="a"/><Choice value="b"/></Choices></View>`
	task := map[string]any{"id": 1, "data": map[string]string{"image": "/data/local-files/?d=a/" + filepath.Base(found[0])}}
	body := func(v map[string]any) []byte {
		data, err := json.Marshal(v)
		must(t, err)
		return data
	}
	annotated := body(map[string]any{"action": "ANNOTATION_CREATED", "task": task, "project": map[string]any{"label_config": config},
		"annotation": map[string]any{"result": []any{map[string]any{"from_name": "kind", "to_name": "img", "type": "choices", "value": map[string]any{"choices": []string{"b"}}}}}})
	client := newClient(t, &http.Transport{})

	address, end := serving(t, dir, nil, "serve", "--run", "latest", "--port", "0", "--local-files", "photos")
	status, said := fetched(t, client, "POST", address+"predict", body(map[string]any{"tasks": []any{task}, "label_config": config}))
	if status != 200 || !strings.Contains(said, `"value":{"choices":["a"]}`) {
		t.Errorf("%d %s", status, said)
	}
	if status, said = fetched(t, client, "POST", address+"webhook", annotated); status != 501 {
		t.Errorf("without a file: %d %s", status, said)
	}
	if code, errOut := end(); code != exitOK {
		t.Errorf("exit %d: %s", code, errOut)
	}

	address, end = serving(t, dir, nil, "serve", "--run", "latest", "--port", "0", "--local-files", "photos", "--promote", "always", "data.corrections=said.csv")
	status, said = fetched(t, client, "POST", address+"webhook", annotated)
	if status != 201 || !strings.Contains(said, `"changed":1`) || !strings.Contains(said, `"served":true`) {
		t.Errorf("%d %s", status, said)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "said.csv")); err != nil || strings.Count(string(text), "\n") != 2 || !strings.Contains(string(text), "\nrelabel,a/") {
		t.Errorf("%v: %s", err, text)
	}
	code, errOut := end()
	if code != exitOK || !strings.Contains(errOut, "a newer run is served") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if r := icebox(t, dir, "serve", "--run", "latest", "--local-files", "none"); r.code != exitUsage || !strings.Contains(r.errOut, "--local-files") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

// Vertex AI names the port and the paths, also such as other clients have, and sends instances.
func TestServeForVertexAI(t *testing.T) {
	dir := trainedIn(t)
	instances := []byte(`{"instances":[{"b64":"` + base64.StdEncoding.EncodeToString(pngOf(t, 1, 50)) + `"}],"parameters":{}}`)
	client := newClient(t, &http.Transport{})
	for health, predict := range map[string]string{"/v1/endpoints/12/deployedModels/34": "/v1/endpoints/12/deployedModels/34:predict", "/health": "/predict", "/ping": "/"} {
		address, end := serving(t, dir, []string{"AIP_HTTP_PORT=0", "AIP_HEALTH_ROUTE=" + health, "AIP_PREDICT_ROUTE=" + predict}, "serve", "--run", "latest")
		here := strings.TrimSuffix(address, "/")
		status, said := fetched(t, client, "POST", here+predict, instances, "Content-Type", "application/json")
		if status != 200 || !strings.HasPrefix(said, `{"predictions":[{"label":"b"`) {
			t.Errorf("%s: %d %s", predict, status, said)
		}
		if status, said = fetched(t, client, "GET", here+health, nil); status != 200 || !strings.Contains(said, "Healthy") {
			t.Errorf("%s: %d %s", health, status, said)
		}
		if status, said = fetched(t, client, "GET", here+"/openapi.json", nil); status != 200 || !strings.Contains(said, `"`+predict+`":{`) {
			t.Errorf("%s is not described: %d", predict, status)
		}
		if code, errOut := end(); code != exitOK {
			t.Errorf("exit %d: %s", code, errOut)
		}
	}
	for set, says := range map[string]string{"AIP_HTTP_PORT=http": "AIP_HTTP_PORT (http)", "AIP_HTTP_PORT=70000": "AIP_HTTP_PORT (70000)", "AIP_PREDICT_ROUTE=predict": "AIP_PREDICT_ROUTE", "AIP_HEALTH_ROUTE=/{x}": "AIP_HEALTH_ROUTE", "AIP_HEALTH_ROUTE=/a/../b": "AIP_HEALTH_ROUTE"} {
		if r := iceboxEnv(t, dir, []string{set}, "serve", "--run", "latest"); r.code != exitUsage || !strings.Contains(r.errOut, says) {
			t.Errorf("%s: exit %d: %s", set, r.code, r.errOut)
		}
	}
}

// In its container the program is given one word, as SageMaker gives it, and finds the rest in
// the environment.
func TestServeInAContainer(t *testing.T) {
	dir := trainedIn(t)
	found, err := filepath.Glob(filepath.Join(dir, "runs", "*-photos"))
	must(t, err)
	model := filepath.Join(t.TempDir(), "model") // as a model.tar.gz is unpacked, without the cache
	must(t, os.CopyFS(model, os.DirFS(found[0])))
	text, err := os.ReadFile("../../Dockerfile")
	must(t, err)
	var environ []string
	for line := range strings.Lines(string(text)) {
		if set, ok := strings.CutPrefix(line, "ENV ICEBOX_SERVE_"); ok {
			environ = strings.Fields("ICEBOX_SERVE_" + set)
		}
	}
	if len(environ) != 3 || environ[0] != "ICEBOX_SERVE_RUN=/opt/ml/model" {
		t.Fatal(environ)
	}
	environ[0] = "ICEBOX_SERVE_RUN=" + model
	address, end := serving(t, t.TempDir(), environ, "serve", "--port", "0") // 8080 may be taken here
	at, err := url.Parse(address)
	must(t, err)
	here := "http://127.0.0.1:" + at.Port()
	client := newClient(t, &http.Transport{})
	status, said := fetched(t, client, "POST", here+"/invocations", pngOf(t, 1, 50), "Content-Type", "application/x-image")
	if status != 200 || !strings.HasPrefix(said, `{"predictions":[{"label":"b"`) {
		t.Errorf("%d %s", status, said)
	}
	if status, _ = fetched(t, client, "GET", here+"/ping", nil); status != 200 {
		t.Errorf("ping: %d", status)
	}
	if code, errOut := end(); code != exitOK {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
