package pipeline

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"icebox/headtrain"
)

// Files of a run folder.
const (
	configFile     = "config.yaml"   // the effective configuration
	metricsFile    = "metrics.jsonl" // a line an epoch
	headFile       = "head.safetensors"
	lastFile       = "last.safetensors" // head of the last epoch; only where early stopping kept another
	labelsFile     = "labels.txt"       // a class a line, in the order of the head's rows
	reportFile     = "report.json"      // everything the run found out
	reportTextFile = "report.txt"       // the same for a person
	quarantineFile = "quarantine.csv"   // path,reason of bad images; only if there are any
)

// runDir is the folder that one run writes.
type runDir struct {
	path    string // where it is being written; "" once it is done
	final   string // its name once it is whole
	metrics *os.File
	failed  error // first error of writing metrics
	keep    bool  // what is in it is worth keeping, whole or not
}

// partial ends the name of a folder that is not whole.
const partial = ".partial"

// newRunDir makes out.Dir/<time>-<name>; it never takes a folder that is there.
func newRunDir(out Output, dataset string) (*runDir, error) {
	name := out.Name
	if name == "" {
		name = dataset
	}
	base := filepath.Join(absolute(out.Dir), time.Now().Format("20060102-150405")+"-"+portableName(name))
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return nil, err
	}
	final := base
	for n := 2; ; n++ {
		_, taken := os.Stat(final)
		err := os.Mkdir(final+partial, 0o755)
		if taken != nil && err == nil {
			break
		}
		if err == nil {
			os.Remove(final + partial)
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("output.dir: %w", err)
		}
		final = fmt.Sprintf("%s-%d", base, n)
	}
	d := &runDir{path: final + partial, final: final}
	if err := os.WriteFile(d.file(configFile), out.Config, 0o644); err != nil {
		return nil, err
	}
	var err error
	d.metrics, err = os.Create(d.file(metricsFile))
	return d, err
}

// reopenRunDir opens a folder that was kept before it was whole.
func reopenRunDir(path string) (*runDir, error) {
	path = absolute(path)
	d := &runDir{path: path, final: strings.TrimSuffix(path, partial), keep: true}
	if d.final == path {
		return nil, fmt.Errorf("%w: the name of %s does not end in %s", ErrResume, path, partial)
	}
	var err error
	d.metrics, err = os.Create(d.file(metricsFile))
	return d, err
}

// done gives the folder its name: it is whole.
func (d *runDir) done() error {
	err := os.Rename(d.path, d.final)
	if err == nil {
		d.path = ""
	}
	return err
}

// abandon lets go of a folder that is not whole, and removes it unless it is to be
// kept.
func (d *runDir) abandon() {
	if d.path != "" {
		d.metrics.Close()
		if !d.keep {
			os.RemoveAll(d.path)
		}
	}
}

// portableName keeps what every file system takes, and not too much of it.
func portableName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*`, r) || r < ' ' {
			return '_'
		}
		return r
	}, s)
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "")
	}
	return strings.TrimRight(s, ". ")
}

func (d *runDir) file(name string) string { return filepath.Join(d.path, name) }

// metric appends an epoch; an error shows at close.
func (d *runDir) metric(e headtrain.Epoch) {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = d.metrics.Write(append(line, '\n'))
	}
	d.failed = errors.Join(d.failed, err)
}

func (d *runDir) saveHead(h *headtrain.Head) error {
	if err := errors.Join(d.failed, d.metrics.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(d.file(labelsFile), []byte(strings.Join(h.Classes, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	return h.Save(d.file(headFile))
}

func (d *runDir) quarantine(bad []Bad) error {
	if len(bad) == 0 {
		return nil
	}
	f, err := os.Create(d.file(quarantineFile))
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	lines := [][]string{{"path", "reason"}}
	for _, b := range bad {
		lines = append(lines, []string{b.Path, b.Reason})
	}
	return errors.Join(w.WriteAll(lines), f.Close())
}

// Head loads the head of the run in folder dir; a path to a head file will do too.
func Head(dir string) (*headtrain.Head, HeadInfo, error) {
	path := dir
	if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
		path = filepath.Join(dir, headFile)
	}
	h, err := headtrain.LoadHead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, HeadInfo{}, fmt.Errorf("%w: %s holds no %s: name a folder that `icebox run` or `icebox train` wrote", ErrRun, dir, headFile)
	}
	if err != nil {
		return nil, HeadInfo{}, err
	}
	var info HeadInfo
	if err := json.Unmarshal(h.Preprocessing, &info); err != nil {
		return nil, HeadInfo{}, fmt.Errorf("%w: %s does not say what its features are: %w", headtrain.ErrFormat, path, err)
	}
	return h, info, nil
}
