package dataset

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"icebox/cache"
	"icebox/pipeline/journal"
)

// member is a file of a tar.
type member struct{ name, text string }

// tarOf makes a tar of members in their order.
func tarOf(t testing.TB, format tar.Format, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		must(t, w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.text)), Mode: 0o644, Format: format, ModTime: time.Unix(1, 0)}))
		_, err := w.Write([]byte(m.text))
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

func writeFile(t testing.TB, path string, data []byte) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
	return path
}

func scanned(t *testing.T, o Options, docs Docs) *Dataset {
	t.Helper()
	ds, err := Scan(t.Context(), o, docs)
	must(t, err)
	return ds
}

// read is what the items of a dataset hold, by what people call them: the class, the part and
// the bytes.
func read(t *testing.T, ds *Dataset) map[string]string {
	t.Helper()
	all := map[string]string{}
	for i := range ds.Items {
		it := &ds.Items[i]
		f, err := os.Open(ds.Roots[it.Root].Dir)
		must(t, err)
		data := make([]byte, it.Stat.Size)
		_, err = f.ReadAt(data, it.Offset)
		f.Close()
		must(t, err)
		if _, ok := all[ds.Display(it)]; ok {
			t.Errorf("two items are called %s", ds.Display(it))
		}
		all[ds.Display(it)] = strings.TrimSpace(fmt.Sprintf("%s %s %s", ds.Class(it), it.Part, data))
	}
	return all
}

func wantRead(t *testing.T, ds *Dataset, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, read(t, ds)); diff != "" {
		t.Error(diff)
	}
}

// docsOf is a cache that holds one dataset.
type docsOf map[string][]byte

func (d docsOf) Doc(name string) ([]byte, error) {
	if doc, ok := d[name]; ok {
		return doc, nil
	}
	return nil, cache.ErrNoDoc
}

func (d docsOf) Docs(prefix string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(d)), func(n string) bool { return !strings.HasPrefix(n, prefix) })
}

func kept(t *testing.T, ds *Dataset, p Purpose) docsOf {
	t.Helper()
	doc, err := ds.Encode()
	must(t, err)
	return docsOf{string(p) + "set": doc}
}

// settle waits until the time of a file proves that it has not changed since.
func settle() { time.Sleep(2 * tick) }

func TestSamplesOfATarHaveTheirClasses(t *testing.T) {
	long := "deep/" + strings.Repeat("long/", 30) + "0003"
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		members := []member{
			{"0001.cls", "7"}, {"0001.jpg", "one"}, {"0001.json", `{"label": "wrong", "split": "val"}`},
			{"0002.png", "two"}, {"0002.json", `{"Label": "8", "caption": "x"}`}, {"0002.txt", "a caption"},
			{"a/0001.webp", "three"}, {"a/0001.cls", " 7\n"},
			{"a/b.c/0005.jpg", "dotted folder"}, {"a/b.c/0005.cls", "8"},
			{"0004.jpg", "nothing is known"}, {"._0004.jpg", "hidden"}, {"__MACOSX/x.jpg", "junk"}, {"notes.md", "x"},
			{"0001.seg.png", "a mask"},
		}
		want := map[string]string{
			"s.tar!0001.jpg": "7  one", "s.tar!0002.png": "8  two", "s.tar!a/0001.webp": "7  three", "s.tar!a/b.c/0005.jpg": "8  dotted folder", "s.tar!0004.jpg": "nothing is known",
		}
		if format != tar.FormatUSTAR {
			members = append(members, member{long + ".jpg", "four"}, member{long + ".cls", "8"}, member{"ö.jpg", "five"}, member{"ö.cls", "7"})
			want["s.tar!"+long+".jpg"], want["s.tar!ö.jpg"] = "8  four", "7  five"
		}
		file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, format, members...))
		ds := scanned(t, Options{Train: file}, nil)
		wantRead(t, ds, want)
		if got := ds.File(&ds.Items[0]); got != file+"!0001.jpg" {
			t.Errorf("the first image is called %s", got)
		}
		if len(ds.Skipped) != 1 || ds.Skipped[".md"] != 1 {
			t.Errorf("skipped %v", ds.Skipped)
		}
	}
}

