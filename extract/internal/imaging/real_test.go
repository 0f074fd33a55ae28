package imaging

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"icebox/extract/format"
)

// The crop of every JPEG of real data sets equals Pillow's, bit for bit;
// testdata/real.py wrote what Pillow makes of them.
func TestCropsOfRealPhotosEqualPillow(t *testing.T) {
	dir := os.Getenv("ICEBOX_TEST_DATA")
	if dir == "" {
		t.Skip("ICEBOX_TEST_DATA names no folder with data sets")
	}
	text, err := os.ReadFile("testdata/real.json")
	if err != nil {
		t.Fatal(err)
	}
	var sets map[string]struct {
		Images int
		Crops  string
	}
	if err := json.Unmarshal(text, &sets); err != nil {
		t.Fatal(err)
	}
	for name, want := range sets {
		t.Run(name, func(t *testing.T) {
			var p Preprocessor
			total, n := sha256.New(), 0
			for _, path := range filesUnder(t, filepath.Join(dir, name)) {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				h, err := parseHeader(data)
				if err != nil || h.kind != format.JPEG {
					continue
				}
				if _, err := p.jpeg.Decode(data, image.Rect(0, 0, h.width, h.height)); err != nil {
					continue
				}
				total.Write([]byte(sum(mustCrop(t, &p, data)[:])))
				n++
			}
			if got := hex.EncodeToString(total.Sum(nil)); n != want.Images || got != want.Crops {
				t.Errorf("the crops of %d JPEGs are not those that Pillow makes of %d", n, want.Images)
			}
		})
	}
}

func filesUnder(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Skipf("the data set is not there: %v", err)
	}
	slices.Sort(paths)
	return paths
}
