package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// texts reads a list of texts. One text is a list of one; as an argument it needs no
// quotes, and [a, b] is a list there, too.
type texts struct{}

func (texts) kind() string { return "list of texts" }

func (texts) schema() map[string]any {
	one := text{}.schema()
	return map[string]any{"oneOf": []any{one, map[string]any{"type": "array", "items": one}}}
}

func (c texts) parse(n *yaml.Node) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		if list := listIn(n); list != nil {
			return c.parse(list)
		}
		one, err := text{}.parse(n)
		return []string{one}, err
	}
	if n.Kind != yaml.SequenceNode {
		return nil, wrongType(n, "a list")
	}
	var all []string
	var found []error
	for i, item := range n.Content {
		one, err := text{}.parse(deref(item))
		if err != nil {
			found = append(found, within(fmt.Sprintf("[%d]", i), item, err))
		}
		all = append(all, one)
		if len(found) == maxFaults {
			break
		}
	}
	return all, errors.Join(found...)
}

// paths reads a list of paths.
type paths struct {
	texts
	path pathCodec
}

func (paths) kind() string { return "list of paths" }

// listIn is the list that a text writes out, as an argument does; nil if it writes none.
func listIn(n *yaml.Node) *yaml.Node {
	if !strings.HasPrefix(n.Value, "[") || !strings.HasSuffix(n.Value, "]") {
		return nil
	}
	list, err := parseScalarOrFlow(n.Value)
	if err != nil || list.Kind != yaml.SequenceNode || slices.ContainsFunc(list.Content, func(item *yaml.Node) bool { return deref(item).Kind != yaml.ScalarNode }) {
		return nil
	}
	return list
}