func TestLabelColumnNamesAMemberOrAField(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, tar.FormatPAX,
		member{"1.jpg", "x"}, member{"1.cls", "0"}, member{"1.txt", "cat"}, member{"1.json", `{"breed": "tom", "who": "p1", "set": "test"}`},
		member{"2.jpg", "y"}, member{"2.cls", "1"}, member{"2.txt", "dog"}, member{"2.json", `{"breed": "pug", "who": "p2", "set": "train"}`}))
	for column, want := range map[string][]string{"": {"0", "1"}, "txt": {"cat", "dog"}, "Breed": {"pug", "tom"}} {
		ds := scanned(t, Options{Train: file, Reading: Reading{Columns: Columns{Label: column, Group: "who", Split: "set"}}}, nil)
		if !slices.Equal(ds.Classes, want) || ds.Items[0].Group != "p1" || ds.Items[0].Part != Test {
			t.Errorf("column %q: classes %v, first item %+v", column, ds.Classes, ds.Items[0])
		}
	}
	_, err := Scan(t.Context(), Options{Train: file, Reading: Reading{Columns: Columns{Label: "race"}}}, nil)
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "breed,set,who") {
		t.Errorf("got %v", err)
	}
}

func TestNumberedClassesHaveTheNamesBesideTheShards(t *testing.T) {
	dir := t.TempDir()
	for part, n := range map[string]int{"train": 2, "test": 1} {
		for i := range n {
			writeFile(t, filepath.Join(dir, part, fmt.Sprintf("%d.tar", i)), tarOf(t, tar.FormatGNU,
				member{fmt.Sprintf("s%d.cls", i), fmt.Sprint(i)}, member{fmt.Sprintf("s%d.jpg", i), "x"}))
		}
		writeFile(t, filepath.Join(dir, part, "nshards.txt"), fmt.Append(nil, n))
	}
	names := writeFile(t, filepath.Join(dir, "classnames.txt"), []byte("tabby cat\npug\n"))
	want := map[string]string{"train/0.tar!s0.jpg": "tabby cat  x", "train/1.tar!s1.jpg": "pug  x", "test/0.tar!s0.jpg": "tabby cat test x"}
	settle()
	ds := scanned(t, Options{Train: dir}, nil)
	wantRead(t, ds, want)
	writeFile(t, names, []byte("tabby cat\ncorgi\n"))
	ds = scanned(t, Options{Train: dir}, kept(t, ds, ForTraining))
	want["train/1.tar!s1.jpg"] = "corgi  x"
	wantRead(t, ds, want)
	writeFile(t, names, []byte("tabby cat"))
	if _, err := Scan(t.Context(), Options{Train: dir}, nil); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "of class 1") {
		t.Errorf("got %v", err)
	}
}

func TestFoldersInATarAreThoseOfADisk(t *testing.T) {
	for name, c := range map[string]struct {
		paths  []string
		layout string
		want   map[string]string // class and part by path; nil is an error
	}{
		"classes":            {paths: []string{"cat/1.jpg", "dog/x/2.jpg"}, want: map[string]string{"cat/1.jpg": "cat", "dog/x/2.jpg": "dog"}},
		"one folder above":   {paths: []string{"set/v1/cat/1.jpg", "set/v1/dog/2.jpg"}, want: map[string]string{"set/v1/cat/1.jpg": "cat", "set/v1/dog/2.jpg": "dog"}},
		"parts":              {paths: []string{"set/train/cat/1.jpg", "set/train/dog/2.jpg", "set/val/cat/3.jpg"}, want: map[string]string{"set/train/cat/1.jpg": "cat", "set/train/dog/2.jpg": "dog", "set/val/cat/3.jpg": "cat val"}},
		"parts as classes":   {paths: []string{"train/cat/1.jpg", "bus/2.jpg"}, layout: LayoutClasses, want: map[string]string{"train/cat/1.jpg": "train", "bus/2.jpg": "bus"}},
		"a class like train": {paths: []string{"train/1.jpg", "bus/2.jpg"}, want: map[string]string{"train/1.jpg": "train", "bus/2.jpg": "bus"}},
		"two readings":       {paths: []string{"train/cat/1.jpg", "bus/2.jpg"}},
		"flat":               {paths: []string{"1.jpg", "2.jpg"}, want: map[string]string{"1.jpg": "", "2.jpg": ""}},
		"dots in names":      {paths: []string{"./cat/IMG.2020.1.jpg", "./cat/IMG.2020.2.jpg", "dog/IMG.jpg"}, want: map[string]string{"cat/IMG.2020.1.jpg": "cat", "cat/IMG.2020.2.jpg": "cat", "dog/IMG.jpg": "dog"}},
	} {
		var members []member
		for _, p := range c.paths {
			members = append(members, member{p, ""})
		}
		file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, tar.FormatPAX, members...))
		ds, err := Scan(t.Context(), Options{Train: file, Reading: Reading{Layout: c.layout}}, nil)
		if c.want == nil {
			if !errors.Is(err, ErrAmbiguous) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		must(t, err)
		want := map[string]string{}
		for p, text := range c.want {
			want["s.tar!"+p] = text
		}
		t.Run(name, func(t *testing.T) { wantRead(t, ds, want) })
	}
}

