package config

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"icebox/pipeline"
)

// YAML returns the effective configuration as a file with every key, which loads to
// the same options from any folder.
func (c *Config) YAML() []byte { return Write(c.Options) }

// Write returns options as [Config.YAML] does.
func Write(o pipeline.Options) []byte {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range table {
		v := k.get(&o)
		if v == nil {
			continue
		}
		section, leaf := splitName(k.Name)
		at := mapping(root, section)
		at.Content = append(at.Content, scalar(leaf), toNode(v))
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		panic(err) // codecs accept nothing that YAML cannot write
	}
	return out.Bytes()
}

// Recipe returns the value of every key by its name, but of those that say where a run goes.
func Recipe(o pipeline.Options) map[string]string {
	all := map[string]string{}
	for _, k := range table {
		if section, _ := splitName(k.Name); section == "output" {
			continue
		}
		switch v := k.get(&o).(type) {
		case nil:
		case string:
			all[k.Name] = v
		default:
			all[k.Name] = inline(toNode(v))
		}
	}
	return all
}

// Changed lists what of a section is not as it is by default, each as an argument
// key=value that [ParseOverride] reads.
func Changed(o pipeline.Options, section string) []string {
	var changed []string
	for _, k := range keysOf(section) {
		v := k.get(&o)
		if v == nil {
			continue
		}
		value := inline(toNode(v))
		if value == k.Default {
			continue
		}
		if s, ok := v.(string); ok && k.plain {
			value = s // which an argument takes as it is
		}
		changed = append(changed, k.Name+"="+value)
	}
	return changed
}

// mapping returns the mapping of a section below root, made if need be.
func mapping(root *yaml.Node, section string) *yaml.Node {
	if section == "" {
		return root
	}
	above, leaf := splitName(section)
	parent := mapping(root, above)
	for i := 0; i < len(parent.Content); i += 2 {
		if parent.Content[i].Value == leaf {
			return parent.Content[i+1]
		}
	}
	n := &yaml.Node{Kind: yaml.MappingNode}
	parent.Content = append(parent.Content, scalar(leaf), n)
	return n
}

// Init returns a file to start from: every key with its meaning, commented out.
func Init() []byte {
	var out strings.Builder
	out.WriteString(`# icebox configuration. Every key stands here with its default, or an example
# where it has none: take the "# " before a key away to set it. Paths are relative
# to this file. ICEBOX_<SECTION>_<KEY> in the environment and key=value arguments win
# over what stands here.
`)
	var open []string // the sections that lines are in
	for _, k := range table {
		section, leaf := splitName(k.Name)
		parts := strings.Split(section, ".")
		for depth, part := range parts {
			if depth < len(open) && open[depth] == part {
				continue
			}
			if depth == 0 {
				out.WriteByte('\n')
			}
			fmt.Fprintf(&out, "%s%s:\n", strings.Repeat("  ", depth), part)
			open = append(open[:depth:depth], part)
		}
		open = open[:len(parts)]
		indent := strings.Repeat("  ", len(parts))
		fmt.Fprintf(&out, "%s# %s (%s)\n%s# %s: %s\n", indent, k.Help, k.Type, indent, leaf, k.sample())
	}
	return []byte(out.String())
}

// sample is a value to show.
func (k *key) sample() string {
	if k.Default != "" {
		return k.Default
	}
	return k.Example
}
