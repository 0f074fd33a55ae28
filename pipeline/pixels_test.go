package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
)

// putFile makes a file that is old enough to be remembered.
func putFile(t *testing.T, path string, data []byte) {
	t.Helper()
	writeFile(t, path, data)
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
}

// cutOff shortens an image file.
func cutOff(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	putFile(t, path, data[:len(data)*3/4])
}

// prepared is o with images prepared otherwise than usual.
func prepared(o Options, fit, background, truncated string) Options {
	o.Extract.Fit, o.Extract.Background, o.Extract.Truncated = fit, background, truncated
	return o
}

// described is what is said of a space of the cache at path.
func described(t *testing.T, path, space string) string {
	t.Helper()
	c, err := cache.Open(path, cache.Options{})
	must(t, err)
	defer c.Close()
	for _, s := range c.Spaces() {
		if s.ID == space {
			text, err := features.DescribeSpace(s.Space)
			must(t, err)
			return text
		}
	}
	return ""
}

func TestFeaturesPreparedOtherwiseAreKeptApart(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 6)))
	usual, err := Extract(ctx, o, Silent)
	must(t, err)
	for _, c := range []struct {
		field, says string
		o           Options
	}{
		{"Extract.Fit", "fit squash", prepared(o, extract.Squash, "", extract.Refuse)},
		{"Extract.Fit", "fit pad", prepared(o, extract.Pad, "", extract.Refuse)},
		{"Extract.Background", "background white", prepared(o, extract.Crop, "white", extract.Refuse)},
		{"Extract.Truncated", "truncated images: accept", prepared(o, extract.Crop, "", extract.Accept)},
	} {
		named := Choice{Made: []string{c.field}}
		if _, err := Train(ctx, c.o, named, Silent); !errors.Is(err, features.ErrNotExtracted) || !strings.Contains(err.Error(), "("+c.says+")") {
			t.Errorf("%s, not extracted: %v", c.says, err)
		}
		sum, err := Extract(ctx, c.o, Silent)
		must(t, err)
		if sum.Space == usual.Space || sum.Hits != 0 || sum.Computed != 12 {
			t.Errorf("%s: %+v", c.says, sum)
		}
		if got, want := described(t, o.Cache.Path, sum.Space), "fp32, "+strings.Replace(c.says, "white", "#ffffff", 1)+", weights random:7"; !strings.HasPrefix(got, want) {
			t.Errorf("the space is described as %q, want %q", got, want)
		}
		for want, o := range map[string]Options{sum.Space: c.o, usual.Space: o} {
			got, err := Train(ctx, o, Choice{Made: MadeBy()}, Silent)
			must(t, err)
			if got.Space != want {
				t.Errorf("%s: trained on space %.8s, want %.8s", c.says, got.Space, want)
			}
		}
	}
}

