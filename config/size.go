package config

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
	"go.yaml.in/yaml/v3"

	"icebox/headtrain"
)

// size reads a number of bytes: a whole number, or one with a unit.
type size struct{ whole[int64] }

func (s size) within(r headtrain.Range) codec[int64] { return size{whole[int64]{r}} }

func (size) kind() string { return "bytes, such as 500MB or 2GiB" }

func (s size) schema() map[string]any {
	return map[string]any{"anyOf": []any{s.whole.schema(), map[string]any{"type": "string", "pattern": `^[0-9.]+ *[kKMGT]i?B?$`}}}
}

func (s size) parse(n *yaml.Node) (int64, error) {
	if !isScalar(n, "!!str") {
		return s.whole.parse(n)
	}
	v, err := humanize.ParseBytes(n.Value)
	if err != nil || v > math.MaxInt64 {
		return 0, fmt.Errorf(" (%s) must be a number of bytes, such as 500MB or 2GiB", quote(n.Value))
	}
	return int64(v), nil
}
