//go:build !linux

package headtrain

func adviseHuge([]byte) {}

func adviseWanted([]float32) {}

func adviseDone([]float32) {}

func adviseRandom([]float32) {}

func adviseInOrder([]float32) {}