// Whoever asks a head need not know how the images were prepared that it learned from.
func TestAHeadIsAskedAboutImagesPreparedAsItsOwn(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 10)
	cut := filepath.Join(dir, "class0", "000.jpg")
	cutOff(t, cut)
	usual := settings(dir)
	run, err := Run(ctx, ready(t, prepared(usual, extract.Pad, "#12ab9f", extract.Accept)), Silent)
	must(t, err)
	if run.Quarantined != 0 || run.Seen.Truncated != 1 {
		t.Errorf("%+v", run.Summary)
	}
	evaluated, err := Eval(ctx, EvalOptions{Run: *run.RunDir}, usual, Silent)
	must(t, err)
	if evaluated.Summary.Space != run.Space {
		t.Errorf("judged on space %.8s, trained on %.8s", evaluated.Summary.Space, run.Space)
	}
	rows, sum := scored(t, *run.RunDir, usual, dataset.Place{Path: dir})
	if sum.Hits != 20 || sum.ImagesOpened != 0 || sum.Space != run.Space {
		t.Errorf("%d rows, %+v", len(rows), sum)
	}
	p, err := OpenPredictor(ctx, *run.RunDir, usual)
	must(t, err)
	defer p.Close()
	if got, want := p.x.Fingerprint().Preprocess, (extract.Options{Fit: extract.Pad, Background: "#12ab9f", Truncated: extract.Accept}).Preprocess(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Why an image is bad is remembered of a space: in another one it may be good.
func TestAnImageThatEndsEarlyIsTriedAgainWhereThatIsAccepted(t *testing.T) {
	ctx := context.Background()
	o := ready(t, settings(photos(t, 2, 6)))
	o.Extract.MaxFailureRate = 1
	cutOff(t, filepath.Join(o.Data.Train, "class0", "000.jpg"))
	cutOff(t, filepath.Join(o.Data.Train, "class1", "001.png"))
	for _, c := range []struct {
		truncated                  string
		bad, known, seen, computed int
	}{
		{extract.Refuse, 2, 0, 0, 10}, {extract.Refuse, 2, 2, 0, 0}, {extract.Accept, 0, 0, 2, 12}, {extract.Accept, 0, 0, 0, 0}, {extract.Refuse, 2, 2, 0, 0},
	} {
		sum, err := Extract(ctx, prepared(o, extract.Crop, "", c.truncated), Silent)
		must(t, err)
		if sum.Quarantined != c.bad || sum.KnownBad != c.known || sum.Seen.Truncated != c.seen || sum.Computed != c.computed {
			t.Errorf("%s: %+v", c.truncated, sum)
		}
		if said := strings.Contains(strings.Join(sum.Warnings, "\n"), "2 images cut off and accepted"); said != (c.seen > 0) {
			t.Errorf("%s: said %v: %q", c.truncated, said, sum.Warnings)
		}
	}
}

func TestARunSaysWhatIsRemarkableAboutItsImages(t *testing.T) {
	ctx := context.Background()
	o := settings(filepath.Join(t.TempDir(), "photos"))
	put := func(name string, img image.Image) {
		var b bytes.Buffer
		must(t, png.Encode(&b, img))
		putFile(t, filepath.Join(o.Data.Train, "class"+string(name[len(name)-5]), name), b.Bytes())
	}
	for i := range 12 {
		square := image.NewGray(image.Rect(0, 0, 30, 30))
		square.Pix[0] = byte(i)
		put(fmt.Sprintf("%d-%d.png", i, i%2), square)
	}
	put("sprite-0.png", image.NewNRGBA(image.Rect(0, 0, 30, 30)))
	put("scan-0.png", image.NewGray16(image.Rect(0, 0, 20, 20)))
	put("panorama-0.png", image.NewGray(image.Rect(0, 0, 41, 20)))
	put("tall-0.png", image.NewGray(image.Rect(0, 0, 20, 40))) // not more than twice
	remarks := []string{
		"1 16-bit image: Pillow would have clipped",
		"1 image with transparent pixels: the colour that is hidden below them counts, often black: try Extract.Background = white",
		"2 of 17 images have one side more than twice the other, and what lies beyond the middle is cut off: try Extract.Fit = pad or Extract.Fit = squash",
	}
	for _, c := range []struct {
		what string
		o    Options
		more bool // another elongated image
		want []string
	}{
		{"one long image of 16", o, false, remarks[:2]},
		{"again", o, false, nil},
		{"two of 17", prepared(o, extract.Crop, "", extract.Accept), true, remarks},
		{"prepared for that", prepared(o, extract.Squash, "black", extract.Refuse), true, remarks[:1]},
	} {
		if c.more {
			put("long-0.png", image.NewGray(image.Rect(0, 0, 20, 50)))
		}
		sum, err := Extract(ctx, ready(t, c.o), Silent)
		must(t, err)
		said := strings.Join(sum.Warnings, "\n")
		for _, r := range remarks {
			wanted := strings.Contains(strings.Join(c.want, "\n"), r)
			if strings.Contains(said, r) != wanted {
				t.Errorf("%s: %q, want it: %v; said\n%s", c.what, r, wanted, said)
			}
		}
		want := features.Seen{Alpha: 1, Grey16: 1, Elongated: 1}
		if c.more {
			want.Elongated = 2
		}
		if sum.Computed == 0 {
			want = features.Seen{}
		}
		if sum.Seen != want {
			t.Errorf("%s: %+v, want %+v", c.what, sum.Seen, want)
		}
	}
}
