package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"icebox/extract"
)

// weightsFile writes seeded weights to dir and returns their path.
func weightsFile(t *testing.T, dir, name string) string {
	t.Helper()
	x, err := extract.Open(context.Background(), extract.Options{Weights: "random:5"})
	must(t, err)
	defer x.Close()
	path := filepath.Join(dir, name)
	must(t, x.SaveWeights(path))
	return path
}

func TestWeightsAreInspectedAndConverted(t *testing.T) {
	dir := t.TempDir()
	weightsFile(t, dir, "w.pth")
	if r := icebox(t, dir, "weights", "convert", "w.pth", "w.safetensors"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	if r := icebox(t, dir, "weights", "convert", "w.pth", "w.safetensors"); r.code == 0 {
		t.Error("convert overwrote a file")
	}
	a := icebox(t, dir, "weights", "inspect", "w.pth", "--json").lastJSON(t)
	b := icebox(t, dir, "weights", "inspect", "w.safetensors", "--json").lastJSON(t)
	if a["hash"] == nil || a["hash"] != b["hash"] || a["format"] == b["format"] {
		t.Errorf("%v %v, %v %v", a["hash"], a["format"], b["hash"], b["format"])
	}
	if r := icebox(t, dir, "weights", "inspect", "~/w.pth"); r.code != 0 || !strings.Contains(r.out, "conv1.weight") {
		t.Errorf("%s", r.out)
	}
}

func TestDamagedWeightsAreNotInspected(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(weightsFile(t, dir, "w.pth"))
	must(t, err)
	flipped := bytes.Clone(data)
	flipped[len(data)/2] ^= 1
	write(t, dir, "flipped.pth", flipped)
	write(t, dir, "cut.pth", data[:len(data)/2])
	for _, name := range []string{"flipped.pth", "cut.pth"} {
		if r := icebox(t, dir, "weights", "inspect", name); r.code != exitWeights || r.out != "" || !strings.Contains(r.errOut, name) || !strings.Contains(r.errOut, "damaged") {
			t.Errorf("%s: exit %d: %s%s", name, r.code, r.out, r.errOut)
		}
	}
}

func TestFetchedWeightsAreFoundByAuto(t *testing.T) {
	dir := folder(t, 2, 2)
	file := weightsFile(t, dir, "src.pth")
	data, err := os.ReadFile(file)
	must(t, err)
	sum := sha256.Sum256(data)
	name := "resnet18-" + hex.EncodeToString(sum[:4]) + ".pth"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }))
	defer server.Close()
	env := []string{"ICEBOX_OFFLINE=0", "XDG_CACHE_HOME=" + filepath.Join(dir, "xdg"), "TORCH_HOME=" + filepath.Join(dir, "torch")}

	r := iceboxEnv(t, dir, env, "weights", "fetch", "--url", server.URL+"/"+name, "--dir", filepath.Join(dir, "xdg", "icebox", "weights"))
	if r.code != 0 || !strings.Contains(r.out, name) {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	sumUp := iceboxEnv(t, dir, env, "extract", "--data", "photos", "--json").lastJSON(t)
	if got := sumUp["weights"].(string); filepath.Base(got) != name {
		t.Errorf("auto found %s", got)
	}

	bad := strings.Replace(name, "resnet18-", "resnet18-0000", 1)
	if r := iceboxEnv(t, dir, env, "weights", "fetch", "--url", server.URL+"/"+bad, "--dir", dir); r.code != exitWeights || !strings.Contains(r.errOut, "SHA-256") {
		t.Errorf("a file with another hash: exit %d, %s", r.code, r.errOut)
	}
}

func TestAVariableThatNamesNoWeightsIsAnError(t *testing.T) {
	dir := t.TempDir()
	for _, command := range [][]string{{"weights", "where"}, {"quickstart"}, {"doctor"}} {
		if r := iceboxEnv(t, dir, []string{"ICEBOX_BACKBONE_WEIGHTS=/none.pth"}, command...); r.code != exitWeights || !strings.Contains(r.errOut, "ICEBOX_BACKBONE_WEIGHTS names") {
			t.Errorf("%v: exit %d: %s", command, r.code, r.errOut)
		}
	}
}

// torchvision is a server with a file of weights, and the options that take its place for
// the official one. Asked counts the requests.
func torchvision(t *testing.T) (o extract.FetchOptions, asked *atomic.Int64) {
	t.Helper()
	file := weightsFile(t, t.TempDir(), "resnet18-f37072fd.pth")
	data, err := os.ReadFile(file)
	must(t, err)
	asked = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.ServeFile(w, r, file)
	}))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(data)
	return extract.FetchOptions{URL: server.URL + "/models/resnet18-f37072fd.pth", SHA256Prefix: hex.EncodeToString(sum[:])}, asked
}

// online is an environment that allows downloads, with folders of weights below dir.
func online(dir string) []string { return []string{"ICEBOX_OFFLINE=0", "XDG_CACHE_HOME=" + dir} }

