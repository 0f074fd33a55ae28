package dataset

import (
	"archive/tar"
	"bytes"
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

// BenchmarkScanTar lists a tar of 100,000 members, half of them images, as it is met first,
// and as the cache knows it.
func BenchmarkScanTar(b *testing.B) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	image := make([]byte, 2048)
	for i := range 50_000 {
		for ending, data := range map[string][]byte{"jpg": image, "cls": fmt.Append(nil, i%10)} {
			if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%06d.%s", i, ending), Size: int64(len(data)), Mode: 0o644}); err != nil {
				b.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				b.Fatal(err)
			}
		}
	}
	must(b, w.Close())
	o := Options{Train: writeFile(b, filepath.Join(b.TempDir(), "s.tar"), out.Bytes()), Name: "set"}
	settle()
	first, err := Scan(b.Context(), o, nil)
	must(b, err)
	doc, err := first.Encode()
	must(b, err)
	for how, docs := range map[string]Docs{"cold": nil, "warm": docsOf{"dataset/set": doc}} {
		b.Run(how, func(b *testing.B) {
			for b.Loop() {
				ds, err := Scan(b.Context(), o, docs)
				must(b, err)
				if len(ds.Items) != 50_000 || (ds.listed == 0) != (how == "warm") {
					b.Fatalf("%d items, %d archives opened", len(ds.Items), ds.listed)
				}
			}
		})
	}
}
