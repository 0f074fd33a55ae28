//go:build !linux

package headtrain

func adviseHuge([]byte) {}

func adviseWanted([]float32) {}
