package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/pipeline/runs"
	"icebox/pipeline/thumbs"
)

// pageIn reads the page of a run and counts the pictures in it.
func pageIn(t *testing.T, dir string) (text string, pictures int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, runs.PageFile))
	must(t, err)
	return string(data), strings.Count(string(data), "data:image/jpeg;base64,")
}

func TestRunsDrawPages(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 3, 12)
	o := ready(t, settings(dir))
	cold, err := Run(ctx, o, Silent)
	must(t, err)
	text, pictures := pageIn(t, *cold.RunDir)
	if pictures == 0 || !strings.Contains(text, "of 6 test images are right") {
		t.Errorf("%d pictures in the page of a run that opened the images", pictures)
	}

	// Without the images, the pictures are there.
	must(t, os.RemoveAll(dir))
	warm, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if _, again := pageIn(t, *warm.RunDir); again == 0 || warm.ImagesOpened != 0 {
		t.Errorf("%d pictures, %d images opened", again, warm.ImagesOpened)
	}
	s, err := DrawPage(ctx, *warm.RunDir, o, Choice{}, 0.9, Silent)
	must(t, err)
	text, pictures = pageIn(t, *warm.RunDir)
	if s.Opened != 0 || s.Pictures != pictures || pictures == 0 || s.Bytes != len(text) {
		t.Errorf("%+v of a page with %d pictures and %d bytes", s, pictures, len(text))
	}
	for _, id := range []string{"labels", "copies", "map"} {
		if !strings.Contains(text, `id="`+id+`"`) {
			t.Errorf("the page has no section %s", id)
		}
	}

	// So has an evaluation, if somebody wants it.
	file := filepath.Join(t.TempDir(), "eval.html")
	e, err := Eval(ctx, EvalOptions{Run: *warm.RunDir, Page: file}, withoutData(o), Silent)
	must(t, err)
	drawn, err := os.ReadFile(file)
	must(t, err)
	if e.Page != file || !strings.Contains(string(drawn), "of 6 test images are right") || !strings.Contains(string(drawn), "data:image/jpeg") {
		t.Errorf("the page of an evaluation: %.200s", drawn)
	}

	// Whoever wants none gets none.
	o.Pictures = false
	bare, err := Train(ctx, o, Choice{}, Silent)
	must(t, err)
	if _, n := pageIn(t, *bare.RunDir); n != 0 {
		t.Errorf("%d pictures that nobody wanted", n)
	}
}

// A picture is of the image that the feature is of: a file that has changed since, or is
// gone, has none. One that cannot be kept is no fault.
func TestPicturesAreOfTheImagesThatWereSeen(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 10)
	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	must(t, os.Remove(thumbs.Path(o.Cache.Path)))
	must(t, os.Mkdir(thumbs.Path(o.Cache.Path), 0o755)) // nothing can be kept
	for i := range 10 {
		if path := filepath.Join(dir, "class0", []string{"00", "00"}[i%2]+string(rune('0'+i))+[]string{".jpg", ".png"}[i%2]); i%2 == 0 {
			must(t, os.Remove(path))
		} else {
			writePicture(t, path, 0, 900+i)
		}
	}
	s, err := DrawPage(ctx, *run.RunDir, o, Choice{}, 0.9, Silent)
	must(t, err)
	text, pictures := pageIn(t, *run.RunDir)
	if pictures == 0 || s.Pictures > 10 || s.Opened != pictures {
		t.Errorf("%d pictures, %+v", pictures, s)
	}
	if !strings.Contains(text, `class="pic none"`) {
		t.Error("there is no tile for an image without a picture")
	}
}

// Cards show where their evidence lies. Maps are kept as the small pictures are, and a head
// that has none has a page all the same.
func TestCardsShowTheirEvidence(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 12)
	for i := range 4 { // under the wrong class
		name := fmt.Sprintf("%03d.png", 2*i+1)
		must(t, os.Rename(filepath.Join(dir, "class0", name), filepath.Join(dir, "class1", "wrong"+name)))
	}
	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	maps := func() int {
		text, _ := pageIn(t, *run.RunDir)
		return strings.Count(text, "<figcaption>evidence</figcaption>")
	}
	first, err := DrawPage(ctx, *run.RunDir, o, Choice{}, 0.9, Silent)
	must(t, err)
	drawn := maps()
	if drawn == 0 || first.Opened < drawn {
		t.Errorf("%d maps, %d images opened", drawn, first.Opened)
	}
	must(t, os.RemoveAll(dir))
	again, err := DrawPage(ctx, *run.RunDir, o, Choice{}, 0.9, Silent)
	must(t, err)
	if n := maps(); n != drawn || again.Opened != 0 {
		t.Errorf("%d maps where there were %d, %d images opened", n, drawn, again.Opened)
	}
}

func TestNoPageOfNoRun(t *testing.T) {
	if _, err := DrawPage(context.Background(), t.TempDir(), Default(), Choice{}, 0.9, Silent); err == nil {
		t.Error("a page was drawn of an empty folder")
	}
}
