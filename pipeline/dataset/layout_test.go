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

	"icebox/pipeline/journal"
)

// jpegHead begins every JPEG file.
const jpegHead = "\xff\xd8\xff\xe0 and so on"

// scanTree scans a tree of files; want is its listing, and notes are parts of what the
// scan must say.
type scanTree struct {
	name    string
	files   []string
	content map[string]string // of files with a content of their own
	reading Reading
	want    []string
	notes   []string
}

func (c scanTree) run(t *testing.T) {
	dir := tree(t, c.files...)
	for name, text := range c.content {
		p := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, []byte(text), 0o644))
	}
	ds, err := Scan(context.Background(), Options{Train: dir, Reading: c.reading}, nil)
	must(t, err)
	if diff := cmp.Diff(c.want, listing(ds)); diff != "" {
		t.Error(diff)
	}
	said := fmt.Sprint(ds.Notes)
	for _, n := range c.notes {
		if !strings.Contains(said, n) {
			t.Errorf("nothing says %q: %v", n, said)
		}
	}
	if len(c.notes) == 0 && len(ds.Notes) > 0 {
		t.Errorf("there is nothing to say: %v", said)
	}
}

func TestJunkAndOwnFoldersArePassedOver(t *testing.T) {
	two := []string{"cat/a.jpg cat ", "dog/a.jpg dog "}
	for _, c := range []scanTree{
		{name: "storage boxes", files: []string{"cat/a.jpg", "cat/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "dog/a.jpg", "dog/@EADIR/a.jpg/x.jpg", "#recycle/b.jpg"},
			want: two, notes: []string{"passed over: 3 folders and files"}},
		{name: "Windows and macOS", files: []string{"cat/a.jpg", "cat/Thumbs.db", "dog/a.jpg", "$RECYCLE.BIN/b.jpg", "System Volume Information/x.jpg", "__MACOSX/cat/b.jpg", ".Trash-1000/c.jpg", "lost+found/"},
			want: two, notes: []string{"such as $RECYCLE.BIN"}},
		{name: "junk beside parts", files: []string{"train/cat/a.jpg", "val/cat/b.jpg", "__MACOSX/x.jpg"},
			want: []string{"train/cat/a.jpg cat ", "val/cat/b.jpg cat val"}, notes: []string{"such as __MACOSX"}},
		{name: "runs of icebox", files: []string{"cat/a.jpg", "dog/a.jpg", "runs/1-x/head.safetensors", "runs/1-x/config.yaml", "runs/1-x/plot.png", "runs/2-x.partial/config.yaml", "runs/2-x.partial/metrics.jsonl"},
			want: two, notes: []string{"that icebox wrote (such as runs)"}},
		{name: "one run, features and a quickstart", files: []string{"cat/a.jpg", "dog/a.jpg", "best/head.safetensors", "best/report.json", "icebox-quickstart/pictures.json", "icebox-quickstart/images/train/x/1.png", "out/features.npy", "out/labels.npy"},
			want: two, notes: []string{"3 folders and files that icebox wrote (such as best)"}},
		{name: "a run within a class", files: []string{"cat/a.jpg", "dog/a.jpg", "dog/run/head.safetensors", "dog/run/config.yaml", "dog/run/plot.png"},
			want: two, notes: []string{"such as dog/run"}},
		{name: "caches", files: []string{"cat/a.jpg", "dog/a.jpg"}, content: map[string]string{"cache/features.db": "0123456789abcdef\xed\xda\x0c\xed", "cat/f.db": "0123456789abcdef\xed\xda\x0c\xed", "cat/f.db.lock": ""},
			want: two, notes: []string{"3 folders and files that icebox wrote (such as cache)"}},
		{name: "excluded", files: []string{"cat/a.jpg", "cat/a_mask.jpg", "dog/a.jpg", "dog/raw/b.jpg", "mess/c.jpg"}, reading: Reading{Exclude: []string{"*_mask.*", "raw/", "/mess"}},
			want: two, notes: []string{"3 folders and files that are excluded"}},
		{name: "a class that begins like junk", files: []string{"#1/a.jpg", "@home/a.jpg"}, want: []string{"#1/a.jpg #1 ", "@home/a.jpg @home "}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestGlobsAreThoseOfGitignore(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		rel      string
		folder   bool
		want     bool
	}{
		{[]string{"*.tmp"}, "a/b/c.tmp", false, true},
		{[]string{"a/*.tmp"}, "a/b/c.tmp", false, false},
		{[]string{"a/**/c.tmp"}, "a/c.tmp", false, true},
		{[]string{"a/**/c.tmp"}, "a/x/y/c.tmp", false, true},
		{[]string{"**/y/*"}, "a/x/y/c.tmp", false, true},
		{[]string{"raw/"}, "raw", false, false},
		{[]string{"raw/"}, "x/raw", true, true},
		{[]string{"/raw"}, "x/raw", true, false},
		{[]string{"*.jpg", "!keep.jpg"}, "x/keep.jpg", false, false},
		{[]string{"*.jpg", "!keep.jpg"}, "x/lose.jpg", false, true},
		{nil, "x", true, false},
	} {
		e, err := newExclusion(c.patterns)
		must(t, err)
		if got := e.excludes(c.rel, c.folder); got != c.want {
			t.Errorf("%v on %s (folder %v): %v", c.patterns, c.rel, c.folder, got)
		}
	}
	for _, bad := range []string{"[a", "a//b", ""} {
		if err := (Options{Reading: Reading{Exclude: []string{bad}}}).Validate(); err == nil {
			t.Errorf("%q is taken for a pattern", bad)
		}
	}
}

func TestPartsAreKnownByTheirNames(t *testing.T) {
	for _, c := range []scanTree{
		{name: "a labelled train beside a flat test", files: []string{"train/cat/a.jpg", "train/dog/a.jpg", "test/1.jpg", "test/2.jpg"},
			want:  []string{"train/cat/a.jpg cat ", "train/dog/a.jpg dog ", "test/1.jpg  test", "test/2.jpg  test"},
			notes: []string{"2 images in test have no label"}},
		{name: "names of Hugging Face", files: []string{"Training/cat/a.jpg", "dev/cat/b.jpg", "evaluation/cat/c.jpg"},
			want: []string{"Training/cat/a.jpg cat ", "dev/cat/b.jpg cat val", "evaluation/cat/c.jpg cat test"}},
		{name: "names with more than the part", files: []string{"train_images/cat/a.jpg", "images-val/cat/b.jpg", "test2017/cat/c.jpg"},
			want: []string{"train_images/cat/a.jpg cat ", "images-val/cat/b.jpg cat val", "test2017/cat/c.jpg cat test"}},
		{name: "names of classes that sound like parts", files: []string{"train_station/x/a.jpg", "test_tube/y/a.jpg"},
			want:  []string{"test_tube/y/a.jpg test_tube ", "train_station/x/a.jpg train_station "},
			notes: []string{"the classes are the outer folders"}},
		{name: "flat folders of classes that are called like parts", files: []string{"train_1/a.jpg", "test_1/a.jpg"},
			want: []string{"test_1/a.jpg test_1 ", "train_1/a.jpg train_1 "}},
		{name: "an empty part", files: []string{"train/cat/a.jpg", "test/"},
			want: []string{"train/cat/a.jpg cat "}, notes: []string{`no image in "test"`}},
		{name: "a folder without images beside parts", files: []string{"train/cat/a.jpg", "test/cat/b.jpg", "docs/readme.md"},
			want:  []string{"train/cat/a.jpg cat ", "test/cat/b.jpg cat test"},
			notes: []string{`"docs" in `}},
		{name: "parts are chosen", files: []string{"train/cat/a.jpg", "test/1.jpg", "extra/x.jpg"}, reading: Reading{Layout: LayoutParts},
			want:  []string{"train/cat/a.jpg cat ", "test/1.jpg  test"},
			notes: []string{`"extra" in `}},
		{name: "classes are chosen", files: []string{"train/cat/a.jpg", "plane/a.jpg"}, reading: Reading{Layout: LayoutClasses},
			want: []string{"plane/a.jpg plane ", "train/cat/a.jpg train "}},
	} {
		t.Run(c.name, c.run)
	}
}

// An explicit source without labels is told of, too, and takes no part from the split.
func TestAFlatSourceOfAPartHasNoLabels(t *testing.T) {
	dir := tree(t, "a/cat/1.jpg", "a/dog/1.jpg", "b/2.jpg")
	ds, err := Scan(context.Background(), Options{Train: filepath.Join(dir, "a"), Val: filepath.Join(dir, "b")}, nil)
	must(t, err)
	if diff := cmp.Diff([]string{"train/cat/1.jpg cat ", "train/dog/1.jpg dog ", "val/2.jpg  val"}, listing(ds)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(fmt.Sprint(ds.Notes), "have no label") {
		t.Errorf("nobody says so: %v", ds.Notes)
	}
	if got := (Split{Val: 0.5}).Effective(ds); got.Val != 0.5 {
		t.Errorf("images without a label stand for validation: %v", got)
	}
}

func TestTwoReadingsStopTheScan(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		says  []string
		steps []string
	}{
		{"flat train and test", []string{"train/a.jpg", "test/a.jpg"}, []string{`"test", "train"`, "they are parts whose images have no label, or they are the classes"},
			[]string{"Data.Reading.Layout = parts", "Data.Reading.Layout = classes"}},
		{"flat train and test beside a table", []string{"train/a.jpg", "test/a.jpg", "labels.csv", "sample_submission.csv"}, []string{`"test", "train"`},
			[]string{"Data.Reading.Layout = parts", "Data.Reading.Layout = classes", "Data.Train = DIR/labels.csv"}},
		{"parts beside a class", []string{"train/cat/a.jpg", "test/cat/a.jpg", "plane/a.jpg"}, []string{`"test", "train"`, `"plane"`, "the parts are meant and the others are not, or all are classes"},
			[]string{"Data.Reading.Layout = parts", "Data.Reading.Layout = classes"}},
		{"two folders of one part", []string{"train/cat/a.jpg", "val/cat/a.jpg", "valid/cat/b.jpg"}, []string{`"val", "valid"`, "part val"},
			[]string{"Data.Val = DIR/val", "Data.Val = DIR/valid"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, c.files...)
			_, err := Scan(context.Background(), Options{Train: dir}, nil)
			if !errors.Is(err, ErrAmbiguous) || !errors.Is(err, ErrData) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %s", err, want)
				}
			}
			var steps []string
			for _, s := range journal.Steps(err) {
				steps = append(steps, filepath.ToSlash(strings.ReplaceAll(s.String(), dir, "DIR")))
			}
			if diff := cmp.Diff(c.steps, steps); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFoldersAboveAndBelowTheClasses(t *testing.T) {
	for _, c := range []scanTree{
		{name: "one folder holds the class folders", files: []string{"data/images/cat/a.jpg", "data/images/dog/a.jpg", "data/readme.md"},
			want: []string{"data/images/cat/a.jpg cat ", "data/images/dog/a.jpg dog "}, notes: []string{"data/images is the only folder with data"}},
		{name: "one folder holds the parts", files: []string{"data/train/cat/a.jpg", "data/val/cat/b.jpg", "LICENSE.txt"},
			want: []string{"data/train/cat/a.jpg cat ", "data/val/cat/b.jpg cat val"}, notes: []string{"data is the only folder with data"}},
		{name: "an empty class folder", files: []string{"bird/", "cat/a.jpg", "dog/a.jpg"},
			want: []string{"cat/a.jpg cat ", "dog/a.jpg dog "}, notes: []string{`no image in "bird"`}},
		{name: "nested class folders", files: []string{"cat/indoor/2020/a.jpg", "dog/outdoor/a.jpg"},
			want: []string{"cat/indoor/2020/a.jpg cat ", "dog/outdoor/a.jpg dog "}, notes: []string{"the classes are the outer folders (such as \"cat\")"}},
		{name: "nested class folders with equal names", files: []string{"site1/cat/a.jpg", "site1/dog/a.jpg", "site2/cat/a.jpg", "site2/dog/a.jpg"},
			want:  []string{"site1/cat/a.jpg site1 ", "site1/dog/a.jpg site1 ", "site2/cat/a.jpg site2 ", "site2/dog/a.jpg site2 "},
			notes: []string{`each holds the same folders ("cat", "dog")`}},
		{name: "some nested", files: []string{"cat/more/a.jpg", "dog/a.jpg"}, want: []string{"cat/more/a.jpg cat ", "dog/a.jpg dog "}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestFormatsAreToldByContent(t *testing.T) {
	for _, c := range []scanTree{
		{name: "other endings of JPEG and BMP", files: []string{"cat/a.jfif", "cat/b.JPE", "cat/c.jif", "dog/a.pjpeg", "dog/b.dib"},
			want: []string{"cat/a.jfif cat ", "cat/b.JPE cat ", "cat/c.jif cat ", "dog/a.pjpeg dog ", "dog/b.dib dog "}},
		{name: "no ending, and a wrong one", files: []string{"cat/a.jpg", "dog/notes"}, content: map[string]string{"dog/a": jpegHead, "dog/b.jpg_large": jpegHead},
			want: []string{"cat/a.jpg cat ", "dog/a dog ", "dog/b.jpg_large dog "}, notes: []string{"left out that are no image icebox reads: 1 without an ending"}},
		{name: "phones", files: []string{"cat/a.jpg", "dog/a.jpg", "dog/b.HEIC", "c.avif"},
			want: []string{"cat/a.jpg cat ", "dog/a.jpg dog "}, notes: []string{"1 .avif, 1 .heic"}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	dir := tree(t, "cat/a.jpg", "cat/b.heic", "cat/c.HEIC", "cat/n.txt", "cat/x", "dog/a.jpg")
	ds, err := Scan(context.Background(), Options{Train: dir}, nil)
	must(t, err)
	want := Skipped{".heic": 2, ".txt": 1, "": 1}
	if diff := cmp.Diff(want, ds.Skipped); diff != "" {
		t.Error(diff)
	}
	last := ds.Notes[len(ds.Notes)-1]
	if len(last.Steps) != 1 || last.Steps[0].Do != journal.Convert {
		t.Errorf("nothing helps against HEIC: %v", last)
	}
	paths, skipped, err := ImagesBelow(context.Background(), dir)
	must(t, err)
	if diff := cmp.Diff(want, skipped); diff != "" || len(paths) != 2 {
		t.Errorf("%v %s", paths, diff)
	}
	_, err = Scan(context.Background(), Options{Train: tree(t, "cat/a.heic", "dog/a.heic")}, nil)
	if steps := journal.Steps(err); len(steps) != 1 || steps[0].Do != journal.Convert {
		t.Errorf("only HEIC: try %v", steps)
	}
	if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "1 .heic") {
		t.Errorf("only HEIC: %v", err)
	}
}

// A scan of ordinary files opens none of them.
func TestOrdinaryFilesAreNotOpened(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("skipped: root may read everything")
	}
	dir := tree(t, "cat/a.jpg", "cat/a.xml", "dog/a.jfif")
	for _, name := range []string{"cat/a.jpg", "cat/a.xml", "dog/a.jfif"} {
		must(t, os.Chmod(filepath.Join(dir, filepath.FromSlash(name)), 0))
	}
	ds, err := Scan(context.Background(), Options{Train: dir}, nil)
	must(t, err)
	if len(ds.Items) != 2 {
		t.Errorf("%v", listing(ds))
	}
}