func TestRunDownloadsWeightsOnce(t *testing.T) {
	dir := folder(t, 2, 4)
	must(t, os.Mkdir(filepath.Join(dir, "torch"), 0o755)) // PyTorch's folder
	o, asked := torchvision(t)
	hub := filepath.Join("torch", "hub", "checkpoints")
	where := iceboxFetching(t, dir, o, online(dir), "weights", "where", "--json").lastJSON(t)
	if where["found"] != false || where["path"] != filepath.Join(dir, hub, "resnet18-f37072fd.pth") || where["url"] != o.URL {
		t.Errorf("before: %v", where)
	}
	if r := iceboxFetching(t, dir, o, online(dir), "run", "--data", "nowhere"); r.code != exitData || asked.Load() > 0 {
		t.Errorf("data that is not there: exit %d, %d requests", r.code, asked.Load())
	}
	if r := iceboxFetching(t, dir, o, online(dir), "run", "--data", "photos", "--dry-run"); r.code != exitWeights || asked.Load() > 0 || !strings.Contains(r.errOut, "icebox weights fetch") {
		t.Errorf("a dry run: exit %d, %d requests: %s", r.code, asked.Load(), r.errOut)
	}
	r := iceboxFetching(t, dir, o, online(dir), "run", "--data", "photos")
	if r.code != exitOK || strings.Count(r.errOut, "downloading") != 1 || !strings.Contains(r.errOut, "once: "+o.URL+" to "+hub) {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	if again := iceboxFetching(t, dir, o, online(dir), "run", "--data", "photos"); again.code != exitOK || strings.Contains(again.errOut, "downloading") || asked.Load() != 1 {
		t.Errorf("again: exit %d, %d requests: %s", again.code, asked.Load(), again.errOut)
	}
	if where = iceboxFetching(t, dir, o, online(dir), "weights", "where", "--json").lastJSON(t); where["found"] != true {
		t.Errorf("after: %v", where)
	}

	// The head knows where its weights came from, so that predict brings them, too.
	runs, err := filepath.Glob(filepath.Join(dir, "runs", "*"))
	must(t, err)
	must(t, os.RemoveAll(filepath.Join(dir, "torch")))
	r = iceboxFetching(t, dir, o, online(dir), "predict", "--run", runs[0], "photos/a/1.png")
	if r.code != exitOK || asked.Load() != 2 || !strings.Contains(r.errOut, "downloading") {
		t.Errorf("predict: exit %d, %d requests: %s%s", r.code, asked.Load(), r.out, r.errOut)
	}
}

func TestDownloadsCanBeForbidden(t *testing.T) {
	dir := folder(t, 2, 2)
	o, asked := torchvision(t)
	for _, c := range []struct {
		why string
		env []string
		arg string
	}{
		{"--offline", nil, "--offline"},
		{"ICEBOX_OFFLINE", []string{"ICEBOX_OFFLINE=1"}, "--quiet=false"},
		{"HF_HUB_OFFLINE", []string{"HF_HUB_OFFLINE=true"}, "--quiet=false"},
	} {
		for _, args := range [][]string{{"run", "--data", "photos"}, {"weights", "fetch"}} {
			r := iceboxFetching(t, dir, o, append(online(dir), c.env...), append(args, c.arg)...)
			for _, words := range []string{c.why + " forbids", "from " + o.URL, "to   " + filepath.Join(dir, "icebox", "weights")} {
				if !strings.Contains(r.errOut, words) {
					t.Errorf("%v, %s: no %q in %s", args, c.why, words, r.errOut)
				}
			}
			if r.code != exitWeights || strings.Contains(r.errOut, "not a variable of icebox") {
				t.Errorf("%v, %s: exit %d: %s", args, c.why, r.code, r.errOut)
			}
		}
		if r := iceboxFetching(t, dir, o, append(online(dir), c.env...), "weights", "where", c.arg); !strings.Contains(r.out, c.why+" forbids") {
			t.Errorf("%s: weights where prints %s", c.why, r.out)
		}
	}
	if asked.Load() > 0 {
		t.Errorf("%d requests", asked.Load())
	}
}

func TestFailedDownloadsSayWhatToDo(t *testing.T) {
	dir := folder(t, 2, 2)
	sound, _ := torchvision(t)
	wrong := sound
	wrong.SHA256Prefix = strings.Repeat("0", 64)
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "46830571")
		_, _ = w.Write(make([]byte, 100))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer cut.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts nothing
	must(t, err)
	defer silent.Close()
	broken := extract.FetchOptions{URL: cut.URL + "/resnet18-f37072fd.pth"}
	nobody := extract.FetchOptions{URL: "https://" + silent.Addr().String() + "/resnet18-f37072fd.pth", Connect: 100 * time.Millisecond}
	own := filepath.Join(dir, "icebox", "weights")
	for _, c := range []struct {
		o     extract.FetchOptions
		words []string
		left  int // files
	}{
		{wrong, []string{"wrong SHA-256", "try: "}, 0},
		{nobody, []string{"no network", "from " + nobody.URL, "to   " + own}, 0},
		{broken, []string{"broke off", "the same command again"}, 1},
	} {
		r := iceboxFetching(t, dir, c.o, online(dir), "run", "--data", "photos")
		for _, words := range c.words {
			if !strings.Contains(r.errOut, words) {
				t.Errorf("no %q in %s", words, r.errOut)
			}
		}
		if left, _ := os.ReadDir(own); r.code != exitWeights || len(left) != c.left {
			t.Errorf("%s: exit %d, files %v", c.words[0], r.code, left)
		}
		if where := iceboxFetching(t, dir, c.o, online(dir), "weights", "where", "--json").lastJSON(t); where["found"] != false {
			t.Errorf("%s: what is left passes for weights: %v", c.words[0], where)
		}
	}
}
