package config

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader turns sources into settings and collects what is wrong on the way.
type reader struct {
	dir      string   // working directory
	env      []string // "KEY=value"
	faults   faults
	warnings []string
}

// setting is the value of one key from one place.
type setting struct {
	key    *key
	value  any // of the key's type
	origin string
}

// place is where a value was written.
type place struct {
	origin func(line int) string
	dir    string // where relative paths start
}

// notKeys are variables of icebox that are read elsewhere.
var notKeys = []string{"ICEBOX_CUDA_PATH", "ICEBOX_OFFLINE", "ICEBOX_SERVE_HOST", "ICEBOX_SERVE_INSECURE", "ICEBOX_SERVE_RUN"}

// environ reads the ICEBOX_ variables, in the order of their names.
func (r *reader) environ() []setting {
	var all []setting
	for _, pair := range slices.Sorted(slices.Values(r.env)) {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		if slices.Contains(notKeys, name) {
			continue
		}
		k := keyOfEnv(name)
		if k == nil {
			r.warnings = append(r.warnings, name+" is set, but is not a variable of icebox"+didYouMean(nearestEnv(name)))
			continue
		}
		all = append(all, r.text(k, value, r.from(name))...)
	}
	return all
}

// override reads one argument or flag; its key may be a section and its value a
// mapping.
func (r *reader) override(o Override) []setting {
	origin := o.Origin
	if origin == "" {
		origin = "argument " + quote(o.Key+"="+o.Value)
	}
	at := r.from(origin)
	if k := keyNamed(o.Key); k != nil {
		return r.text(k, o.Value, at)
	}
	if !isSection(o.Key) {
		r.faults.add(origin, o.Key, "%s", unknownKey(o.Key))
		return nil
	}
	n, err := parseScalarOrFlow(o.Value)
	if err != nil {
		r.faults.add(origin, "", "%s: %v", o.Key, err) // of no key: what else sets them is judged
		return nil
	}
	return r.section(o.Key, n, at)
}

// from is a place outside the file.
func (r *reader) from(origin string) place {
	return place{func(int) string { return origin }, r.dir}
}

// text reads the value of k from text, which is YAML unless k takes text itself.
func (r *reader) text(k *key, value string, at place) []setting {
	n := textNode(value)
	if !k.plain {
		var err error
		if n, err = parseScalarOrFlow(value); err != nil {
			r.faults.add(at.origin(0), k.Name, "%s: %v", k.Name, err)
			return nil
		}
	}
	return r.value(k, n, 0, at)
}

// section reads the mapping n of keys below prefix.
func (r *reader) section(prefix string, n *yaml.Node, at place) []setting {
	if n = deref(n); n == nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.faults.add(at.origin(n.Line), prefix, "%s", notASection(prefix))
		return nil
	}
	var all []setting
	first := map[string]int{} // line of a key
	for i := 0; i < len(n.Content) && len(r.faults) < maxFaults; i += 2 {
		part, line := deref(n.Content[i]), n.Content[i].Line
		name := join(prefix, part.Value)
		earlier, twice := first[name]
		switch {
		case part.Kind != yaml.ScalarNode:
			r.faults.add(at.origin(line), prefix, "a key must be a name, not %s", describe(part))
		case strings.Contains(part.Value, "."):
			r.faults.add(at.origin(line), name, "%s: a key with dots is for arguments; here each part is a section of its own", quote(name))
		case twice && earlier != line:
			r.faults.add(at.origin(line), name, "%s is given twice, first in line %d", name, earlier)
		case twice:
			r.faults.add(at.origin(line), name, "%s is given twice", name)
		default:
			first[name] = line
			all = append(all, r.entry(name, n.Content[i+1], line, at)...)
		}
	}
	return all
}

// entry reads the value of one key or section, whose name stands in line.
func (r *reader) entry(name string, n *yaml.Node, line int, at place) []setting {
	if k := keyNamed(name); k != nil {
		return r.value(k, n, line, at)
	}
	if isSection(name) {
		return r.section(name, n, at)
	}
	r.faults.add(at.origin(line), name, "%s", unknownKey(name))
	return nil
}

// value reads n as the value of k, whose name stands in line.
func (r *reader) value(k *key, n *yaml.Node, line int, at place) []setting {
	n = deref(n)
	if isNull(n) {
		r.faults.add(at.origin(line), k.Name, "%s has no value: give one, or take the key away", k.Name)
		return nil
	}
	v, err := k.parse(n)
	if err != nil {
		for _, e := range leaves(err) {
			if inner := (*atLine)(nil); errors.As(e, &inner) {
				line = inner.line
			}
			r.faults.add(at.origin(line), k.Name, "%s%v", k.Name, e)
		}
		return nil
	}
	if k.place != nil {
		v = k.place(v, at.dir, r.env)
	}
	return []setting{{k, v, at.origin(line)}}
}