func TestPatternNamesShards(t *testing.T) {
	for pattern, want := range map[string][]string{
		"a-{000..002}.tar": {"a-000.tar", "a-001.tar", "a-002.tar"}, "{9..11}.tar": {"9.tar", "10.tar", "11.tar"},
		"{x,y}/{0..1}.tar": {"x/0.tar", "x/1.tar", "y/0.tar", "y/1.tar"}, "a{}.tar": {"a.tar"},
	} {
		if got, err := expand(pattern); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", pattern, got, err)
		}
	}
	for _, pattern := range []string{"{2..1}.tar", "{a..c}.tar", "{0..99999999}.tar", "{{1,2},3}.tar", "{1,1}.tar", "{0..-1}.tar", "{0..999}{0..999}.tar", "{1.tar"} {
		if got, err := expand(pattern); !errors.Is(err, ErrData) {
			t.Errorf("%s: %d names, %v", pattern, len(got), err)
		}
	}
	for source, want := range map[string]string{"/a/wds/train-{0..9}.tar": "wds", "/a/cars_{0..9}.tar": "cars", "/a/my{x}photos": "my{x}photos", "/a/{0..9}.tar": "a"} {
		if got := FolderName(source); got != want {
			t.Errorf("%s is called %q", source, got)
		}
	}
	dir := t.TempDir()
	for i := range 3 {
		writeFile(t, filepath.Join(dir, "wds", fmt.Sprintf("train-%03d.tar", i)), tarOf(t, tar.FormatGNU, member{fmt.Sprintf("c%d/1.jpg", i%2), "x"}))
	}
	ds := scanned(t, Options{Train: filepath.Join(dir, "wds", "train-{000..001}.tar"), Val: filepath.Join(dir, "wds", "train-002.tar")}, nil)
	wantRead(t, ds, map[string]string{"train/train-000.tar!c0/1.jpg": "c0  x", "train/train-001.tar!c1/1.jpg": "c1  x", "val/train-002.tar!c0/1.jpg": "c0 val x"})
	if _, err := ds.NameAmong(docsOf{}, ForTraining, ""); err != nil || ds.Name != "wds" {
		t.Errorf("it is called %q, %v", ds.Name, err)
	}
	if missing := ds.Sources.Missing(); missing != "" {
		t.Errorf("%s is missing", missing)
	}
	_, err := Scan(t.Context(), Options{Train: filepath.Join(dir, "wds", "train-{000..003}.tar")}, nil)
	if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "train-003.tar does not exist") {
		t.Errorf("got %v", err)
	}
}

// An archive that has not changed is known from the dataset that the cache keeps.
func TestUnchangedArchivesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "a.tar"), tarOf(t, tar.FormatPAX, member{"cat/1.jpg", "one"}, member{"dog/2.jpg", "two"}, member{"x.heic", ""}))
	writeFile(t, filepath.Join(dir, "b-val.tar"), tarOf(t, tar.FormatPAX, member{"3.cls", "cat"}, member{"3.jpg", "three"}))
	settle()
	o := Options{Train: dir}
	first := scanned(t, o, nil)
	if first.listed != 2 {
		t.Errorf("%d archives opened", first.listed)
	}
	for i := range first.Items {
		first.Items[i].Hash[0] = byte(i + 1)
	}
	docs := kept(t, first, ForTraining)
	warm := scanned(t, o, docs)
	if warm.listed != 0 {
		t.Errorf("%d archives opened again", warm.listed)
	}
	if diff := cmp.Diff([]any{read(t, first), first.Roots, first.Skipped, first.Notes}, []any{read(t, warm), warm.Roots, warm.Skipped, warm.Notes}); diff != "" {
		t.Error(diff)
	}
	if must(t, warm.Recollect(docs, nil)); warm.Items[1].Hash != first.Items[1].Hash {
		t.Error("the content of a member is not remembered")
	}
	if ds := scanned(t, Options{Train: dir, Reading: Reading{Exclude: []string{"raw/"}}}, docs); ds.listed != 2 {
		t.Error("another reading is answered from an old one")
	}
	writeFile(t, file, tarOf(t, tar.FormatPAX, member{"cat/1.jpg", "new"}, member{"dog/2.jpg", "two"}))
	changed := scanned(t, o, docs)
	if must(t, changed.Recollect(docs, nil)); changed.listed != 1 || changed.Items[0].Hashed() {
		t.Errorf("%d archives opened, hash %x", changed.listed, changed.Items[0].Hash[:2])
	}
}

