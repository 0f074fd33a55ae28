//go:build unix

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/report"
)

// meddler changes a file of features as soon as a stage has made a step.
type meddler struct {
	Progress
	at, now string // stages
	change  func()
}

func (m *meddler) Start(stage string, _ int) { m.now = stage }

func (m *meddler) Add(int) {
	if m.now == m.at && m.change != nil {
		m.change()
		m.change = nil
	}
}

// changes of the file at path.
func changes(t *testing.T, path string) map[string]func() {
	return map[string]func(){
		"cut short": func() { must(t, os.Truncate(path, 200)) },
		"written to": func() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			must(t, err)
			defer f.Close()
			_, err = f.WriteAt([]byte{1}, 4000)
			must(t, err)
			must(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Minute))) // clocks of files are coarse
		},
	}
}

// A mapped file that changes while a head learns from it is an error that names it, on any
// number of threads and in every stage, and no run is kept.
func TestAMappedFileThatChangesEndsTheTraining(t *testing.T) {
	mapAll(t)
	for _, stage := range []string{"tune", "train"} {
		for _, threads := range []int{1, 3} {
			for what := range changes(t, "") {
				t.Run(fmt.Sprintf("%s in %s on %d", what, stage, threads), func(t *testing.T) {
					o := largeFolder(t)
					o.Head.Threads, o.Tune = threads, TuneOff
					if stage == "tune" {
						o.Tune = TuneAuto
					}
					path := filepath.Join(o.Features, "features.npy")
					_, err := Train(t.Context(), o.Options, Choice{Features: o.Features}, &meddler{Progress: Silent, at: stage, change: changes(t, path)[what]})
					if !errors.Is(err, features.ErrChanged) || !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), path) {
						t.Fatal(err)
					}
					left, err := os.ReadDir(o.Output.Dir)
					if err != nil && !os.IsNotExist(err) || len(left) > 0 {
						t.Errorf("left behind: %v, %v", left, err)
					}
				})
			}
		}
	}
}

// largeFolder are options for a folder whose rows lie on many pages.
func largeFolder(t *testing.T) folderOptions {
	t.Helper()
	o := featureOptions(t)
	for n, sub := range []string{"", "val", "test"} {
		writeArrays(t, filepath.Join(o.Features, sub), uint64(n+1), 1500, 64, 3)
	}
	o.Head.Epochs, o.Head.BatchSize = 4, 512
	return o
}

// So does every other program that reads rows.
func TestAMappedFileThatChangesEndsWhatReadsIt(t *testing.T) {
	o := largeFolder(t)
	sum, err := o.train()
	must(t, err)
	mapAll(t)
	path := filepath.Join(o.Features, "test", "features.npy")
	whole, err := os.ReadFile(path)
	must(t, err)
	for what := range changes(t, "") {
		for name, run := range map[string]func(p Progress) error{
			"sweep": func(p Progress) error {
				o := o
				o.Sweep.Folds = 2
				_, err := o.sweep(t.Context(), "", p)
				return err
			},
			"inspect": func(p Progress) error {
				_, err := Inspect(t.Context(), *sum.RunDir, o.Options, Choice{}, 0.99, p)
				return err
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				writeFile(t, path, whole)
				if err := run(&opened{Progress: Silent, change: changes(t, path)[what]}); !errors.Is(err, features.ErrChanged) || !strings.Contains(err.Error(), path) {
					t.Error(err)
				}
			})
		}
	}
}

// Evaluations and comparisons are too quick to be met in between.
func TestAMappedFileThatChangesEndsWhatJudgesIt(t *testing.T) {
	o := largeFolder(t)
	sum, err := o.train()
	must(t, err)
	head := headOf(t, sum.RunDir)
	mapAll(t)
	path := filepath.Join(o.Features, "test", "features.npy")
	whole, err := os.ReadFile(path)
	must(t, err)
	for what := range changes(t, "") {
		for name, judge := range map[string]func(src features.Source) error{
			"eval": func(src features.Source) error {
				_, err := EvalOptions{}.judge(t.Context(), report.NewEvaluation("", head), src, head, false)
				return err
			},
			"eval --predictions": func(src features.Source) error {
				file := filepath.Join(t.TempDir(), "a.csv")
				_, err := EvalOptions{Predictions: file}.judge(t.Context(), report.NewEvaluation("", head), src, head, false)
				if _, missing := os.Stat(file); missing == nil {
					t.Error("predictions are written")
				}
				return err
			},
			"compare": func(src features.Source) error {
				return (&heldOut{images: map[dataset.Part]map[imageID]heldImage{}}).add(t.Context(), src, head, []int32{0, 1, 2})
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				writeFile(t, path, whole)
				src, err := features.OpenFolder(t.Context(), o.Features, "", 0)
				must(t, err)
				defer src.Close()
				changes(t, path)[what]()
				if err := src.Guard(func() error { return judge(src) }); !errors.Is(err, features.ErrChanged) || !strings.Contains(err.Error(), path) {
					t.Error(err)
				}
			})
		}
	}
}

// opened changes a file of features once the source is open.
type opened struct {
	Progress
	change func()
}

func (o *opened) Start(stage string, _ int) {
	if stage != "load" && o.change != nil {
		o.change()
		o.change = nil
	}
}

// The rows of a file stay where they are when another one takes its name.
func TestAFileThatIsReplacedUnderItsNameIsOfNoConcern(t *testing.T) {
	mapAll(t)
	o := largeFolder(t)
	path := filepath.Join(o.Features, "features.npy")
	replace := func() {
		writeFile(t, path+".new", []byte("other"))
		must(t, os.Rename(path+".new", path))
	}
	o.Tune = TuneOff
	if _, err := Train(context.Background(), o.Options, Choice{Features: o.Features}, &meddler{Progress: Silent, at: "train", change: replace}); err != nil {
		t.Error(err)
	}
}

// A fault elsewhere is no matter of the file: it is a mistake, which must not be hidden.
func TestOtherPanicsPassTheGuard(t *testing.T) {
	mapAll(t)
	o := largeFolder(t)
	src, err := features.OpenFolder(t.Context(), o.Features, "", 0)
	must(t, err)
	defer src.Close()
	defer func() {
		if p := recover(); p != "a mistake" {
			t.Errorf("recovered %v", p)
		}
	}()
	err = src.Guard(func() error { panic("a mistake") })
	t.Errorf("no panic, %v", err)
}
