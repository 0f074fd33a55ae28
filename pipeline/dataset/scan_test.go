package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files (and, for names ending in '/', folders) below a new folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		p := filepath.Join(dir, filepath.FromSlash(n))
		if strings.HasSuffix(n, "/") {
			must(t, os.MkdirAll(p, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, []byte(n), 0o644))
	}
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listing is path:class:part of every item.
func listing(ds *Dataset) []string {
	var lines []string
	for i := range ds.Items {
		it := &ds.Items[i]
		lines = append(lines, ds.Display(it)+" "+ds.Class(it)+" "+it.Part.String())
	}
	return lines
}

func TestScanUnderstandsLayouts(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		data  func(dir string) Options
		want  []string
	}{
		{
			"class folders", []string{"cat/b.jpg", "cat/a.JPG", "cat/more/c.png", "dog/a.webp", "dog/notes.txt", ".git/x.jpg", "dog/.hidden.jpg", ".ipynb_checkpoints/a.jpg", "stray.jpg"},
			func(dir string) Options { return Options{Train: dir} },
			[]string{"cat/a.JPG cat ", "cat/b.jpg cat ", "cat/more/c.png cat ", "dog/a.webp dog "},
		},
		{
			"a folder that holds the parts", []string{"train/cat/a.jpg", "train/dog/a.jpg", "val/cat/b.jpg", "test/dog/c.jpg"},
			func(dir string) Options { return Options{Train: dir} },
			[]string{"train/cat/a.jpg cat ", "train/dog/a.jpg dog ", "val/cat/b.jpg cat val", "test/dog/c.jpg dog test"},
		},
		{
			"a class may be called train", []string{"train/a.jpg", "plane/a.jpg"},
			func(dir string) Options { return Options{Train: dir} },
			[]string{"plane/a.jpg plane ", "train/a.jpg train "},
		},
		{
			"classes called train and test, without folders in them", []string{"train/a.jpg", "test/a.jpg"},
			func(dir string) Options { return Options{Train: dir, Reading: Reading{Layout: LayoutClasses}} },
			[]string{"test/a.jpg test ", "train/a.jpg train "},
		},
		{
			"named parts", []string{"a/cat/1.jpg", "a/dog/1.jpg", "b/dog/1.jpg"},
			func(dir string) Options {
				return Options{Train: filepath.Join(dir, "a"), Test: filepath.Join(dir, "b")}
			},
			[]string{"train/cat/1.jpg cat ", "train/dog/1.jpg dog ", "test/dog/1.jpg dog test"},
		},
		{
			"a flat folder", []string{"b.png", "a.gif", "readme.md"},
			func(dir string) Options { return Options{Train: dir} },
			[]string{"a.gif  ", "b.png  "},
		},
		{
			"classes sort bytewise", []string{"10/a.jpg", "9/a.jpg", "B/a.jpg", "a/a.jpg"},
			func(dir string) Options { return Options{Train: dir} },
			[]string{"10/a.jpg 10 ", "9/a.jpg 9 ", "B/a.jpg B ", "a/a.jpg a "},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ds, err := Scan(context.Background(), c.data(tree(t, c.files...)), nil)
			must(t, err)
			if diff := cmp.Diff(c.want, listing(ds)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScanReadsManifests(t *testing.T) {
	dir := tree(t, "img/a.jpg", "img/b.jpg", "img/c.jpg")
	file := filepath.Join(dir, "set.csv")
	must(t, os.WriteFile(file, []byte("\ufeffimage_path,Label,split,group\nimg/a.jpg,cat,train,p1\nimg/b.jpg,dog,val,\n"+filepath.Join(dir, "img/c.jpg")+",,,p1\n"), 0o644))
	ds, err := Scan(context.Background(), Options{Train: file}, nil)
	must(t, err)
	want := []string{"img/a.jpg cat ", "img/b.jpg dog val", "img/c.jpg  "}
	if diff := cmp.Diff(want, listing(ds)); diff != "" {
		t.Error(diff)
	}
	if ds.Items[0].Group != "p1" || ds.Items[2].Label != Unlabelled {
		t.Errorf("group %q, label %d", ds.Items[0].Group, ds.Items[2].Label)
	}
}

func TestScanSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		csv   string
		sub   string // of the folder, to scan
		want  string
	}{
		{"missing folder", nil, "", "nowhere", "nowhere does not exist"},
		{"empty folder", nil, "", "", "no image in"},
		{"class without an image", []string{"cat/a.jpg", "dog/"}, "", "", `class "dog" holds no image`},
		{"no folder and no manifest", []string{"a.md"}, "", "a.md", "neither a folder nor a table (.csv, .tsv, .txt, .jsonl or .ndjson)"},
		{"manifest without a path", nil, "name,label\n", "set.csv", "has no column path"},
		{"manifest with a wrong split", nil, "path,split\na.jpg,training\nb.jpg,devel\n", "set.csv", `set.csv:3: split "devel" is not train, val or test`},
		{"class of files that are not read", []string{"cat/a.jpg", "dog/a.heic", "dog/b.HEIC"}, "", "", "2 .heic"},
		{"class name with a line break", []string{"cat/a.jpg", "do\ng/a.jpg"}, "", "", "control character"},
		{"manifest with an item twice", nil, "path,label\na.jpg,x\nb.jpg,x\n./a.jpg,y\n", "set.csv", "set.csv:4: ./a.jpg stands in line 2 already"},
		{"manifest with a short line", nil, "path,label\na.jpg\n", "set.csv", "wrong number of fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, c.files...)
			if c.csv != "" {
				must(t, os.WriteFile(filepath.Join(dir, "set.csv"), []byte(c.csv), 0o644))
			}
			_, err := Scan(context.Background(), Options{Train: filepath.Join(dir, c.sub)}, nil)
			if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ErrData with %q", err, c.want)
			}
		})
	}
}

