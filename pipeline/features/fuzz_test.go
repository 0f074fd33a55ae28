package features

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// FuzzIndex feeds a file's bytes to the index beside arrays of two rows.
func FuzzIndex(f *testing.F) {
	for _, text := range []string{
		"row,path,label,split,sha256\n0,a.jpg,cat,train,\n1,b.jpg,dog,test,\n", "path\n\"a\nb\"\nc\n", "label,label\nx,y\n,\n", "", "split\nval\nx\n",
		"sha256\n000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n", " row ,group\n0,g\n1,\xff\n",
	} {
		f.Add([]byte(text), int64(0), int64(1))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, first, second int64) {
		if err := os.WriteFile(filepath.Join(dir, indexFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
		s := arraySet{dir: dir, labels: []int64{first, second}}
		if err := s.index(); err != nil {
			if !errors.Is(err, dataset.ErrData) {
				t.Fatalf("%v is no error of the data", err)
			}
			return
		}
		for i, it := range s.items {
			if it.Path == "" || len(it.Path) > maxField || len(it.Group) > maxField || it.Part == dataset.Unassigned {
				t.Fatalf("row %d is %+v", i, it)
			}
		}
		folder := Folder{dir: dir, sets: []arraySet{s}}
		ds := &dataset.Dataset{}
		if err := folder.nameClasses(ds); err != nil && !errors.Is(err, dataset.ErrData) {
			t.Fatalf("%v is no error of the data", err)
		}
		for _, it := range s.items {
			if int(it.Label) >= max(len(ds.Classes), 1) {
				t.Fatalf("class %d of %q", it.Label, ds.Classes)
			}
		}
	})
}

// FuzzCacheJSON feeds anything to the readers of the cache's documents and of what it says of
// a space: another program may have written them.
func FuzzCacheJSON(f *testing.F) {
	k := cache.Key{1, 2, 3}
	doc, err := encodeByHash(map[cache.Key]string{k: "no JPEG"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Add([]byte(`{"00": "short"}`))
	f.Add([]byte(`{"` + strings.Repeat("0a", len(k)+1) + `": "long"}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"fingerprint": {"weights": "x"}, "dtype": "float16", "weights": {"name": 3}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		reasons, err := decodeByHash[string]("failures/x", doc)
		if err == nil {
			again, encodeErr := encodeByHash(reasons)
			if encodeErr == nil && again != nil {
				var same map[cache.Key]string
				if same, encodeErr = decodeByHash[string]("failures/x", again); !maps.Equal(same, reasons) {
					t.Errorf("%q became %q", reasons, same)
				}
			}
			err = encodeErr
		}
		if err != nil && !errors.Is(err, cache.ErrCorrupt) {
			t.Fatalf("%v is not ErrCorrupt", err)
		}
		if _, err := DescribeSpace(cache.Space{ID: "x", DType: cache.Float32, Dim: 1, Info: doc}); err != nil && !errors.Is(err, cache.ErrCorrupt) {
			t.Fatalf("%v is not ErrCorrupt", err)
		}
	})
}

// FuzzAvailableMemory lets the files that Linux describes a process by be anything.
func FuzzAvailableMemory(f *testing.F) {
	f.Add("MemAvailable:   2000 kB\n", "0::/a/b\n", "max\n", "700\n")
	f.Add("MemAvailable: 99999999999999999999 kB\n", "4:cpu,memory:/../..\n0::\n", "9223372036854775807", "-1")
	f.Add("MemAvailable: 9223372036854775807 kB\n", "0::/\n0::relative/./..\n", "", "\x00")
	f.Fuzz(func(t *testing.T, meminfo, cgroup, limit, old string) {
		root := fstest.MapFS{}
		for path, text := range map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": cgroup, "sys/fs/cgroup/a/memory.max": limit, "sys/fs/cgroup/memory.max": limit,
			"sys/fs/cgroup/memory/memory.limit_in_bytes": old,
		} {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := AvailableMemory(root); got < 0 {
			t.Errorf("%d bytes", got)
		}
	})
}
