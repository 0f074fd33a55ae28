package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"

	"icebox/headtrain"
	"icebox/pipeline/report"
	"icebox/pipeline/sweep"
)

// Bounds of what a page shows. Pictures take about 3 KB each, and a third more in HTML.
const (
	MaxPictures     = 600
	maxPictureBytes = 5 << 19
	maxMistakes     = 48
	maxSuspects     = 48
	maxPairs        = 24
	maxInCell       = 12
	maxInCells      = 600
	maxMatrix       = 30 // classes; with more, the confusion is a list
	maxConfused     = 40
	maxBad          = 100
	maxListed       = 400  // classes of a table
	maxOnMap        = 2000 // points
	maxSwept        = 300  // points of a sweep
)

// Page is what a page shows.
type Page struct {
	Report  *report.Report
	Insight *report.Insight   // nil: nobody has looked
	Epochs  []headtrain.Epoch // of the head, in order

	// Classes are examples of each class, of the images of Report.WrongOf.
	Classes []Examples
	// Nearest says what a doubtful image, by its path, lies next to.
	Nearest map[string]Nearest
	// Rejecting is how a threshold trades answers for precision, by falling coverage; nil is
	// unknown.
	Rejecting []Rejection
	// Map is a map of the features; nil is none. MapBy says how it was made.
	Map   []Point
	MapBy string

	// Swept are the points of the sweep that the head is from, the best first.
	Swept []sweep.Result

	Next      []Advice
	Reproduce string // the command that trains the same head again

	Maps     map[Card][]byte          // where in an image its evidence lies, over it: small JPEGs
	Pictures map[string][]byte        // small pictures of images by their paths: JPEGs
	Where    func(path string) string // the address of the file of an image; "" where nobody knows
}

// Examples are images of one class: those that the head is surest of and right about, and
// the least sure or wrong ones.
type Examples struct {
	Class       string
	Best, Worst []Example
}

// Example is an image and what the head says of it.
type Example struct {
	Path      string
	Predicted string
	OfLabel   float64 // probability of its own class
}

// Nearest are the training images nearest to one in feature space: one of the class that it
// is labelled as, and one of the class that it looks like; "" is none.
type Nearest struct{ OfLabel, OfOther string }

// Rejection is the share of images that get an answer, and the share of these that is right,
// where answers of less probability are "unknown".
type Rejection struct{ Coverage, Precision float64 }

// Point is an image on the map, in coordinates of any scale.
type Point struct {
	X, Y  float64
	Path  string
	Class int
	Wrong bool // the head puts it into another class
}

// How a map was made.
const (
	ByComponents = "the two directions in which features differ most (principal components)"
	ByNeighbours = "images that are near each other stay so, and far distances mean little (t-SNE)"
)

// Advice is a thing to do next.
type Advice struct {
	Text    string
	Command string // to copy; "" is none
}

//go:embed *.html
var sources embed.FS

//go:embed style.css
var style string

//go:embed script.js
var script string

var parsed = template.Must(template.New("page").Funcs(funcs).ParseFS(sources, "*.html"))

// Write draws p as one HTML file.
func Write(w io.Writer, p *Page) error {
	v := newView(p)
	return write(w, "run", v.Report.Summary.Dataset, v, &v.album)
}

// write draws a page whose body is the template of that name.
func write(w io.Writer, body, title string, v any, a *album) error {
	var text bytes.Buffer
	if err := parsed.ExecuteTemplate(&text, body, v); err != nil {
		return err
	}
	css := style + a.css()
	return parsed.ExecuteTemplate(w, "page", map[string]any{
		"Title":  title,
		"Policy": policy(css),
		// Both are of this package, but for pictures in base64 and numbers; the body is what
		// the template has made of text.
		"Style":  template.CSS(css),            //nolint:gosec // see above
		"Script": template.JS(script),          //nolint:gosec // see above
		"Body":   template.HTML(text.String()), //nolint:gosec // see above
	})
}

// policy forbids a page to load anything, and to run or look like anything but its own
// script and style sheet.
func policy(css string) string {
	sum := func(text string) string {
		h := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}
	return fmt.Sprintf("default-src 'none'; img-src data:; style-src %s; script-src %s", sum(css), sum(script))
}

// Paths lists the images that the page shows, the most telling first: at most [MaxPictures],
// each once.
func (p *Page) Paths() []string {
	v := newView(p)
	var all []string
	seen := map[string]bool{"": true}
	add := func(paths ...string) {
		for _, path := range paths {
			if !seen[path] && len(all) < MaxPictures {
				seen[path] = true
				all = append(all, path)
			}
		}
	}
	near := func(path string) {
		n := p.Nearest[path]
		add(path, n.OfOther, n.OfLabel)
	}
	for _, w := range v.Mistakes() {
		near(w.Path)
	}
	if p.Insight != nil {
		for _, s := range v.Suspects() {
			near(s.Path)
		}
		for _, c := range v.Pairs() {
			add(c.A.Path, c.B.Path)
		}
	}
	for _, c := range p.Classes {
		for _, e := range slices.Concat(c.Best, c.Worst) {
			add(e.Path)
		}
	}
	for _, issue := range v.Poor() {
		for _, p := range issue.Worst {
			add(p.Path)
		}
	}
	for _, c := range v.Confused {
		for _, w := range c.Images {
			add(w.Path)
		}
	}
	return all
}
