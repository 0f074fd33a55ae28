package config

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"icebox/headtrain"
	"icebox/pipeline/words"
)

// boolean reads true and false; yes, on and 1 are not among them.
type boolean struct{}

func (boolean) kind() string           { return "true or false" }
func (boolean) schema() map[string]any { return map[string]any{"type": "boolean"} }

func (boolean) parse(n *yaml.Node) (v bool, err error) {
	if !isScalar(n, "!!bool") {
		return false, wrongType(n, "true or false")
	}
	return v, n.Decode(&v)
}

// whole reads an integer that fits T. The table gives it the range of its field.
type whole[T int | int64 | uint64] struct{ headtrain.Range }

func (w whole[T]) kind() string                      { return "whole number " + w.String() }
func (w whole[T]) schema() map[string]any            { return rangeSchema(w.Range, "integer") }
func (w whole[T]) within(r headtrain.Range) codec[T] { return whole[T]{r} }

func (w whole[T]) parse(n *yaml.Node) (v T, err error) {
	if !isScalar(n, "!!int") {
		return 0, wrongType(n, "a whole number")
	}
	var big int64
	if n.Decode(&big) != nil || big > 0 && int64(T(big)) != big {
		return 0, fmt.Errorf(" (%s) is too large", quote(n.Value))
	}
	if err := inRange(w.Range, float64(big)); err != nil {
		return 0, err
	}
	return T(big), nil
}

// number reads a finite number. The table gives it the range of its field.
type number struct{ headtrain.Range }

func (c number) kind() string                            { return "number " + c.String() }
func (c number) schema() map[string]any                  { return rangeSchema(c.Range, "number") }
func (c number) within(r headtrain.Range) codec[float64] { return number{r} }

func (c number) parse(n *yaml.Node) (v float64, err error) {
	if !isScalar(n, "!!float") && !isScalar(n, "!!int") {
		return 0, wrongType(n, "a number")
	}
	if n.Decode(&v) != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf(" (%s) must be a finite number", quote(n.Value))
	}
	return v, inRange(c.Range, v)
}

// text reads any text, or one of a few words, where the table gives it those of its
// field.
type text struct{ words []string }

func (text) among(words []string) codec[string] { return text{words} }

func (c text) kind() string {
	switch len(c.words) {
	case 0:
		return "text"
	case 1:
		return c.words[0]
	}
	return "one of " + strings.Join(c.words, ", ")
}

func (c text) schema() map[string]any {
	if c.words == nil {
		return map[string]any{"type": "string"}
	}
	return map[string]any{"enum": c.words}
}

func (c text) parse(n *yaml.Node) (string, error) {
	// A date is a text that YAML makes something else of.
	if !isScalar(n, "!!str") && !isScalar(n, "!!timestamp") {
		if n.Kind == yaml.ScalarNode && c.words == nil {
			return "", fmt.Errorf(" (%s) must be text: put it in quotes", quote(n.Value))
		}
		return "", wrongType(n, c.kind())
	}
	if !utf8.ValidString(n.Value) {
		return "", fmt.Errorf(" (%q) is not valid UTF-8", n.Value)
	}
	if c.words != nil && !slices.Contains(c.words, n.Value) {
		return "", fmt.Errorf(" %q is not known: choose %s", n.Value, words.Or(c.words))
	}
	return n.Value, nil
}

// pathCodec reads a path, or one of a few words that are none; WORD:… is none
// either, nor is what begins with one of the prefixes.
type pathCodec struct{ words, prefixes []string }

func (pathCodec) schema() map[string]any { return text{}.schema() }

func (c pathCodec) kind() string { return words.Or(append([]string{"path"}, c.words...)) }

func (pathCodec) parse(n *yaml.Node) (string, error) { return text{}.parse(n) }

// resolve makes a path absolute that is relative to dir.
func (c pathCodec) resolve(v, dir string) string {
	word, _, _ := strings.Cut(v, ":")
	isPrefixed := func(prefix string) bool { return strings.HasPrefix(v, prefix) }
	if v == "" || slices.Contains(c.words, word) || slices.ContainsFunc(c.prefixes, isPrefixed) {
		return v
	}
	v = filepath.FromSlash(v)
	if filepath.IsAbs(v) {
		return filepath.Clean(v)
	}
	return filepath.Join(dir, v)
}

func isScalar(n *yaml.Node, tag string) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == tag
}

// wrongType says what n must be, and how it comes that it is not when that is only
// a matter of quotes.
func wrongType(n *yaml.Node, want string) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf(" must be %s, not %s", want, describe(n))
	}
	bare := &yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && bare.ShortTag() != "!!str" {
		return fmt.Errorf(" (%q) must be %s: take the quotes away", n.Value, want)
	}
	return fmt.Errorf(" (%s) must be %s", quote(n.Value), want)
}

// rangeSchema is the JSON Schema of a number in a range.
func rangeSchema(r headtrain.Range, kind string) map[string]any {
	s := map[string]any{"type": kind}
	if r.OpenLow {
		s["exclusiveMinimum"] = r.Low
	} else {
		s["minimum"] = r.Low
	}
	switch {
	case r.OpenHigh:
		s["exclusiveMaximum"] = r.High
	case !math.IsInf(r.High, 1):
		s["maximum"] = r.High
	}
	return s
}

// inRange says what is wrong with a number out of its range.
func inRange(r headtrain.Range, v float64) error {
	if !r.Holds(v) {
		return fmt.Errorf(" (%v) must be %s", v, r)
	}
	return nil
}