func TestCaptionsAreNoLabels(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, tar.FormatPAX, member{"1.jpg", "x"}, member{"1.txt", "a cat"}, member{"2.jpg", "y"}, member{"2.txt", "a dog"}))
	ds := scanned(t, Options{Train: file}, nil)
	err := ds.Trainable(0)
	if steps := journal.Steps(err); !errors.Is(err, ErrData) || len(steps) != 1 || steps[0].Value != "txt" {
		t.Errorf("%v, %+v", err, steps)
	}
}

// What is excluded has no say in what the folders mean, the first time and later.
func TestExcludedFoldersOfATarHaveNoSay(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, tar.FormatPAX, member{"set/train/cat/1.jpg", ""}, member{"set/train/dog/2.jpg", ""}, member{"set/raw/x/3.jpg", ""}, member{"4.jpg", ""}))
	settle()
	o := Options{Train: file, Reading: Reading{Exclude: []string{"raw/", "4.jpg"}}}
	want := map[string]string{"s.tar!set/train/cat/1.jpg": "cat", "s.tar!set/train/dog/2.jpg": "dog"}
	ds := scanned(t, o, nil)
	wantRead(t, ds, want)
	wantRead(t, scanned(t, o, kept(t, ds, ForTraining)), want)
}

// A stored dataset of an archive is one still where it is a source of another.
func TestStoredArchivesStayArchives(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, tar.FormatPAX, member{"cat/1.jpg", "one"}, member{"dog/2.jpg", "two"}))
	ds := scanned(t, Options{Train: Stored + "set"}, kept(t, scanned(t, Options{Train: file}, nil), ForTraining))
	wantRead(t, ds, map[string]string{"s.tar!cat/1.jpg": "cat  one", "s.tar!dog/2.jpg": "dog  two"})
	if !ds.Archived(&ds.Items[0]) || ds.version() != archiveVersion {
		t.Errorf("roots %+v", ds.Roots)
	}
}

func TestDoublesInATarAreToldApart(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "s.tar"), tarOf(t, tar.FormatGNU, member{"cat/1.jpg", "one"}, member{"cat/1.jpg", "two"}, member{"dog/1.jpg", "x"}))
	wantRead(t, scanned(t, Options{Train: file}, nil), map[string]string{"s.tar!cat/1.jpg": "cat  one", "s.tar!cat/1.jpg@1536": "cat  two", "s.tar!dog/1.jpg": "dog  x"})
}

