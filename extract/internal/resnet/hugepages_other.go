//go:build !linux

package resnet

// hugePages does nothing: only Linux is asked for large pages.
func hugePages[T any]([]T) {}
