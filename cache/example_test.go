package cache_test

import (
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"icebox/cache"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	c, err := cache.OpenOrCreate(filepath.Join(dir, "features.db"), cache.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	// One process at a time writes; errors of Put can wait for Close.
	w, err := c.Writer()
	if err != nil {
		log.Fatal(err)
	}
	space := cache.Space{ID: "1f0c", DType: cache.Float32, Dim: 3}
	if err := w.Space(space, cache.Producer{Engine: "native", ISA: "avx2"}); err != nil {
		log.Fatal(err)
	}
	cat := cache.Key(sha256.Sum256([]byte("the bytes of cat.jpg")))
	if err := w.Put(space.ID, cat, []float32{1, 2, 3}); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	dog := cache.Key(sha256.Sum256([]byte("the bytes of dog.jpg")))
	rows := make([]float32, 2*space.Dim)
	missing, err := c.Lookup(space.ID, []cache.Key{dog, cat}, rows)
	fmt.Println(missing, rows, err)
	// Output: [0] [0 0 0 1 2 3] <nil>
}
