//go:build !nograph

package main

import (
	"icebox/headtrain"
	"icebox/headtrain/graph"
)

// headEngines are what this program offers for head.engine besides fused. The
// tag nograph leaves gorgonia out, which is half of the program's size.
func headEngines() []headtrain.Engine { return []headtrain.Engine{graph.Engine()} }
