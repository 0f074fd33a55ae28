//go:build noparquet

package pipeline

import "testing"

// parquetKinds are none: the program is built without parquet.
var parquetKinds []string

func photoRows(*testing.T, string) []byte { return nil }
