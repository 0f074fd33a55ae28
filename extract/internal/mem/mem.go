// Package mem keeps memory from one use to the next.
package mem

// Grow returns a slice of n elements: s if its capacity suffices, else a new one. What
// it holds is unspecified.
func Grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
