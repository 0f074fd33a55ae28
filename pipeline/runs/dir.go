package runs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"icebox/headtrain"
	"icebox/pipeline/internal/lock"
)

// Files of a run folder.
const (
	ConfigFile  = "config.yaml"   // the effective configuration
	MetricsFile = "metrics.jsonl" // a line an epoch; see [Dir.Metric]
	HeadFile    = "head.safetensors"
	LastFile    = "last.safetensors" // head of the last epoch; only where early stopping kept another
	LabelsFile  = "labels.txt"       // a class a line, in the order of the head's rows

	ReportFile     = "report.json"    // everything the run found out
	ReportTextFile = "report.txt"     // the same for a person
	PageFile       = "report.html"    // the same as a page with pictures
	QuarantineFile = "quarantine.csv" // path,reason of bad images; only if there are any

	EventsFile = "events.out.tfevents.icebox" // the numbers of metrics.jsonl for TensorBoard; only where they are asked for

	CorrectionsFile = "corrections.csv" // a copy of the corrections that labels were changed by; only if there are any

	SweepTableFile = "sweep.csv" // of a sweep: a line a point, the best first

	// The other files of a sweep are package sweep's, which knows no run folders: its
	// LogFile, until the folder is whole, and its ResultFile.
	sweepLogFile    = "heads.jsonl"
	sweepResultFile = "sweep.jsonl"
)

var (
	// ErrRun is returned for a folder that holds no run.
	ErrRun = errors.New("not a run folder")
	// ErrNoRun is returned for a name that no run has.
	ErrNoRun = errors.New("no such run")
	// ErrReadOnly is returned where no run folder can be made.
	ErrReadOnly = errors.New("the folder of runs cannot be written to")
	// ErrPartial is returned for a folder that is not one of a run that was interrupted.
	ErrPartial = errors.New("not the folder of an interrupted run")
	// ErrBusy is returned for the folder of a run that is not over.
	ErrBusy = errors.New("another process writes to it: the run goes on")
)

// Options say where run folders go.
type Options struct {
	Dir  string
	Name string // last part of the run folder's name; "" means the dataset's name
	// Config is written to the run folder as config.yaml, as it is.
	Config []byte
	// Program names the software and its version, for the report.
	Program string
}

// Dir is the folder that one run writes. It has its name once it is whole; until then
// its name ends in ".partial".
type Dir struct {
	path    string // where it is being written; "" once it is done
	final   string // its name once it is whole
	metrics *os.File
	failed  error      // first error of writing metrics
	keep    bool       // what is in it is worth keeping, whole or not
	lock    *lock.Lock // says that this process lives
}

// timeLayout is how the time begins the name of a folder.
const timeLayout = "20060102-150405"

// partial ends the name of a folder that is not whole.
const partial = ".partial"

