//go:build nograph

package main

import "icebox/headtrain"

func headEngines() []headtrain.Engine { return nil }
