//go:build !nocuda && linux && (amd64 || arm64)

package cuda

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ebitengine/purego"

	"icebox/extract"
)

// PathVariable names folders to search first: of libraries, or of Python
// environments that hold them.
const PathVariable = "ICEBOX_CUDA_PATH"

// sonames are the names that the loader knows the libraries by.
var (
	driverSoname = "libcuda.so.1"
	cudnnSoname  = "libcudnn.so.9"
)

// libraries are what the engine calls.
type libraries struct {
	driver *driver
	cudnn  *cudnn
}

// binding ties a field of type func to a symbol.
type binding struct {
	fn     any
	symbol string
}

// bind fills the fields from the library at path.
func bind(path string, lib uintptr, all []binding) error {
	for _, b := range all {
		symbol, err := purego.Dlsym(lib, b.symbol)
		if err != nil {
			return fmt.Errorf("%s has no %s: it is of a version that this package does not know: %w", path, b.symbol, extract.ErrEngineUnavailable)
		}
		purego.RegisterFunc(b.fn, symbol)
	}
	return nil
}

// loadDriver finds libcuda, which comes with the kernel module and nowhere else.
func loadDriver(env func(string) string) (*driver, error) {
	lib, path, faults := dlopen(driverSoname, append(named(env), "/usr/lib/wsl/lib", "/run/opengl-driver/lib"))
	if lib == 0 {
		return nil, &LibraryError{driverSoname, notFound(driverSoname, faults), "it comes with NVIDIA's driver", "", extract.ErrNoDevice}
	}
	d := &driver{path: path}
	return d, bind(path, lib, d.bindings())
}

// loadCudnn finds libcudnn, which loads its other parts from its own folder. cudaMajor
// is the newest CUDA that the driver knows, 0 if there is no driver.
func loadCudnn(env func(string) string, cudaMajor int) (*cudnn, error) {
	dirs := append(named(env), "")
	dirs = append(dirs, usual(env)...)
	lib, path, faults := dlopen(cudnnSoname, dirs)
	if lib == 0 {
		return nil, noCudnn(cudaMajor, "%s", notFound(cudnnSoname, faults))
	}
	c := &cudnn{path: path}
	if err := bind(path, lib, c.bindings()); err != nil {
		return nil, err
	}
	if c.major() != cudnnMajor {
		return nil, noCudnn(cudaMajor, "%s is cuDNN %s, and %d is wanted", path, c.version(), cudnnMajor)
	}
	if built := c.cudaMajor(); cudaMajor != 0 && built > cudaMajor {
		return nil, noCudnn(cudaMajor, "%s is for CUDA %d, and the driver knows CUDA up to %d", path, built, cudaMajor)
	}
	return c, nil
}

// noCudnn says what is wrong with cuDNN, and where there is one that fits a driver
// for this CUDA.
func noCudnn(cudaMajor int, format string, args ...any) error {
	if cudaMajor < 12 {
		cudaMajor = 12 // the oldest that cuDNN is made for
	}
	e := &LibraryError{Library: cudnnSoname, Fault: fmt.Sprintf(format, args...), class: extract.ErrEngineUnavailable}
	e.Package = fmt.Sprintf("nvidia-cudnn-cu%d", cudaMajor)
	e.Source = fmt.Sprintf("cuDNN %d comes as the Python package %s, in an environment that is active or that %s names, or as one of the system", cudnnMajor, e.Package, PathVariable)
	return e
}

// dlopen loads the first of the files called soname in dirs, where "" stands for the
// system loader's own search, which comes last in any case. faults are the errors of
// files that are there and cannot be loaded.
func dlopen(soname string, dirs []string) (lib uintptr, path string, faults []string) {
	for _, dir := range append(dirs, "") {
		path := soname
		if dir != "" {
			path = filepath.Join(dir, soname)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		lib, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err == nil {
			return lib, path, nil
		}
		if dir != "" {
			faults = append(faults, err.Error())
		}
	}
	return 0, "", faults
}

// named lists the folders that the variable names, and where each, as a Python
// environment, holds libraries.
func named(env func(string) string) []string {
	var dirs []string
	for _, dir := range filepath.SplitList(env(PathVariable)) {
		if dir != "" {
			dirs = append(dirs, dir, filepath.Join(dir, "lib"), filepath.Join(dir, "lib64"))
			dirs = append(dirs, ofPython(dir)...)
		}
	}
	return dirs
}

// usual lists where cuDNN usually lies: in the toolkit, then in Python environments.
// No Python is run, because that takes longer than everything else that a run does
// when it finds all its features in a cache.
func usual(env func(string) string) []string {
	dirs := []string{"/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib", "/usr/local/cuda/targets/sbsa-linux/lib"}
	for _, variable := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if prefix := env(variable); prefix != "" {
			dirs = append(append(dirs, ofPython(prefix)...), filepath.Join(prefix, "lib"))
		}
	}
	if home := env("HOME"); home != "" {
		dirs = append(dirs, ofPython(filepath.Join(home, ".local"))...)
	}
	if python, err := exec.LookPath("python3"); err == nil {
		dirs = append(dirs, ofPython(filepath.Dir(filepath.Dir(python)))...)
	}
	return append(append(dirs, ofPython("/usr/local")...), ofPython("/usr")...)
}

// ofPython lists the library folders of NVIDIA's packages in a Python environment.
func ofPython(prefix string) []string {
	var dirs []string
	for _, packages := range []string{"site-packages", "dist-packages"} {
		found, _ := filepath.Glob(filepath.Join(prefix, "lib", "python3*", packages, "nvidia", "*", "lib"))
		dirs = append(dirs, found...)
	}
	return dirs
}

// loadLibraries finds everything, or says what is missing.
func loadLibraries(env func(string) string) (*libraries, error) {
	d, err := loadDriver(env)
	if err != nil {
		return nil, err
	}
	n, err := d.count()
	if err != nil {
		var failed *driverError
		if errors.As(err, &failed) && failed.result == cuErrorNoDevice {
			return nil, fmt.Errorf("%w: %w", extract.ErrNoDevice, err)
		}
		return nil, fmt.Errorf("%s: %w: %w", d.path, extract.ErrEngineUnavailable, err)
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: the driver %s sees no GPU", extract.ErrNoDevice, d.path)
	}
	c, err := loadCudnn(env, d.cudaMajor())
	if err != nil {
		return nil, err
	}
	return &libraries{d, c}, nil
}