// New makes the folder o.Dir/<time>-<name>; it never takes one that is there. Dataset is
// the name where o has none.
func New(o Options, dataset string) (*Dir, error) {
	parent, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	base := filepath.Join(parent, time.Now().Format(timeLayout)+"-"+portableName(cmp.Or(o.Name, dataset)))
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return nil, err
	}
	d := &Dir{}
	n := 0
	d.path, d.lock, err = lock.New(func() (string, error) {
		for {
			d.final = base
			if n++; n > 1 {
				d.final = fmt.Sprintf("%s-%d", base, n)
			}
			err := os.Mkdir(d.final+partial, 0o755)
			if err == nil && !exists(d.final) {
				return d.final + partial, nil
			}
			if err == nil {
				os.Remove(d.final + partial)
			} else if !errors.Is(err, fs.ErrExist) {
				return "", err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	err = os.WriteFile(d.File(ConfigFile), o.Config, 0o644)
	if err == nil {
		d.metrics, err = os.Create(d.File(MetricsFile))
	}
	if err != nil {
		_ = lock.RemoveFolder(d.path)
		d.lock.Release()
		return nil, err
	}
	return d, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Reopen opens a folder that was kept before it was whole, unless another process has it
// ([ErrBusy]). A name, if it is not "", takes
// the place of the one that the folder was begun with.
func Reopen(path, name string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, final: strings.TrimSuffix(path, partial), keep: true}
	if d.final == path {
		return nil, fmt.Errorf("%w: the name of %s does not end in %s", ErrPartial, path, partial)
	}
	if name = portableName(name); name != "" && !d.isNamed(name) {
		base := d.renamed(name)
		d.final = base
		for n := 2; exists(d.final); n++ {
			d.final = fmt.Sprintf("%s-%d", base, n)
		}
	}
	if d.lock, err = lock.Take(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, busy(err))
	}
	removeUnfinished(path)
	if d.metrics, err = os.Create(d.File(MetricsFile)); err != nil {
		d.lock.Release()
		return nil, err
	}
	return d, nil
}

// busy makes an [ErrBusy] of the lock's own error.
func busy(err error) error {
	if errors.Is(err, lock.ErrHeld) {
		return ErrBusy
	}
	return err
}

// isNamed reports whether the folder has a name, be it with a number behind it.
func (d *Dir) isNamed(name string) bool {
	rest, ok := strings.CutPrefix(filepath.Base(d.final), filepath.Base(d.renamed(name)))
	number, numbered := strings.CutPrefix(rest, "-")
	return ok && (rest == "" || numbered && number != "" && strings.Trim(number, "0123456789") == "")
}

// renamed is the path of the folder with another name and the time at which it was begun.
func (d *Dir) renamed(name string) string {
	base := filepath.Base(d.final)
	if len(base) > len(timeLayout) {
		if _, err := time.Parse(timeLayout, base[:len(timeLayout)]); err == nil {
			name = base[:len(timeLayout)] + "-" + name
		}
	}
	return filepath.Join(filepath.Dir(d.final), name)
}

// CheckWritable makes the folder dir, if it is not there, and returns an error unless a
// folder can be made in it.
func CheckWritable(dir string) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		const prefix = ".trial-"
		left, _ := os.ReadDir(dir)
		for _, e := range left {
			if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
				_ = os.Remove(filepath.Join(dir, e.Name())) // of a process that was killed here, unless something is in it
			}
		}
		var trial string
		if trial, err = os.MkdirTemp(dir, prefix+"*"); err == nil {
			if err = os.Remove(trial); errors.Is(err, fs.ErrNotExist) {
				err = nil // another process took it for a left one
			}
		}
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

// Done gives the folder its name: it is whole. What was only of use until then is removed.
func (d *Dir) Done() error {
	if err := os.Rename(d.path, d.final); err != nil {
		return err
	}
	d.path = ""
	clean(d.final)
	d.lock.Release()
	return nil
}

// clean removes from a folder that is whole what was of use until then, the lock last: where
// that does not come off, [Tidy] does it.
func clean(path string) {
	err := os.Remove(filepath.Join(path, sweepLogFile))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(filepath.Join(path, lock.Name))
	}
}

// Close lets go of the folder. It deletes a folder that is not whole, unless it is to be
// kept.
func (d *Dir) Close() {
	if d.path != "" {
		d.metrics.Close()
		if d.keep {
			_ = os.Remove(d.File(lock.Name))
		} else {
			_ = lock.RemoveFolder(d.path) // else Tidy does
		}
		d.lock.Release()
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

// File is the path of a file of the folder, as long as it is not whole.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

// epochLine is a line of MetricsFile. The numbers of training in it are those of the
// changing weights of an epoch; train_loss and train_acc, which everywhere else are of the
// head that is kept, are their older names.
type epochLine struct {
	headtrain.Epoch
	RunningLoss float64 `json:"running_loss"`
	RunningAcc  float64 `json:"running_acc"`
}

// Metric appends an epoch. An error shows when the head is saved.
func (d *Dir) Metric(e headtrain.Epoch) {
	line, err := json.Marshal(epochLine{e, e.TrainLoss, e.TrainAcc})
	if err == nil {
		_, err = d.metrics.Write(append(line, '\n'))
	}
	d.failed = errors.Join(d.failed, err)
}

// SaveHead writes the head and its labels, and ends the metrics: it returns errors of
// writing those, too.
func (d *Dir) SaveHead(h *headtrain.Head) error {
	if err := errors.Join(d.failed, d.metrics.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(d.File(LabelsFile), []byte(strings.Join(h.Classes, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	return h.Save(d.File(HeadFile))
}

// Keep says whether the folder is kept though it is not whole.
func (d *Dir) Keep(yes bool) { d.keep = yes }

// Path is where the folder is being written; "" once it is whole.
func (d *Dir) Path() string { return d.path }

// Final is the path of the folder once it is whole.
func (d *Dir) Final() string { return d.final }

// Kept is the path of a folder that is not whole and is kept; "" if there is none.
func (d *Dir) Kept() string {
	if d == nil || !d.keep {
		return ""
	}
	return d.path
}
