package features

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// nthKey is a key that any process can make again.
func nthKey(i int) (k cache.Key) {
	rng := rand.New(rand.NewPCG(uint64(i), 7))
	for at := 0; at < len(k); at += 8 {
		binary.LittleEndian.PutUint64(k[at:], rng.Uint64())
	}
	return k
}

// grown is a dataset of n images in 100 classes as a scan lists it; with content or without.
func grown(n int, hashed bool) *dataset.Dataset {
	ds := &dataset.Dataset{Name: "grown", Sources: dataset.Sources{Train: "/photos"}, Roots: []dataset.Root{{Dir: "/photos"}}, Split: dataset.Split{Val: 0.1}, Items: make([]dataset.Item, n)}
	for c := range 100 {
		ds.Classes = append(ds.Classes, fmt.Sprintf("class%03d", c))
	}
	for i := range ds.Items {
		it := &ds.Items[i]
		it.Label = int32(i * 100 / n)
		it.Path = fmt.Sprintf("%s/img%08d.jpg", ds.Classes[it.Label], i)
		it.Stat = dataset.Stat{Size: 100_000 + int64(i*7919%50_000), MTime: 1.7e18 + int64(i)*1e7, CTime: 1.7e18 + int64(i)*1e7 + 3, Inode: uint64(1000 + i)}
		if hashed {
			it.Hash = nthKey(i)
		}
	}
	return ds
}
