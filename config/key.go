package config

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"icebox/headtrain"
	"icebox/pipeline"
)

// Key says what there is to know of one key, for people.
type Key struct {
	Name    string   // "head.lr"
	Env     string   // "ICEBOX_HEAD_LR"
	Type    string   // "number > 0", "one of adam, adamw, sgd"
	Default string   // as YAML; "" where there is none
	Example string   // as YAML, for a key without a default
	Values  []string // the words that it takes, where those are a short list; it may take others, too
	Help    string
}

// Keys returns every key, section by section.
func Keys() []Key {
	keys := make([]Key, len(table))
	for i, k := range table {
		keys[i] = k.Key
	}
	return keys
}

const envPrefix = "ICEBOX_"

// key binds a name to a field of the options.
type key struct {
	Key
	field string // of pipeline.Options that it sets, such as "Head.LR"
	plain bool   // takes the text of an argument as it is
	// place makes paths absolute that are relative to dir, or to the home folder of the
	// process with this environment; nil for a key that holds no path.
	place  func(v any, dir string, environ []string) any
	own    string // the default, where it is not that of pipeline.Default; else ""
	parse  func(*yaml.Node) (any, error)
	schema map[string]any
	get    func(*pipeline.Options) any // nil if there is nothing to show
	set    func(*pipeline.Options, any)
}

// codec reads values of one type. An error's text goes on after the key's name.
type codec[T any] interface {
	parse(*yaml.Node) (T, error)
	schema() map[string]any // JSON Schema
	kind() string           // for people
}

// ranges and choices are those of the fields, as their owners state them.
var ranges, choices = pipeline.Ranges(), pipeline.Choices()

// newKey makes the key for a field, whose default is that of pipeline.Default. A codec of
// numbers gets the range of the field, one of texts the field's words, if it has any.
func newKey[T any](name string, c codec[T], field func(*pipeline.Options) *T, help string) *key {
	o := pipeline.Default()
	path := fieldAt(reflect.ValueOf(&o).Elem(), reflect.ValueOf(field(&o)))
	if n, ok := c.(interface {
		within(headtrain.Range) codec[T]
	}); ok {
		c = n.within(ranges[path])
	}
	if t, ok := c.(interface{ among([]string) codec[T] }); ok && choices[path] != nil {
		c = t.among(choices[path])
	}
	k := &key{
		Key:    Key{Name: name, Env: envName(name), Type: c.kind(), Help: help},
		field:  path,
		parse:  func(n *yaml.Node) (any, error) { return c.parse(n) },
		schema: c.schema(),
		get:    func(o *pipeline.Options) any { return *field(o) },
		set:    func(o *pipeline.Options, v any) { *field(o) = v.(T) },
	}
	switch c := any(c).(type) {
	case text:
		k.plain, k.Values = true, c.words
	case pathCodec:
		k.plain, k.Values = true, c.words
		k.place = func(v any, dir string, environ []string) any {
			return c.resolve(FromHome(v.(string), environ), dir)
		}
	case paths:
		k.plain = true
		k.place = func(v any, dir string, environ []string) any {
			var all []string
			for _, one := range v.([]string) {
				all = append(all, c.path.resolve(FromHome(one, environ), dir))
			}
			return all
		}
	case texts:
		k.plain = true
	case boolean:
		k.Values = []string{"true", "false"}
	case classWeights:
		k.Values = classWeightModes.words
	}
	if k.Default = inline(toNode(k.get(&o))); k.Default == `""` || k.Default == "[]" {
		k.Default = ""
	}
	return k
}

// fieldAt returns the path of the field of v that at points to, such as "Head.LR"; "" if
// there is none. The pointer may be of another type of the same kind.
func fieldAt(v, at reflect.Value) string {
	for i := range v.NumField() {
		field, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case field.Addr().Pointer() == at.Pointer() && field.Type().ConvertibleTo(at.Type().Elem()):
			return name
		case field.Kind() == reflect.Struct:
			if below := fieldAt(field, at); below != "" {
				return name + "." + below
			}
		}
	}
	return ""
}

// KeyOf returns the key that sets a field of pipeline.Options, such as "head.lr" for
// "Head.LR". For a struct it returns the section that the keys of its fields share, and
// for a field that no key sets what it returns for the struct around it; "" if there is
// nothing.
func KeyOf(field string) string {
	for ; field != ""; field, _ = splitName(field) {
		name, found := "", false
		for _, k := range table {
			if k.field == field {
				return k.Name
			}
			if strings.HasPrefix(k.field, field+".") {
				section, _ := splitName(k.Name)
				if !found {
					name, found = section, true
				}
				name = shared(name, section)
			}
		}
		if name != "" {
			return name
		}
	}
	return ""
}

// shared returns the innermost section that holds both sections.
func shared(a, b string) string {
	for a != "" && a != b && !strings.HasPrefix(b, a+".") {
		a, _ = splitName(a)
	}
	return a
}

// like gives an example for a key without a default.
func (k *key) like(example string) *key {
	k.Example = example
	return k
}

// instead gives a default of its own to a key that holds text: what people want of a
// program is not what a caller of the pipeline wants.
func (k *key) instead(v string) *key {
	k.Default, k.own = inline(toNode(v)), v
	return k
}

func envName(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

func keyNamed(name string) *key {
	for _, k := range table {
		if k.Name == name {
			return k
		}
	}
	return nil
}

func keyOfEnv(env string) *key {
	for _, k := range table {
		if k.Env == env {
			return k
		}
	}
	return nil
}

// isSection reports whether name holds keys.
func isSection(name string) bool { return len(keysOf(name)) > 0 }

// keysOf returns the keys of a section, those of its own sections included.
func keysOf(section string) []*key {
	var keys []*key
	for _, k := range table {
		if strings.HasPrefix(k.Name, section+".") {
			keys = append(keys, k)
		}
	}
	return keys
}

// sections returns the names of the top sections, in order.
func sections() []string {
	var names []string
	for _, k := range table {
		name, _, _ := strings.Cut(k.Name, ".")
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return names
}
