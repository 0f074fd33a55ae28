package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"icebox/headtrain"
	"icebox/headtrain/tune"
	"icebox/pipeline"
	optionfault "icebox/pipeline/fault"
	"icebox/pipeline/sweep"
)

// Source is everything a configuration is read from. The zero value reads
// nothing and gives the defaults.
type Source struct {
	File      string   // "" reads none
	Environ   []string // "KEY=value", as os.Environ gives it
	Overrides []Override
	Dir       string // working directory; "" asks the operating system

	// HeadEngines are what the program offers for head.engine besides fused.
	HeadEngines []headtrain.Engine
}

// Override is one value of the command line.
type Override struct {
	Key    string
	Value  string
	Origin string // "--data"; "" means "argument key=value"
}

// ParseOverride reads a key=value argument.
func ParseOverride(arg string) (Override, error) {
	key, value, ok := strings.Cut(arg, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return Override{}, &fault{text: fmt.Sprintf("argument %q is not key=value, such as head.lr=0.01", arg)}
	}
	return Override{Key: key, Value: value}, nil
}

// Config is a configuration that was read.
type Config struct {
	Options  pipeline.Options // valid; Output.Config is YAML()
	Warnings []string         // for people: variables that look like keys and are none, keys that have no influence

	origins map[string]string // by key; only what was set
}

// Load reads src. Its error joins every fault found, one a line.
func Load(src Source) (*Config, error) {
	dir, err := filepath.Abs(src.Dir)
	if err != nil {
		return nil, fmt.Errorf("working directory: %w", err)
	}
	if !utf8.ValidString(dir) {
		return nil, &fault{text: fmt.Sprintf("the working directory %q is not valid UTF-8, and a configuration is: rename it, or work in another one", dir)}
	}
	r := &reader{dir: dir, env: src.Environ}
	var levels layers
	if src.File != "" {
		levels.file = r.file(src.File)
	}
	levels.env = r.environ()
	for _, o := range src.Overrides {
		levels.overrides = append(levels.overrides, r.override(o)...)
	}
	c := &Config{Options: defaults(dir), Warnings: r.warnings, origins: map[string]string{}}
	c.Options.HeadEngines = src.HeadEngines
	for _, s := range levels.resolve() {
		s.key.set(&c.Options, s.value)
		c.origins[s.key.Name] = s.origin
	}
	if err := c.validate(r.faults).err(); err != nil {
		return nil, err
	}
	c.warnIgnored()
	c.Options.Output.Config = c.YAML()
	return c, nil
}

// Pinned returns the fields of the head that were set, of those that tuning would choose.
func (c *Config) Pinned() []string {
	return slices.DeleteFunc(tune.Fields(), func(field string) bool { return !c.Given(KeyOf("Head." + field)) })
}

// Made returns the fields of pipeline.Options that were set, of those that features are
// made by.
func (c *Config) Made() []string {
	return slices.DeleteFunc(pipeline.MadeBy(), func(field string) bool { return !c.Given(KeyOf(field)) })
}

// warnIgnored names the keys that were set and that the optimizer does not take.
func (c *Config) warnIgnored() {
	varies := func(a sweep.Axis) bool { return a.Key == "optimizer" }
	if c.Options.Head.Optimizer != headtrain.OptimizerLBFGS || slices.ContainsFunc(c.Options.Sweep.Axes, varies) {
		return
	}
	var ignored []string
	for _, name := range []string{"lr", "batch_size", "schedule", "warmup", "step_epochs", "step_factor", "beta1", "beta2", "eps"} {
		if c.Given("head." + name) {
			ignored = append(ignored, "head."+name)
		}
	}
	if len(ignored) > 0 {
		c.Warnings = append(c.Warnings, strings.Join(ignored, ", ")+": no influence on head.optimizer="+headtrain.OptimizerLBFGS)
	}
}

// defaults are the options where nothing is said, in the working directory dir.
func defaults(dir string) pipeline.Options {
	o := pipeline.Default()
	for _, k := range table {
		if k.place != nil {
			k.set(&o, k.place(k.get(&o), dir, nil))
		}
		if k.own != "" {
			k.set(&o, k.own)
		}
	}
	return o
}

// validate asks the options themselves, and says where each fault was written. A
// section in which something could not be read is not judged: its fault may come
// from the default that stands in.
func (c *Config) validate(found faults) faults {
	broken := map[string]bool{}
	for _, f := range found {
		broken[topSection(f.name)] = true
	}
	for _, k := range table { // the folder of a file, or home, may be called anything
		if v := k.get(&c.Options); !isText(v) {
			found.add(c.origin(k.Name), k.Name, "%s (%q) is not valid UTF-8", k.Name, v)
			broken[topSection(k.Name)] = true
		}
	}
	for _, f := range optionfault.All(c.Options.Validate()) {
		name := KeyOf(f.Field)
		if broken[topSection(name)] {
			continue
		}
		found = append(found, &fault{origin: c.origin(name), name: name, text: phrase(name, f.Text), cause: f})
	}
	return found
}

// isText reports whether YAML can write the texts in a value.
func isText(v any) bool {
	switch v := v.(type) {
	case string:
		return utf8.ValidString(v)
	case []string:
		return !slices.ContainsFunc(v, func(s string) bool { return !utf8.ValidString(s) })
	}
	return true
}

// phrase puts a name before what is wrong with its value.
func phrase(name, text string) string {
	if strings.HasPrefix(text, ":") {
		return name + text
	}
	return name + " " + text
}

// topSection returns the section that a key lies in, whatever lies between.
func topSection(name string) string {
	section, _, _ := strings.Cut(name, ".")
	return section
}

// origin says where the key of this name was set; of a section it is where the last of
// its keys was.
func (c *Config) origin(name string) string {
	origin := c.origins[name]
	for _, k := range keysOf(name) {
		if c.origins[k.Name] != "" {
			origin = c.origins[k.Name]
		}
	}
	return origin
}

// Given reports whether the key of this name, or one in the section of this name,
// was set anywhere: its value is not a default.
func (c *Config) Given(name string) bool {
	for _, k := range keysOf(name) {
		if c.origins[k.Name] != "" {
			return true
		}
	}
	return c.origins[name] != ""
}

// OnCommandLine reports whether the value of the key of this name is an argument's
// or a flag's.
func (c *Config) OnCommandLine(name string) bool {
	return strings.HasPrefix(c.origins[name], "argument ") || strings.HasPrefix(c.origins[name], "--")
}

// Entry is the effective value of one key.
type Entry struct {
	Key    string `json:"key"`
	Value  string `json:"value"`  // as YAML
	Origin string `json:"origin"` // "default", "icebox.yaml:12", "ICEBOX_HEAD_LR", "--data", "argument head.lr=1"
}

// Show returns the effective value of each key in the order of [Keys]. An axis that
// is not swept is left out.
func (c *Config) Show() []Entry {
	var entries []Entry
	for _, k := range table {
		v := k.get(&c.Options)
		if v == nil {
			continue
		}
		origin := c.origins[k.Name]
		if origin == "" {
			origin = "default"
		}
		entries = append(entries, Entry{k.Name, inline(toNode(v)), origin})
	}
	return entries
}
