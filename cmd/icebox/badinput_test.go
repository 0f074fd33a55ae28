package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"icebox/cache"
)

// bad is an input that a person may give, and what they are told.
type bad struct {
	name string
	make func(t *testing.T, dir string) // on top of photos/ with two classes
	args []string                       // of run, after --cache f.db
	env  []string
	code int
	want []string // parts of the message
}

func TestBadInputIsToldInOneLine(t *testing.T) {
	random := []string{"--data", "photos", "--weights", "random"}
	weights := func(file string) []string { return []string{"--data", "photos", "--weights", file} }
	for _, c := range []bad{
		{"missing folder", nil, []string{"--data", "nowhere", "--weights", "random"}, nil, exitData, []string{"nowhere does not exist"}},
		{"no data named", nil, []string{"--weights", "random"}, nil, exitData, []string{"--data DIR"}},
		{"empty folder", func(t *testing.T, dir string) { must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755)) },
			[]string{"--data", "empty", "--weights", "random"}, nil, exitData, []string{"no image in"}},
		{"class without an image beside one class", func(t *testing.T, dir string) {
			must(t, os.Rename(filepath.Join(dir, "photos", "b"), filepath.Join(dir, "b")))
			must(t, os.Mkdir(filepath.Join(dir, "photos", "void"), 0o755))
		},
			random, nil, exitData, []string{`class "void" holds no image`}},
		{"one class only", func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, "photos", "b"))) },
			random, nil, exitData, []string{`one class "a"`}},
		{"weights that are not there", nil, weights("none.pth"), nil, exitWeights, []string{"none.pth"}},
		{"no weights anywhere", nil, []string{"--data", "photos"}, []string{"XDG_CACHE_HOME=/nonexistent", "TORCH_HOME=/nonexistent"}, exitWeights, []string{"icebox weights fetch"}},
		{"weights that are text", func(t *testing.T, dir string) { write(t, dir, "w.pth", []byte("hello, I am no weights file")) },
			weights("w.pth"), nil, exitWeights, []string{"w.pth"}},
		{"a malicious pickle", func(t *testing.T, dir string) {
			write(t, dir, "w.pth", zipOf(t, "x/data.pkl", []byte("cos\nsystem\n(S'true'\ntR."), zip.Store))
		},
			weights("w.pth"), nil, exitWeights, []string{"w.pth", "os.system"}},
		{"a zip bomb", func(t *testing.T, dir string) {
			write(t, dir, "w.pth", zipOf(t, "x/data.pkl", make([]byte, 64<<20), zip.Deflate))
		},
			weights("w.pth"), nil, exitWeights, []string{"w.pth"}},
		{"weights of another shape", func(t *testing.T, dir string) {
			write(t, dir, "w.safetensors", safetensorsOf(`{"conv1.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"conv9.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8))
		}, weights("w.safetensors"), nil, exitWeights, []string{"conv1.weight", "conv9.weight", "bn1"}},
		{"learning rate NaN", nil, append(random, "head.lr=.nan"), nil, exitUsage, []string{"head.lr"}},
		{"learning rate infinite", nil, random, []string{"ICEBOX_HEAD_LR=.inf"}, exitUsage, []string{"ICEBOX_HEAD_LR"}},
		{"misspelt key", nil, append(random, "head.learning_rate=1"), nil, exitUsage, []string{"head.learning_rate", "head.lr"}},
		{"a config file with faults", func(t *testing.T, dir string) { write(t, dir, "c.yaml", []byte("head:\n  epoch: 3\n  lr: fast\n")) },
			append(random, "--config", "c.yaml"), nil, exitUsage, []string{"c.yaml:2", "head.epochs", "c.yaml:3", "head.lr"}},
		{"a cache that is something else", func(t *testing.T, dir string) { write(t, dir, "f.db", bytes.Repeat([]byte("not a cache "), 4000)) },
			random, nil, exitCache, []string{"f.db"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, 2, 3)
			if c.make != nil {
				c.make(t, dir)
			}
			r := iceboxEnv(t, dir, c.env, append([]string{"run", "--cache", "f.db"}, c.args...)...)
			if r.code != c.code {
				t.Errorf("exit %d, want %d", r.code, c.code)
			}
			message := r.errOut[strings.LastIndex("\n"+r.errOut, "\nicebox: "):]
			for _, want := range c.want {
				if !strings.Contains(message, want) {
					t.Errorf("the message has no %q: %s", want, message)
				}
			}
			if n := strings.Count(message, "\n"); n > 1+strings.Count(message, "\n  try: ") && c.code != exitUsage && !strings.Contains(c.name, "shape") && !strings.Contains(c.name, "anywhere") {
				t.Errorf("the message has %d lines: %s", n, message)
			}
			if strings.Contains(r.errOut, "panic") || strings.Contains(r.errOut, "goroutine ") {
				t.Errorf("a panic reached the user: %s", r.errOut)
			}
		})
	}
}

func zipOf(t *testing.T, name string, data []byte, method uint16) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
	must(t, err)
	_, err = f.Write(data)
	must(t, err)
	must(t, w.Close())
	return buf.Bytes()
}

func safetensorsOf(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// hugePNG is the header of a PNG of 60000×60000 pixels and nothing more.
func hugePNG() []byte {
	ihdr := []byte("IHDR")
	ihdr = binary.BigEndian.AppendUint32(ihdr, 60000)
	ihdr = binary.BigEndian.AppendUint32(ihdr, 60000)
	ihdr = append(ihdr, 8, 2, 0, 0, 0)
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	b = append(b, ihdr...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(ihdr))
}

func TestBombsAreRefusedByTheirHeader(t *testing.T) {
	dir := folder(t, 2, 3)
	write(t, dir, "photos/a/bomb.png", hugePNG())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--json")
	runtime.ReadMemStats(&after)
	got := r.lastJSON(t)
	if got["quarantined"] != 1.0 || !strings.Contains(r.out, "a/bomb.png") || !strings.Contains(r.out, "60000") {
		t.Errorf("%s%s", r.out, r.errOut)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 3<<30 {
		t.Errorf("allocated %d bytes", grown)
	}
}

func TestDamagedCacheIsFoundAndNeverTrainedOn(t *testing.T) {
	dir := folder(t, 2, 6)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "f.db"))
	must(t, err)
	if r := icebox(t, dir, "cache", "export", "--cache", "f.db", "--out", "out"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	features, err := os.ReadFile(filepath.Join(dir, "out", "features.npy"))
	must(t, err)
	flipped := bytes.Clone(whole)
	row := features[len(features)-2048:] // wherever it lies, older commits included
	for at := 0; ; at++ {
		next := bytes.Index(flipped[at:], row)
		if next < 0 {
			break
		}
		at += next
		flipped[at+100] ^= 0x40
	}
	if bytes.Equal(flipped, whole) {
		t.Fatal("no row found to damage")
	}
	for name, data := range map[string][]byte{"flipped": flipped, "truncated": whole[:len(whole)/2], "empty": {}} {
		write(t, dir, "f.db", data)
		if r := icebox(t, dir, "cache", "verify", "--cache", "f.db"); r.code != exitCache {
			t.Errorf("%s: verify ends with %d: %s", name, r.code, r.errOut)
		}
		if r := icebox(t, dir, "train", "--cache", "f.db"); r.code != exitCache || !strings.Contains(r.errOut, "f.db") {
			t.Errorf("%s: train ends with %d: %s", name, r.code, r.errOut)
		}
	}
}

func TestSecondWriterIsToldWhoTheFirstIs(t *testing.T) {
	dir := folder(t, 2, 3)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	unlock := lockCache(t, filepath.Join(dir, "f.db"))
	defer unlock()
	write(t, dir, "photos/a/new.png", pngOf(t, 0, 77))
	r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db")
	if r.code != exitLocked || !strings.Contains(r.errOut, fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

func TestHeadOfAnotherBackboneIsRefused(t *testing.T) {
	dir := folder(t, 2, 5)
	run := icebox(t, dir, "run", "--data", "photos", "--weights", "random:1", "--cache", "f.db", "--json").lastJSON(t)["run_dir"].(string)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random:2", "--cache", "g.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	r := icebox(t, dir, "eval", "--run", run, "--cache", "g.db")
	if r.code == 0 || !strings.Contains(r.errOut, "space") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
	if r := icebox(t, dir, "eval", "--run", "photos/a"); r.code != exitData || !strings.Contains(r.errOut, "holds no head.safetensors") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

// lockCache takes the writer's lock of the cache, as another process would.
func lockCache(t *testing.T, path string) (unlock func()) {
	t.Helper()
	c, err := cache.Open(path, cache.Options{})
	must(t, err)
	w, err := c.Writer()
	must(t, err)
	return func() {
		must(t, w.Close())
		must(t, c.Close())
	}
}
