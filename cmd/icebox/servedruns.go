package main

import (
	"slices"
	"strings"

	"icebox/config"
	"icebox/pipeline"
	"icebox/pipeline/runs"
)

// served are the runs that the flags name.
func (f *serveFlags) served(p *process, cfg *config.Config) ([]pipeline.Served, error) {
	var all []pipeline.Served
	for _, text := range f.runs {
		name, run, named := strings.Cut(text, "=")
		if !named {
			name, run = "", text
		}
		if name == "" && named {
			return nil, usagef("--run %s has no name before the =", text)
		}
		dir := p.path(run)
		if found, err := runs.List(dir); !named && err == nil && len(found) > 0 && !isRunFolder(dir) {
			all = append(all, newestOfEach(p, cfg, dir, found)...)
			continue
		}
		if _, o, err := p.findRun(cfg, run); err != nil {
			return nil, err
		} else {
			all = append(all, pipeline.Served{Name: name, Options: o, Find: func() (string, error) {
				dir, _, err := p.findRun(cfg, run)
				return dir, err
			}})
		}
	}
	return all, nil
}

// isRunFolder reports whether dir is the folder of one run.
func isRunFolder(dir string) bool {
	_, _, err := runs.Head(dir)
	return err == nil
}

// newestOfEach are the newest runs of each name in a folder of runs.
func newestOfEach(p *process, cfg *config.Config, dir string, found []string) []pipeline.Served {
	var all []pipeline.Served
	var names []string
	for _, run := range found {
		name := runs.Name(run)
		if slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		_, o, err := p.findRun(cfg, run)
		if err != nil {
			continue // opening it says so
		}
		all = append(all, pipeline.Served{Name: name, Options: o, Find: func() (string, error) { return runs.Find(dir, name, "") }})
	}
	return all
}
