//go:build !linux

package cache

// Network names the file system that the file at path lies on, or would, if it is one of a
// network, where locks may hang and a mapped file may change unseen; "" if it is none, or
// nobody knows: it is known on Linux alone.
func Network(string) string { return "" }
