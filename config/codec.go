package config

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

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

// whole reads an integer that fits T.
type whole[T int | int64 | uint64] struct{ limits }

func (w whole[T]) kind() string           { return "whole number " + w.String() }
func (w whole[T]) schema() map[string]any { return w.limits.schema("integer") }

func (w whole[T]) parse(n *yaml.Node) (v T, err error) {
	if !isScalar(n, "!!int") {
		return 0, wrongType(n, "a whole number")
	}
	var big int64
	if n.Decode(&big) != nil || big > 0 && int64(T(big)) != big {
		return 0, fmt.Errorf(" (%s) is too large", quote(n.Value))
	}
	if err := w.check(float64(big)); err != nil {
		return 0, err
	}
	return T(big), nil
}

// number reads a finite number.
type number struct{ limits }

func (c number) kind() string           { return "number " + c.String() }
func (c number) schema() map[string]any { return c.limits.schema("number") }

func (c number) parse(n *yaml.Node) (v float64, err error) {
	if !isScalar(n, "!!float") && !isScalar(n, "!!int") {
		return 0, wrongType(n, "a number")
	}
	if n.Decode(&v) != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf(" (%s) must be a finite number", quote(n.Value))
	}
	return v, c.check(v)
}

// text reads any text, or one of a few words.
type text struct{ words []string }

func oneOf(words ...string) text { return text{words} }

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
// either.
type pathCodec struct{ words []string }

func (pathCodec) schema() map[string]any { return text{}.schema() }

func (c pathCodec) kind() string { return words.Or(append([]string{"path"}, c.words...)) }

func (pathCodec) parse(n *yaml.Node) (string, error) { return text{}.parse(n) }

// resolve makes a path absolute that is relative to dir.
func (c pathCodec) resolve(v, dir string) string {
	word, _, _ := strings.Cut(v, ":")
	if v == "" || slices.Contains(c.words, word) {
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

// limits are the range of a number.
type limits struct {
	lo, hi         float64
	openLo, openHi bool
}

func from(lo float64) limits  { return limits{lo: lo, hi: math.Inf(1)} }
func above(lo float64) limits { return limits{lo: lo, hi: math.Inf(1), openLo: true} }

func (l limits) to(hi float64) limits {
	l.hi = hi
	return l
}

func (l limits) below(hi float64) limits {
	l.hi, l.openHi = hi, true
	return l
}

func (l limits) String() string {
	lower := fmt.Sprintf("≥ %v", l.lo)
	if l.openLo {
		lower = fmt.Sprintf("> %v", l.lo)
	}
	switch {
	case math.IsInf(l.hi, 1):
		return lower
	case l.openHi:
		return fmt.Sprintf("%s and < %v", lower, l.hi)
	case l.openLo:
		return fmt.Sprintf("%s and ≤ %v", lower, l.hi)
	}
	return fmt.Sprintf("from %v to %v", l.lo, l.hi)
}

func (l limits) check(v float64) error {
	if v < l.lo || v > l.hi || l.openLo && v == l.lo || l.openHi && v == l.hi {
		return fmt.Errorf(" (%v) must be %s", v, l)
	}
	return nil
}

func (l limits) schema(kind string) map[string]any {
	s := map[string]any{"type": kind}
	if l.openLo {
		s["exclusiveMinimum"] = l.lo
	} else {
		s["minimum"] = l.lo
	}
	switch {
	case l.openHi:
		s["exclusiveMaximum"] = l.hi
	case !math.IsInf(l.hi, 1):
		s["maximum"] = l.hi
	}
	return s
}
