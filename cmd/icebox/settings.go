package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/extract"
	"icebox/extract/cuda"
	"icebox/pipeline"
)

// configName is the file that is read from the working directory if --config
// names none.
const configName = "icebox.yaml"

// settings are the flags of a command that reads the configuration.
type settings struct {
	file    string
	data    []string
	weights string
	cache   string
}

func (s *settings) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&s.file, "config", "c", "", "configuration `file` (default "+configName+", if there is one)")
	f.StringArrayVar(&s.data, "data", nil, "`folder`, table or archive (.tar, .parquet) of images, or cache:NAME: the key data.train; again: the key data.also")
	f.StringVar(&s.weights, "weights", "", "`file`, auto, random or random:SEED: the key backbone.weights")
	f.StringVar(&s.cache, "cache", "", "`file` that keeps the features: the key cache.path")
}

// overrides lists what the command line says, flags first, so that key=value wins.
func (s *settings) overrides(args []string) ([]config.Override, error) {
	var over []config.Override
	if len(s.data) > 0 {
		also, err := json.Marshal(append([]string{}, s.data[1:]...)) // which is YAML, too
		if err != nil {
			return nil, err
		}
		over = append(over, config.Override{Key: "data.train", Value: s.data[0], Origin: "--data"}, config.Override{Key: "data.also", Value: string(also), Origin: "--data"})
	}
	for _, f := range []struct{ flag, key, value string }{
		{"--weights", "backbone.weights", s.weights}, {"--cache", "cache.path", s.cache},
	} {
		if f.value != "" {
			over = append(over, config.Override{Key: f.key, Value: f.value, Origin: f.flag})
		}
	}
	for _, arg := range args {
		o, err := config.ParseOverride(arg)
		if err != nil {
			return nil, err
		}
		over = append(over, o)
	}
	return over, nil
}

// load reads the configuration: defaults, file, environment, command line.
func (s *settings) load(p *process, args []string) (*config.Config, error) {
	over, err := s.overrides(args)
	if err != nil {
		return nil, err
	}
	file := p.path(s.file)
	if file == "" {
		if here := filepath.Join(p.dir, configName); isFile(here) {
			file = here
			p.tell("reading %s", configName)
		}
	}
	cfg, err := config.Load(config.Source{File: file, Environ: p.environ, Overrides: over, Dir: p.dir, HeadEngines: headEngines()})
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		p.tell("note: %s", w)
	}
	return cfg, nil
}

// options are the configuration as the pipeline takes it.
func (s *settings) options(p *process, args []string) (pipeline.Options, error) {
	cfg, err := s.load(p, args)
	if err != nil {
		return pipeline.Options{}, err
	}
	return p.options(cfg), nil
}

func (p *process) options(cfg *config.Config) pipeline.Options {
	o := cfg.Options
	o.Env, o.Engines, o.Words = p.getenv, p.engines(0), p.words
	o.Pinned, o.Record, o.Recipe, o.Settings = cfg.Pinned(), config.Write, config.Recipe, headSettings
	o.Output.Program, o.Cache.Wait = program(), time.Duration(p.wait)
	return o
}

// headSettings are the arguments that ask for the head of o.
func headSettings(o pipeline.Options) []string {
	args := config.Changed(o, "head")
	for i, arg := range args {
		args[i] = quoted(arg)
	}
	return args
}

// engines are those beside the native one; batch is the most images that one
// computes at once, 0 to let it choose.
func (p *process) engines(batch int) []extract.EngineSpec {
	return []extract.EngineSpec{cuda.Spec(cuda.Options{Batch: batch, Env: p.getenv})}
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}
