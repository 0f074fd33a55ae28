package web

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/serve"
)

// notInstalled is the exit status of testdata/clients.py without the package of a client.
const notInstalled = 77

// paintings are a server that tells colours, and a folder with an image of each.
func paintings(t *testing.T, o Options) (address, folder string) {
	t.Helper()
	folder = t.TempDir()
	o.Program, o.LocalFiles = "icebox test", rootAt(t, folder)
	o.Learn = func(_ context.Context, _ string, said []serve.Said, _ bool) (serve.Learned, error) {
		return serve.Learned{Known: len(said)}, nil
	}
	o.Train = func(context.Context, string) (serve.Learned, error) { return serve.Learned{Trained: "new"}, nil }
	address = listening(t, painting(t, o))
	for name, data := range map[string][]byte{"red": painted(t, red), "green": painted(t, green), "blue": painted(t, blue), "no": []byte("no image")} {
		if err := os.WriteFile(filepath.Join(folder, name+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return address, folder
}

// program runs a program, which must not take long.
func program(t *testing.T, name string, args ...string) (output string, err error) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "HF_HUB_OFFLINE=0", "HF_HUB_DISABLE_TELEMETRY=1")
	out, err := c.CombinedOutput()
	return string(out), err
}

// python is the interpreter that has the clients.
func python(t *testing.T) string {
	t.Helper()
	name := os.Getenv("ICEBOX_CLIENTS_PYTHON")
	if name == "" {
		t.Skip("ICEBOX_CLIENTS_PYTHON names no interpreter that has the clients of other servers")
	}
	return name
}

// Clients of other servers, as they come from their registries, get the right answers.
func TestClientsOfOthers(t *testing.T) {
	interpreter := python(t)
	script, err := filepath.Abs("testdata/clients.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"triton", "tritongrpc", "huggingface", "mlflow", "customvision", "labelstudio"} {
		t.Run(client, func(t *testing.T) {
			address, folder := paintings(t, Options{})
			out, err := program(t, interpreter, script, client, address, folder)
			var ended *exec.ExitError
			if errors.As(err, &ended) && ended.ExitCode() == notInstalled {
				t.Skip(strings.TrimSpace(out))
			}
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// What the documents of servers tell people to type.
func TestCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	address, folder := paintings(t, Options{})
	image := filepath.Join(folder, "green.png")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"Hugging Face":           {[]string{address, "--data-binary", "@" + image}, `[{"label":"green",`},
		"TorchServe, -T":         {[]string{address + "/predictions/paint", "-T", image}, `{"green":0.9`},
		"TorchServe, -F":         {[]string{address + "/predictions/paint", "-F", "data=@" + image}, `{"green":0.9`},
		"TorchServe, version":    {[]string{address + "/predictions/paint/20261127-120000-paint", "-T", image}, `{"green":0.9`},
		"TorchServe, two files":  {[]string{address + "/predictions/paint", "-F", "data=@" + image, "-F", "data=@" + image}, `[{"green":0.9`},
		"TorchServe, no image":   {[]string{address + "/predictions/paint", "-T", filepath.Join(folder, "no.png")}, `{"code":400,`},
		"TorchServe, health":     {[]string{address + "/ping"}, `"status":"Healthy"`},
		"Custom Vision, bytes":   {[]string{address + "/image", "-H", "Content-Type: application/octet-stream", "--data-binary", "@" + image}, `"tagName":"green"`},
		"Custom Vision, form":    {[]string{address + "/image", "-F", "imageData=@" + image}, `"tagName":"green"`},
		"SageMaker":              {[]string{address + "/invocations", "-H", "Content-Type: application/x-image", "--data-binary", "@" + image}, `{"predictions":[{"label":"green"`},
		"SageMaker, JPEG's type": {[]string{address + "/invocations", "-H", "Content-Type: image/jpeg", "--data-binary", "@" + image}, `{"predictions":[{"label":"green"`},
	} {
		out, err := program(t, "curl", append([]string{"-sS", "--max-time", "20"}, c.args...)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
}

// A tester that makes requests from the description finds no answer that it does not allow.
func TestSchemathesis(t *testing.T) {
	tester := filepath.Join(filepath.Dir(python(t)), "schemathesis")
	if _, err := os.Stat(tester); err != nil {
		t.Skip("schemathesis is not installed")
	}
	address, _ := paintings(t, Options{})
	out, err := program(t, tester, "run", address+"/openapi.json", "--phases", "examples,coverage,fuzzing", "--max-examples", "6", "--seed", "1",
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method",
		"--request-timeout", "20", "--continue-on-failure", "--no-color")
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
