package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkScan scans 60,000 files with ordinary names, in 10 class folders.
func BenchmarkScan(b *testing.B) {
	dir := b.TempDir()
	for class := range 10 {
		folder := filepath.Join(dir, fmt.Sprint("class", class))
		if err := os.Mkdir(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		for n := range 6000 {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.jpg", n)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		ds, err := Scan(context.Background(), Options{Train: dir}, nil)
		if err != nil || len(ds.Items) != 60_000 {
			b.Fatal(err)
		}
	}
}
