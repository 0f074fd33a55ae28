package page

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"icebox/pipeline/report"
)

// Comparison is what a page shows of several runs. Each is held against the first.
type Comparison struct {
	Pairs    []*report.Comparison     // with the same run as A; at least one
	Pictures map[string][]byte        // small pictures of images by their paths: JPEGs
	Where    func(path string) string // the address of the file of an image; "" where nobody knows
}

// Paths lists the images that the page shows, at most [MaxPictures], each once.
func (c *Comparison) Paths() []string {
	var all []string
	seen := map[string]bool{}
	for _, r := range newComparison(c).Rivals {
		for _, wall := range r.Walls {
			for _, d := range wall.Images {
				if !seen[d.Path] && len(all) < MaxPictures {
					seen[d.Path] = true
					all = append(all, d.Path)
				}
			}
		}
	}
	return all
}

// WriteComparison draws c as one HTML file.
func WriteComparison(w io.Writer, c *Comparison) error {
	v := newComparison(c)
	return write(w, "compare", fmt.Sprintf("%d runs", len(v.Runs)), v, &v.album)
}

// comparison is a comparison as the template sees it.
type comparison struct {
	*Comparison
	album  album
	Base   report.Listed
	Runs   []comparedRun
	Rivals []rival
	Keys   []string // of the options in which runs differ
}

// comparedRun is a run and the letter that it goes by.
type comparedRun struct {
	Letter string
	report.Listed
}

// Option is what the head of the run has for a key.
func (r comparedRun) Option(key string) string { return report.OrDefault(r.Options, key) }

// rival is a run that is held against A.
type rival struct {
	*report.Comparison
	ID, Letter, Sentence string
	Walls                []alone
}

// alone are the images that one run has right and the other has not.
type alone struct {
	Title  string
	N      int
	Images []onlyRight
}

type onlyRight struct{ Path, Label, Wrong string }

// letter names the n-th run: A to Z, then A1 and so on.
func letter(n int) string {
	name := string(rune('A' + n%26))
	if n >= 26 {
		name += fmt.Sprint(n / 26)
	}
	return name
}

// maxAlone is how many pictures a wall has, shared out among the pairs.
const maxAlone = 60

func newComparison(c *Comparison) *comparison {
	v := &comparison{Comparison: c, album: newAlbum(c.Pictures, c.Where), Base: c.Pairs[0].A}
	v.Runs = []comparedRun{{"A", v.Base}}
	most := min(maxAlone, max(6, MaxPictures/2/len(c.Pairs)))
	for i, pair := range c.Pairs {
		r := rival{Comparison: pair, Letter: letter(i + 1), ID: fmt.Sprintf("with-%s", letter(i+1))}
		r.Sentence = pair.Verdict()
		if after, ok := strings.CutPrefix(r.Sentence, "B "); ok {
			r.Sentence = r.Letter + " " + after
		}
		onlyA, onlyB := alone{Title: "Only A is right", N: pair.OnlyA}, alone{Title: "Only " + r.Letter + " is right", N: pair.OnlyB}
		for _, d := range pair.Differing {
			wall, wrong := &onlyB, d.A
			if d.Right() {
				wall, wrong = &onlyA, d.B
			}
			if len(wall.Images) < most {
				wall.Images = append(wall.Images, onlyRight{d.Path, d.Label, wrong})
			}
		}
		r.Walls = []alone{onlyB, onlyA}
		v.Rivals = append(v.Rivals, r)
		v.Runs = append(v.Runs, comparedRun{r.Letter, pair.B})
		v.Keys = append(v.Keys, pair.Options()...)
	}
	slices.Sort(v.Keys)
	v.Keys = slices.Compact(v.Keys)
	return v
}

// Pic puts the picture of an image into the album.
func (v *comparison) Pic(path, alt string) picture { return v.album.Pic(path, alt) }