// A tar that ends anywhere is an error that names the last whole member, or, where nothing
// shows it, a note.
func TestCutTarsAreFound(t *testing.T) {
	t.Parallel()
	whole := tarOf(t, tar.FormatPAX, member{"cat/1.jpg", strings.Repeat("x", 700)}, member{"cat/ö.jpg", "two"}, member{"dog/3.jpg", strings.Repeat("y", 512)})
	file := filepath.Join(t.TempDir(), "s.tar")
	silent := 0
	for n := range len(whole) {
		writeFile(t, file, whole[:n])
		ds, err := Scan(t.Context(), Options{Train: file}, nil)
		switch {
		case err == nil && len(ds.Items) == 3 && len(ds.Notes) == 0:
			if n < len(whole)-1024 {
				t.Errorf("%d of %d bytes pass for a whole tar", n, len(whole))
			}
		case err == nil:
			silent++
			if len(ds.Notes) == 0 || !strings.Contains(ds.Notes[len(ds.Notes)-1].Text+ds.Notes[0].Text, "cut off behind") {
				t.Errorf("%d bytes: %d items, notes %v", n, len(ds.Items), ds.Notes)
			}
		case !errors.Is(err, ErrData):
			t.Errorf("%d bytes: %v is no error of the data", n, err)
		case n == 1500 && !strings.Contains(err.Error(), `cut off behind "cat/1.jpg", its member 1`):
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if silent == 0 || silent > 8 {
		t.Errorf("%d lengths are but noted", silent)
	}
}

func TestTarsThatCannotBeReadAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{"a.tar.gz": "is compressed", "b.tgz": "is compressed", "c.tar": "no sound tar", "d.tar": "no image"} {
		file := writeFile(t, filepath.Join(dir, name), bytes.Repeat([]byte("no tar"), 200))
		if name == "d.tar" {
			writeFile(t, file, tarOf(t, tar.FormatGNU, member{"a.md", ""}))
		}
		if _, err := Scan(t.Context(), Options{Train: file}, nil); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What other programs pack is read: GNU tar in each of its forms, and Python's tarfile.
func TestTarsOfOtherProgramsAreRead(t *testing.T) {
	dir := t.TempDir()
	deep := strings.Repeat("folder/", 20)
	for name, text := range map[string]string{"cat/1.jpg": "one", "dog/" + deep + "2.jpg": "two", "dog/ü.jpg": "three"} {
		writeFile(t, filepath.Join(dir, "in", filepath.FromSlash(name)), []byte(text))
	}
	want := map[string]string{"s.tar!cat/1.jpg": "cat  one", "s.tar!dog/" + deep + "2.jpg": "dog  two", "s.tar!dog/ü.jpg": "dog  three"}
	file := filepath.Join(dir, "s.tar")
	packed := 0
	try := func(program string, args ...string) {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Logf("%s is not there: not tried", program)
			return
		}
		if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
			t.Logf("%s %v: %v: %s", program, args, err, out)
			return
		}
		packed++
		t.Run(program+" "+args[0], func(t *testing.T) { wantRead(t, scanned(t, Options{Train: file}, nil), want) })
	}
	for _, form := range []string{"gnu", "oldgnu", "pax", "posix", "ustar"} {
		try("tar", "--format="+form, "-C", filepath.Join(dir, "in"), "-cf", file, ".")
	}
	for _, form := range []string{"USTAR", "GNU", "PAX"} {
		try("python3", "-c", "import sys, tarfile\nwith tarfile.open(sys.argv[1], 'w', format=tarfile."+form+"_FORMAT) as t: t.add(sys.argv[2], '.')", file, filepath.Join(dir, "in"))
	}
	if packed == 0 {
		t.Skip("neither tar nor python3 is there")
	}
	sparse := filepath.Join(dir, "in", "cat", "hole.jpg")
	writeFile(t, sparse, nil)
	must(t, os.Truncate(sparse, 1<<20))
	if out, err := exec.CommandContext(t.Context(), "tar", "-S", "-C", filepath.Join(dir, "in"), "-cf", file, ".").CombinedOutput(); err != nil {
		t.Skipf("no GNU tar: %s", out)
	}
	if _, err := Scan(t.Context(), Options{Train: file}, nil); !errors.Is(err, ErrData) || !strings.Contains(err.Error(), "stored with holes") {
		t.Errorf("a sparse member: %v", err)
	}
}

func TestPoolsTakeImagesOfArchives(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "s.tar"), tarOf(t, tar.FormatGNU, member{"1.cls", "cat"}, member{"1.jpg", "one"}, member{"2.jpg", "two"}))
	settle()
	for _, p := range []Place{{Path: file, Name: "s.tar"}, {Path: file}, {Path: dir}} {
		ds, err := Pool(t.Context(), []Place{p}, Reading{}, nil)
		must(t, err)
		wantRead(t, ds, map[string]string{"s.tar!1.jpg": "one", "s.tar!2.jpg": "two"})
		again, err := Pool(t.Context(), []Place{p}, Reading{}, kept(t, ds, ForPrediction))
		must(t, err)
		if again.listed != 0 {
			t.Error("the tar is opened again")
		}
	}
}

// FuzzTar scans whatever bytes as a tar: what is read of it comes back from its document and,
// where it has not changed, from there.
func FuzzTar(f *testing.F) {
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		f.Add(tarOf(f, format, member{"1.cls", "0"}, member{"1.jpg", "x"}, member{"train/cat/2.jpg", ""}, member{"3.json", `{"label": "a", "split": "test"}`}, member{"3.png", "y"}))
		f.Add(tarOf(f, format, member{"a/b/1.jpg", "x"}, member{"a/c/1.jpg", "x"}, member{"a/c/1.jpg", "z"}))
	}
	file := filepath.Join(f.TempDir(), "s.tar")
	f.Fuzz(func(t *testing.T, data []byte) {
		must(t, os.WriteFile(file, data, 0o644))
		ds, err := Scan(t.Context(), Options{Train: file}, nil)
		if err != nil {
			if !errors.Is(err, ErrData) {
				t.Fatalf("%v is no error of the data", err)
			}
			return
		}
		_ = ds.Trainable(0)
		wantSameDocument(t, ds)
	})
}