func TestScanFollowsLinksAndNoticesLoops(t *testing.T) {
	dir := tree(t, "cat/a.jpg", "dog/b.jpg")
	elsewhere := tree(t, "c.jpg")
	if err := os.Symlink(elsewhere, filepath.Join(dir, "dog", "linked")); err != nil {
		t.Skipf("skipped: no symbolic links here: %v", err)
	}
	must(t, os.Symlink(dir, filepath.Join(dir, "cat", "loop")))
	must(t, os.Symlink(filepath.Join(dir, "gone.jpg"), filepath.Join(dir, "cat", "dangling.jpg")))
	ds, err := Scan(context.Background(), Options{Train: dir}, nil)
	must(t, err)
	want := []string{"cat/a.jpg cat ", "cat/dangling.jpg cat ", "dog/b.jpg dog ", "dog/linked/c.jpg dog "}
	if diff := cmp.Diff(want, listing(ds)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(fmt.Sprint(ds.Notes), "leads back") {
		t.Errorf("the loop was not noticed: %v", ds.Notes)
	}
}

func TestTrainableNamesWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{"a/1.jpg"}, `one class "a"`},
		{[]string{"1.jpg", "2.jpg"}, "has no labels"},
		{[]string{"train/a/1.jpg", "train/b/1.jpg", "val/c/1.jpg"}, `no training image of class "c"`},
		{[]string{"train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg"}, ""},
	} {
		ds, err := Scan(context.Background(), Options{Train: tree(t, c.files...)}, nil)
		must(t, err)
		err = ds.Trainable(0)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrData) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: got %v, want %q", c.files, err, c.want)
		}
	}
}

// Twenty folders, each with two links to the next, are a million ways to one image.
func TestLinksThatMeetAgainAreFollowedOnce(t *testing.T) {
	dir := tree(t, "cat/0.jpg", "dog/0.jpg", "cat/deep/end.jpg")
	below := filepath.Join(dir, "cat", "deep")
	for i := range 20 {
		level := filepath.Join(t.TempDir(), fmt.Sprint("level", i))
		must(t, os.Mkdir(level, 0o755))
		for _, name := range []string{"a", "b"} {
			if err := os.Symlink(below, filepath.Join(level, name)); err != nil {
				t.Skipf("skipped: links cannot be made here: %v", err)
			}
		}
		below = level
	}
	must(t, os.Symlink(below, filepath.Join(dir, "dog", "many")))
	ds, err := Scan(context.Background(), Options{Train: dir}, nil)
	must(t, err)
	if len(ds.Items) > 4 {
		t.Errorf("%d items: %v", len(ds.Items), listing(ds)[:4])
	}
}
