package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	if r := icebox(t, dir, "weights", "inspect", "w.pth"); r.code != 0 || !strings.Contains(r.out, "conv1.weight") {
		t.Errorf("%s", r.out)
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
	env := []string{"XDG_CACHE_HOME=" + filepath.Join(dir, "xdg"), "TORCH_HOME=" + filepath.Join(dir, "torch")}

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
