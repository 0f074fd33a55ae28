package format

import "testing"

func TestSniffKnowsEachFormatByItsFirstBytes(t *testing.T) {
	for want, head := range map[Format]string{
		JPEG: "\xff\xd8\xff\xe0", PNG: "\x89PNG\r\n\x1a\n", GIF: "GIF89a", WebP: "RIFF\x00\x00\x00\x00WEBP", TIFF: "MM\x00*",
		BMP: "BM\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x28\x00\x00\x00", None: "BM is a brand",
	} {
		if got := Sniff([]byte(head)); got != want {
			t.Errorf("%q is taken for %v, not %v", head, got, want)
		}
	}
	for _, head := range []string{"II*\x00", "II+\x00", "MM\x00+"} {
		if got := Sniff([]byte(head)); got != TIFF {
			t.Errorf("%q is taken for %v", head, got)
		}
	}
	if Sniff(nil) != None {
		t.Error("an empty file is an image")
	}
}

func TestEndingsDecideWhatNeedNotBeOpened(t *testing.T) {
	for name, want := range map[string]Verdict{
		"a.JPG": Image, "a.jfif": Image, "a.Jpe": Image, "a.dib": Image, "a.pjpeg": Image,
		"a.heic": Foreign, "a.AVIF": Foreign, "a.txt": Other, "a.XML": Other,
		"a": Undecided, "a.": Undecided, "a.jpg_large": Undecided, "a.0001": Undecided, "ſ.JPG": Image,
	} {
		if got := ByEnding(name); got != want {
			t.Errorf("%s: verdict %d, not %d", name, got, want)
		}
	}
	if got := Ending("x/B.TIFF") + Ending("b.") + Ending("b"); got != ".tiff" {
		t.Errorf("endings %q", got)
	}
}
