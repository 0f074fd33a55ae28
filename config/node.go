package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"icebox/headtrain"
	"icebox/pipeline/sweep"
)

// deref follows aliases. YAML allows no alias of an alias, so one step is enough.
func deref(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe names the kind of a node that is of the wrong kind.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return quote(n.Value)
}

// quote shortens a value for a message, and escapes it if it would not print.
func quote(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// toNode writes a value of a key.
func toNode(v any) *yaml.Node {
	switch v := v.(type) {
	case string:
		return textNode(v)
	case float64:
		return scalar(number11(v))
	case headtrain.ClassWeights:
		return classWeightsNode(v)
	case sweep.WeightMap:
		w, err := v.Weights()
		if err != nil {
			return textNode(string(v)) // it was not read by a codec; whoever reads it again says what is wrong
		}
		return classWeightsNode(w)
	case sweep.Axis:
		return axisNode(v)
	case []string:
		return listNode(v)
	}
	return scalar(fmt.Sprint(v))
}

// number11 writes a number so that readers of YAML 1.1, which want a point in one with an
// exponent, take it for a number too.
func number11(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if digits, exponent, ok := strings.Cut(s, "e"); ok && !strings.Contains(digits, ".") {
		return digits + ".0e" + exponent
	}
	return s
}

// scalar is a value that reads as what it looks like.
func scalar(value string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: value} }

// textNode is a text, quoted if it would read as something else.
func textNode(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func classWeightsNode(w headtrain.ClassWeights) *yaml.Node {
	if w.Mode != headtrain.WeightsMap {
		return textNode(w.Mode)
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, class := range slices.Sorted(maps.Keys(w.Map)) {
		n.Content = append(n.Content, textNode(class), toNode(w.Map[class]))
	}
	return n
}

func axisNode(a sweep.Axis) *yaml.Node {
	if len(a.Values) > 0 {
		return listNode(a.Values)
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	add := func(name string, v *yaml.Node) { n.Content = append(n.Content, scalar(name), v) }
	if len(a.Log) > 0 {
		add("log", listNode(a.Log))
	}
	if len(a.Lin) > 0 {
		add("lin", listNode(a.Lin))
	}
	if a.Steps > 0 {
		add("steps", toNode(a.Steps))
	}
	return n
}

func listNode[T any](values []T) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, v := range values {
		n.Content = append(n.Content, toNode(v))
	}
	return n
}

// inline returns n as one line of YAML.
func inline(n *yaml.Node) string {
	out, err := yaml.Marshal(n)
	if err != nil {
		panic(err) // codecs accept nothing that YAML cannot write
	}
	return strings.TrimSuffix(string(out), "\n")
}
