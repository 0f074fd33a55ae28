package web

import (
	"bytes"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"icebox/cache"
	"icebox/pipeline/features"
	"icebox/pipeline/studio"
	"icebox/pipeline/words"
)

//go:embed page.html style.css script.js live.js
var embedded embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"share":  words.Share,
	"number": words.Number[int],
	"count":  words.Count[int],
	"name":   words.Name,
	"add":    func(a, b int) int { return a + b },
	"pct":    func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
	"base":   filepath.Base,
	"bytes":  func(n int64) string { return humanize.Bytes(uint64(max(n, 0))) },
	"made": func(s cache.Space) string {
		text, err := features.DescribeSpace(s)
		if err != nil {
			return "not known"
		}
		return text
	},
	"map":    mapOf,
	"newMap": newMapOf,
	"dash":   words.PercentOrDash,
	"digit":  func(n int) string { return map[bool]string{true: strconv.Itoa((n + 1) % 10)}[n < 10] },
}).ParseFS(embedded, "page.html"))

// static serves the style sheet and the script.
func static(w http.ResponseWriter, r *http.Request) {
	kinds := map[string]string{"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8", "live.js": "text/javascript; charset=utf-8"}
	name := r.PathValue("name")
	if kinds[name] == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kinds[name])
	http.ServeFileFS(w, r, embedded, name)
}

// render writes a template, once it is whole.
func render(w http.ResponseWriter, name string, data any) {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.WriteTo(w) // the same
}

// mostPages is how many pages of a wall one answer has.
const mostPages = 10

// view is a page as the template sees it.
type view struct {
	*studio.Wall
	Session *studio.Session
	Numbers *studio.Numbers
	Query   studio.Query
	Detail  *studio.Detail // nil: none is open
	Runs    bool
	values  url.Values
}

func (v *server) page(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	q := studio.Query{Class: values.Get("class"), Predicted: values.Get("predicted"), Part: values.Get("part"), Show: values.Get("show"), Sort: values.Get("sort")}
	q.Page, _ = strconv.Atoi(values.Get("page")) // else the first
	pages, _ := strconv.Atoi(values.Get("pages"))
	q.Pages = min(max(pages, 1), mostPages)
	data := &view{Wall: v.s.Wall(q), Session: v.s, Numbers: v.s.Numbers(), Query: q, Runs: v.o.Runs != "", values: values}
	if i, err := strconv.Atoi(values.Get("image")); err == nil {
		data.Detail, _ = v.s.Detail(i)
	}
	render(w, "page", data)
}

// With is the address of the same page with other values; those that are "" go. Another
// choice begins at the first page.
func (v *view) With(pairs ...string) string {
	values := url.Values{}
	for key, all := range v.values {
		if key != "pages" && all[0] != "" {
			values.Set(key, all[0])
		}
	}
	for n := 0; n+1 < len(pairs); n += 2 {
		if pairs[n] != "image" && pairs[n] != "page" {
			values.Del("page")
			values.Del("image")
		}
		values.Set(pairs[n], pairs[n+1])
		if pairs[n+1] == "" {
			values.Del(pairs[n])
		}
	}
	return "/?" + values.Encode()
}

// Image is the address of the page with an image open.
func (v *view) Image(i int) string { return v.With("image", strconv.Itoa(i)) }

// Turn is the address of another page of the wall.
func (v *view) Turn(page int) string { return v.With("page", strconv.Itoa(page)) }

// tab is a link that chooses what is shown.
type tab struct {
	Value, Text string
	Count       int
	On          bool
}

// Shows are the choices of what is shown.
func (v *view) Shows() []tab {
	var all []tab
	for _, t := range []tab{
		{"", "all", 0, false}, {studio.Doubtful, "doubtful", 0, false}, {studio.Mistaken, "mistaken", 0, false}, {studio.Copied, "copies", 0, false},
		{studio.Unlabelled, "unlabelled", 0, false}, {studio.Corrected, "corrected", 0, false}, {studio.Excluded, "left out", 0, false},
	} {
		t.Count, t.On = v.Counts[t.Value], v.Query.Show == t.Value
		all = append(all, t)
	}
	return all
}

// Sorts are the orders of a wall.
func (v *view) Sorts() []tab {
	all := []tab{{Value: "", Text: "as listed"}, {Value: studio.ByDoubt, Text: "by doubt"}, {Value: studio.BySure, Text: "least sure first"}, {Value: studio.ByNext, Text: "what to label next"}}
	for i := range all {
		all[i].On = all[i].Value == v.Query.Sort
	}
	return all
}

// Parts are the choices of a part.
func (v *view) Parts() []tab {
	all := []tab{{Value: "", Text: "any part", On: v.Query.Part == ""}}
	for _, p := range v.Session.Parts() {
		all = append(all, tab{Value: p, Text: p, On: v.Query.Part == p})
	}
	return all
}

// CardOf is a card and the page that it is on.
func (v *view) CardOf(c studio.Card) map[string]any { return map[string]any{"C": c, "V": v} }

// DetailOf is an image that is open, and its page.
func (v *view) DetailOf(d *studio.Detail) map[string]any { return map[string]any{"D": d, "V": v} }

// CardsOf is the card of an item.
func (v *view) CardsOf(item int) []studio.Card { return v.Session.Cards([]int{item}) }

// Last is the number of the last page that is shown.
func (v *view) Last() int { return v.Query.Page + v.Query.Pages - 1 }

// thumb serves the small picture of an image by the hash of its bytes, which it is for ever.
func (v *server) thumb(w http.ResponseWriter, r *http.Request) {
	sum, ok := strings.CutSuffix(r.PathValue("name"), ".jpg")
	raw, err := hex.DecodeString(sum)
	var key cache.Key
	if !ok || err != nil || len(raw) != len(key) {
		http.NotFound(w, r)
		return
	}
	copy(key[:], raw)
	picture, err := v.s.Picture(r.Context(), key)
	if err != nil {
		v.tile(w, key, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, _ = w.Write(picture) // who has gone gets nothing
}

// tile stands for an image that is gone, or cannot be read: a grey one with its name.
func (v *server) tile(w http.ResponseWriter, key cache.Key, why error) {
	text := "cannot be read"
	if errors.Is(why, studio.ErrGone) {
		text = "is gone"
	}
	name := []rune(words.Name(v.s.Path(key)))
	if len(name) > 48 {
		name = slices.Concat([]rune("…"), name[len(name)-47:])
	}
	drawTile(w, string(name), text)
}

// drawTile serves a grey tile with lines of text; those that are too long are broken.
func drawTile(w http.ResponseWriter, texts ...string) {
	var lines []string
	for _, text := range texts {
		for line := range slices.Chunk([]rune(text), 16) {
			lines = append(lines, string(line))
		}
	}
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, "tile", lines); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = out.WriteTo(w) // the same
}
