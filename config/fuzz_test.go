package config

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzArgument gives any key any value, as an argument and as a variable, from a folder and
// with a home of any name: what Load accepts it must write in a form that it accepts again.
func FuzzArgument(f *testing.F) {
	at := func(name string) uint8 {
		return uint8(slices.IndexFunc(table, func(k *key) bool { return k.Name == name }))
	}
	f.Add(at("sweep.axes.lr"), "{log: [1e-4, 1e-1], steps: 7}", "/work", "/home/me")
	f.Add(at("sweep.axes.epochs"), "{lin: [5, 5e300], steps: 2}", "/work", "/home/me")
	f.Add(at("data.also"), "[~/a, b]", "/f\xf6to", "/home/me")
	f.Add(at("data.train"), "~/a", "/work", "/home/m\xfe")
	f.Add(at("head.class_weights"), "{a: 1, 'b': .5}", "", "")
	f.Add(at("backbone.device"), "cuda:0,1", "/", "~")
	f.Add(at("data.exclude"), "[a, !b/**]", "/work", "")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, which uint8, value, work, home string) {
		k := table[int(which)%len(table)]
		src := Source{Dir: "/" + work, Environ: []string{"HOME=" + home}, Overrides: []Override{{Key: k.Name, Value: value}}}
		c, err := Load(src)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("%v is not ErrConfig", err)
			}
			return
		}
		file := filepath.Join(dir, "again.yml")
		write(t, file, string(c.YAML()))
		if diff := cmp.Diff(c.Options, load(t, Source{File: file, Dir: dir}).Options); diff != "" {
			t.Fatal(diff)
		}
		src.Environ, src.Overrides = append(src.Environ, k.Env+"="+value), nil
		if byEnv, err := Load(src); err == nil && value != "" {
			if diff := cmp.Diff(c.Options, byEnv.Options); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
