//go:build !linux

package headtrain

func adviseHuge([]byte) {}
