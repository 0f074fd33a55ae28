//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/extract"
)

// absent gives the libraries names that no machine has.
func absent(t *testing.T, names ...*string) {
	for _, name := range names {
		old := *name
		*name = "icebox-absent-" + old
		t.Cleanup(func() { *name = old })
	}
}

func openAuto(t *testing.T, o Options, more extract.Options) *extract.Extractor {
	t.Helper()
	more.Weights, more.ISA, more.Engines = "random", extract.Auto, []extract.EngineSpec{Spec(o)}
	x, err := extract.Open(context.Background(), more)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func TestWithoutADriverAutoIsQuiet(t *testing.T) {
	absent(t, &driverSoname, &cudnnSoname)
	x := openAuto(t, Options{}, extract.Options{})
	info, err := x.Engine()
	if err != nil || info.Name != extract.Native || len(x.Skipped()) != 0 {
		t.Errorf("%+v, %v, skipped %v", info, err, x.Skipped())
	}
	for _, o := range []extract.Options{{Engine: extract.CUDA}, {Device: "cuda"}, {Precision: "fp16"}} {
		_, err := openAuto(t, Options{}, o).Engine()
		says(t, err, "libcuda.so.1 is not found", "NVIDIA's driver")
		if !errors.Is(err, extract.ErrEngine) {
			t.Error(err)
		}
	}
	x = openAuto(t, Options{}, extract.Options{Device: "cpu"})
	if engine, _ := x.EngineName(); engine != extract.Native {
		t.Errorf("on a CPU there is %s", engine)
	}
}

func TestWithoutCudnnAutoSaysWhatWouldHelp(t *testing.T) {
	s := useStandin(t)
	absent(t, &cudnnSoname)
	x := openAuto(t, s.options(1), extract.Options{})
	info, err := x.Engine()
	if err != nil || info.Name != extract.Native || len(x.Skipped()) != 1 {
		t.Fatalf("%+v, %v, skipped %v", info, err, x.Skipped())
	}
	var missing *LibraryError
	if !errors.As(x.Skipped()[0], &missing) || missing.Library != cudnnSoname || missing.Package != "nvidia-cudnn-cu13" {
		t.Errorf("%+v", missing)
	}
	says(t, x.Skipped()[0], "engine cuda", "libcudnn.so.9 is not found", "nvidia-cudnn-cu13", PathVariable)
	r := Probe(s.options(1))
	if len(r.GPUs) != 1 || r.GPUs[0].Device != "cuda:0" || r.GPUs[0].Capability != "9.0" || r.CuDNN != "" || !strings.Contains(r.Missing, "nvidia-cudnn-cu13") {
		t.Errorf("%+v", r)
	}
}

// If no GPU opens, "auto" goes on with the CPU; an engine that was asked for fails.
func TestAGPUThatFailsIsSaidAndPassedOver(t *testing.T) {
	s := useStandin(t)
	s.fail("cudnnCreate", 1, 1001)
	x := openAuto(t, s.options(1), extract.Options{})
	info, err := x.Engine()
	if err != nil || info.Name != extract.Native || len(x.Skipped()) != 1 {
		t.Fatalf("%+v, %v, skipped %v", info, err, x.Skipped())
	}
	says(t, x.Skipped()[0], "Stand-in 0 (cuda:0): cudnnCreate")
	_, err = openAuto(t, s.options(1), extract.Options{Device: "cuda"}).Engine()
	says(t, err, "Stand-in 0 (cuda:0): cudnnCreate")
	if !errors.Is(err, ErrNoneOpens) {
		t.Error(err)
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	s := useStandin(t)
	s.set("version", 8907)
	_, _, err := open(s.options(1), backbone("fp32"))
	says(t, err, "8.9.7", "9 is wanted")
	if !errors.Is(err, extract.ErrEngineUnavailable) {
		t.Error("auto would not go on")
	}
	s.set("version", 92600)
	s.set("cudart", 14000)
	_, _, err = open(s.options(1), backbone("fp32"))
	says(t, err, "is for CUDA 14", "up to 13", "nvidia-cudnn-cu13")
	s.set("cudart", 12090) // which newer drivers run
	s.set("gpus", 0)
	if _, _, err := open(s.options(1), backbone("fp32")); !errors.Is(err, extract.ErrNoDevice) {
		t.Error(err)
	}
	if r := Probe(s.options(1)); len(r.GPUs) != 0 || r.Driver == "" || r.CuDNN == "" || r.Missing == "" {
		t.Errorf("%+v", r)
	}
}

func TestAFileThatIsNoLibraryIsTold(t *testing.T) {
	absent(t, &cudnnSoname)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, cudnnSoname), []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := loadCudnn(func(string) string { return dir }, 12)
	says(t, err, "cannot be loaded", filepath.Join(dir, cudnnSoname))
}

func TestPythonEnvironmentsAreSearched(t *testing.T) {
	s := useStandin(t)
	venv := t.TempDir()
	lib := filepath.Join(venv, "lib", "python3.12", "site-packages", "nvidia", "cudnn", "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	absent(t, &cudnnSoname)
	if err := os.Symlink(filepath.Join(s.dir, "libstandin.so"), filepath.Join(lib, cudnnSoname)); err != nil {
		t.Fatal(err)
	}
	for _, variable := range []string{PathVariable, "VIRTUAL_ENV", "CONDA_PREFIX"} {
		c, err := loadCudnn(func(name string) string {
			if name == variable {
				return venv
			}
			return ""
		}, 13)
		if err != nil || c.path != filepath.Join(lib, cudnnSoname) {
			t.Errorf("%s: %v", variable, err)
		}
	}
}
