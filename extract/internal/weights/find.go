package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"
)

// PathVariable is the environment variable that names a weights file.
const PathVariable = "ICEBOX_BACKBONE_WEIGHTS"

// officialName is torchvision's file of ResNet18_Weights.IMAGENET1K_V1.
const officialName = "resnet18-f37072fd.pth"

// Search says which weights to look for.
type Search struct {
	Env   func(string) string // nil means os.Getenv
	Hash  string              // of the tensors; "" means any
	Hints []string            // paths to try first, with Hash only
}

// Find returns the path of a weights file on this machine. Without Hash it is the
// first that exists of: the file that PathVariable names, which must exist if it
// is set; torchvision's official file and then any other in icebox's own folder;
// the official file in the folder of PyTorch's hub. With Hash every file in these
// places is opened, Hints first and any resnet18-*.pth of the hub included, until
// one has these tensors. The error is ErrNotFound (with Hash: ErrHashNotFound), which
// lists the places, or ErrVariable.
func Find(s Search) (path string, err error) {
	if s.Env == nil {
		s.Env = os.Getenv
	}
	if s.Hash != "" {
		return s.findHash()
	}
	return s.findAny()
}

func (s Search) findAny() (string, error) {
	if path := s.variable(); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%w: %w", ErrVariable, err)
		}
		return path, nil
	}
	own, hub := Folder(s.Env), hubFolder(s.Env)
	for _, path := range append(weightsIn(own), filepath.Join(hub, officialName)) {
		if isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not set, there is no .pth or .safetensors in %s, and no %s in %s",
		ErrNotFound, PathVariable, own, officialName, hub)
}

func (s Search) findHash() (string, error) {
	candidates := slices.Clone(s.Hints)
	if path := s.variable(); path != "" {
		candidates = append(candidates, path)
	}
	own, hub := Folder(s.Env), hubFolder(s.Env)
	candidates = append(candidates, weightsIn(own)...)
	for _, path := range filesIn(hub) {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "resnet18-") && strings.HasSuffix(name, ".pth") {
			candidates = append(candidates, path)
		}
	}
	var looked []string
	seen := map[string]bool{}
	for _, path := range candidates {
		if seen[path] {
			continue
		}
		seen[path] = true
		found, why := hasHash(path, s.Hash)
		if found {
			return path, nil
		}
		looked = append(looked, fmt.Sprintf("\n  %s: %s", path, why))
	}
	if len(looked) == 0 {
		looked = []string{" no file"}
	}
	return "", fmt.Errorf("%w %.12s…; in %s, in %s and under the paths given there is:%s",
		ErrHashNotFound, s.Hash, own, hub, strings.Join(looked, ""))
}

// Official reports whether the tensors that s looks for may be those of torchvision's
// file: where any will do, or where a hint names that file.
func (s Search) Official() bool {
	named := func(path string) bool { return filepath.Base(path) == officialName }
	return s.Hash == "" || slices.ContainsFunc(s.Hints, named)
}

func hasHash(path, hash string) (found bool, why string) {
	set, err := Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, "is not there"
	case err != nil:
		return false, err.Error()
	}
	defer set.Close()
	return set.Hash() == hash, fmt.Sprintf("other weights (hash %.12s…)", set.Hash())
}

// variable returns the path in PathVariable. Words that elsewhere stand for no file,
// such as "auto", count as unset.
func (s Search) variable() string {
	v := s.Env(PathVariable)
	if v == "auto" || v == "random" || strings.HasPrefix(v, "random:") {
		return ""
	}
	return fromHome(v, s.Env)
}

// fromHome returns a path that begins with ~/ as one in the home folder.
func fromHome(path string, env func(string) string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && rest != "" && os.IsPathSeparator(rest[0]) {
		return filepath.Join(home(env), rest)
	}
	return path
}

// Folder returns the folder in which icebox keeps weights, in an environment such
// as os.Getenv.
func Folder(env func(string) string) string {
	base := env("XDG_CACHE_HOME")
	if !filepath.IsAbs(base) {
		base = xdg.CacheHome
	}
	return filepath.Join(base, "icebox", "weights")
}

// Place returns the folder that a download goes to: that of PyTorch's hub, if this machine
// has one that can be written to, so that PyTorch finds the file, too; else Folder. A file
// that lies in Folder already, which Find takes first, stays or is replaced there.
func Place(env func(string) string) string {
	if isFile(filepath.Join(Folder(env), officialName)) {
		return Folder(env)
	}
	if env("TORCH_HOME") != "" || isDir(torchHome(env)) {
		if hub := hubFolder(env); writable(hub) {
			return hub
		}
	}
	return Folder(env)
}

// hubFolder returns where torch.hub keeps checkpoints.
func hubFolder(env func(string) string) string {
	return filepath.Join(torchHome(env), "hub", "checkpoints")
}

// torchHome returns PyTorch's folder for what it downloads.
func torchHome(env func(string) string) string {
	if torch := env("TORCH_HOME"); torch != "" {
		return fromHome(torch, env) // as PyTorch takes it
	}
	base := env("XDG_CACHE_HOME")
	if base == "" {
		base = filepath.Join(home(env), ".cache")
	}
	return filepath.Join(base, "torch")
}

// writable reports whether a file can be made in dir, or in the nearest folder above it
// that exists.
func writable(dir string) bool {
	for !isDir(dir) {
		up := filepath.Dir(dir)
		if _, err := os.Lstat(dir); err == nil || up == dir {
			return false // something else is in the way
		}
		dir = up
	}
	f, err := os.CreateTemp(dir, ".icebox-*")
	if err != nil {
		return false
	}
	return errors.Join(f.Close(), os.Remove(f.Name())) == nil
}

func home(env func(string) string) string {
	for _, name := range [...]string{"HOME", "USERPROFILE"} {
		if dir := env(name); dir != "" {
			return dir
		}
	}
	return xdg.Home
}

// weightsIn lists the weights files of a folder, the official one first.
func weightsIn(dir string) []string {
	var out []string
	for _, path := range filesIn(dir) {
		switch filepath.Ext(path) {
		case ".pth", ".safetensors":
			if filepath.Base(path) == officialName {
				out = slices.Insert(out, 0, path)
			} else {
				out = append(out, path)
			}
		}
	}
	return out
}

// filesIn lists the visible files of a folder by name; none if it is missing.
func filesIn(dir string) []string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range list {
		path := filepath.Join(dir, e.Name())
		if !strings.HasPrefix(e.Name(), ".") && isFile(path) {
			out = append(out, path)
		}
	}
	return out
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
