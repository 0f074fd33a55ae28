package runs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/runs"
)

func TestRunsAreFoundByName(t *testing.T) {
	here := t.TempDir()
	dir := filepath.Join(here, "runs")
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.Local)
	for n, name := range []string{"20260102-000000-old", "20260103-000000-a", "20260103-000000-b", "20260104-000000-a.partial", "own name", "20260101-000000-a"} {
		must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
		head := filepath.Join(dir, name, runs.HeadFile)
		must(t, os.WriteFile(head, nil, 0o644))
		must(t, os.Chtimes(head, at, at.Add(time.Duration(-n)*time.Second))) // b was written before a
	}
	must(t, os.MkdirAll(filepath.Join(dir, "20260109-000000-empty"), 0o755))
	elsewhere := filepath.Join(here, "moved")
	must(t, os.MkdirAll(elsewhere, 0o755))
	must(t, os.WriteFile(filepath.Join(elsewhere, runs.HeadFile), nil, 0o644))
	for name, want := range map[string]string{
		runs.Latest:              "runs/20260103-000000-a",
		"a":                      "runs/20260103-000000-a",
		"old":                    "runs/20260102-000000-old",
		"20260101-000000-a":      "runs/20260101-000000-a",
		"own name":               "runs/own name",
		"moved":                  "moved",
		"moved/" + runs.HeadFile: "moved/" + runs.HeadFile,
	} {
		got, err := runs.Find(dir, name, filepath.Join(here, name))
		if err != nil || got != filepath.Join(here, want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := runs.Find(dir, "nobody", filepath.Join(here, "nobody")); !errors.Is(err, runs.ErrNoRun) || !strings.Contains(err.Error(), "20260103-000000-a") {
		t.Errorf("a name that no run has: %v", err)
	}
	if _, err := runs.Find(dir, "runs", dir); !errors.Is(err, runs.ErrRun) {
		t.Errorf("a folder that is no run: %v", err)
	}
	if _, err := runs.Find(filepath.Join(here, "none"), runs.Latest, filepath.Join(here, runs.Latest)); !errors.Is(err, runs.ErrNoRun) {
		t.Errorf("no runs at all: %v", err)
	}
	all, err := runs.List(dir)
	must(t, err)
	var names []string
	for _, run := range all {
		names = append(names, filepath.Base(run))
	}
	if got := strings.Join(names, " "); got != "20260101-000000-a 20260102-000000-old own name 20260103-000000-b 20260103-000000-a" {
		t.Errorf("listed %s", got)
	}
}
