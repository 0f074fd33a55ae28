package studio

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"

	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
)

// What a wall may show, beside all.
const (
	Doubtful   = "doubtful"
	Mistaken   = "mistaken"
	Copied     = "copies"
	Unlabelled = "unlabelled"
	Corrected  = "corrected"
	Excluded   = "excluded"
)

// How a wall may be sorted, beside the order of the dataset.
const (
	ByDoubt = "doubt"
	BySure  = "unsure"
	ByNext  = "next"
)

// Query chooses the images of a wall; "" is any.
type Query struct {
	Class, Predicted, Part string
	Show, Sort             string
	Page                   int // from 0 up
	Pages                  int // from that on; 0 is 1
}

// PageSize is how many images a page of a wall has.
const PageSize = 200

// Card is an image on a wall.
type Card struct {
	Item      int
	Path      string
	Hash      string
	Class     string // "" is none
	Given     string
	Part      string
	Predicted string // "" where there is no head, or no feature
	P         float64
	LooksLike string  // "" is no doubt
	Doubt     float64 // probability of all classes but the label
	Chance    float64 // that the label is wrong
	Copies    int

	Excluded, Confirmed, Corrected bool
}

// Wrong reports whether the head puts the image into another class.
func (c Card) Wrong() bool { return c.Class != "" && c.Predicted != "" && c.Predicted != c.Class }

// Wall is a page of images.
type Wall struct {
	Version int
	Cards   []Card
	Total   int // images that the query chooses
	Pages   int
	// Counts are how many images there are by what is shown, whatever the class and part.
	Counts  map[string]int
	Classes []ClassCount
	Undo    int // changes that can be taken back
	Redo    int
}

// ClassCount is a class and how many images are of it.
type ClassCount struct {
	Class  string
	Images int
}

// Wall returns a page of what a query chooses.
func (s *Session) Wall(q Query) *Wall {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers
	w := &Wall{Version: s.version, Counts: map[string]int{}, Undo: len(s.undo), Redo: len(s.redo)}
	counts := make([]int, len(s.ds.Classes))
	var chosen []int
	for i := range s.ds.Items {
		it := &s.ds.Items[i]
		if it.Label >= 0 {
			counts[it.Label]++
		}
		c := s.brief(n, i)
		w.Counts[""]++
		shown := q.Show == ""
		for _, show := range []string{Doubtful, Mistaken, Copied, Unlabelled, Corrected, Excluded} {
			if s.shows(&c, show) {
				w.Counts[show]++
				shown = shown || q.Show == show
			}
		}
		if shown && (q.Class == "" || c.Class == q.Class) && (q.Predicted == "" || c.Predicted == q.Predicted) && (q.Part == "" || c.Part == q.Part) {
			chosen = append(chosen, i)
		}
	}
	for c, name := range s.ds.Classes {
		w.Classes = append(w.Classes, ClassCount{name, counts[c]})
	}
	s.sort(chosen, n, q)
	w.Total, w.Pages = len(chosen), (len(chosen)+PageSize-1)/PageSize
	from := min(max(q.Page, 0)*PageSize, len(chosen))
	for _, i := range chosen[from:min(from+PageSize*max(q.Pages, 1), len(chosen))] {
		w.Cards = append(w.Cards, s.card(n, i))
	}
	return w
}

// shows reports whether a card is among those that a query shows.
func (s *Session) shows(c *Card, show string) bool {
	switch show {
	case Doubtful:
		return c.LooksLike != ""
	case Mistaken:
		return c.Wrong()
	case Copied:
		return c.Copies > 0
	case Unlabelled:
		return c.Class == "" && !c.Excluded
	case Corrected:
		return c.Corrected
	case Excluded:
		return c.Excluded
	}
	return true
}

// brief is a card without what takes memory.
func (s *Session) brief(n *Numbers, i int) Card {
	it := &s.ds.Items[i]
	c := Card{Item: i, Class: s.ds.Class(it), Part: it.Part.String(), Copies: len(s.copies[i])}
	c.Excluded, c.Confirmed = s.ds.Corrected.Excluded[i], s.ds.Corrected.Confirmed[i]
	c.Corrected = len(s.book.Changes(i)) > 0
	if a := n.of(i); n.Head != nil && a.Has {
		c.Predicted, c.P = n.Head.Classes[a.Class], float64(a.P)
		if a.Doubtful && n.Head.Classes[a.LooksLike] != c.Class && c.Class != "" && !c.Confirmed {
			c.LooksLike, c.Doubt, c.Chance = n.Head.Classes[a.LooksLike], float64(a.Doubt), float64(a.Chance)
		}
	}
	return c
}

func (s *Session) card(n *Numbers, i int) Card {
	it := &s.ds.Items[i]
	c := s.brief(n, i)
	c.Path, c.Given = s.ds.Display(it), s.book.Given(i)
	if it.Hashed() {
		c.Hash = hex.EncodeToString(it.Hash[:])
	}
	return c
}

func (s *Session) sort(items []int, n *Numbers, q Query) {
	if n.Head == nil && q.Sort != ByNext {
		return
	}
	value := func(int) float64 { return 0 }
	switch q.Sort {
	case ByDoubt:
		value = func(i int) float64 { return -float64(n.of(i).Doubt) }
	case BySure:
		value = func(i int) float64 { return float64(n.of(i).P) }
	case ByNext:
		value = func(i int) float64 {
			if rank, ok := n.next[i]; ok {
				return float64(rank)
			}
			return float64(len(s.ds.Items))
		}
	}
	slices.SortStableFunc(items, func(a, b int) int { return cmp.Compare(value(a), value(b)) })
}

// Detail is all that is known of an image.
type Detail struct {
	Card
	Version       int
	Probabilities []Probability // the likeliest first
	Contest       *Contest      // of its map of evidence; nil where it has none
	Stamp         string        // of the head that says so: another one has another
	Nearest       []Neighbour   // of each class
	Copies        []Card
	History       []corrections.Change
	File          string
}

// Probability is that of a class.
type Probability struct {
	Class string
	P     float64
}

// Detail returns all that is known of item i; ok is false where there is none.
func (s *Session) Detail(i int) (d *Detail, ok bool) {
	v := s.view()
	if i < 0 || i >= len(v.all) {
		return nil, false
	}
	s.mu.Lock()
	n := s.numbers
	d = &Detail{Card: s.card(n, i), Version: s.version, History: slices.Clone(s.book.Changes(i)), File: s.ds.File(&s.ds.Items[i])}
	for _, c := range s.copies[i][:min(len(s.copies[i]), mostCopies)] {
		d.Copies = append(d.Copies, s.card(n, c))
	}
	r := int(s.rows[i])
	s.mu.Unlock()
	if r >= 0 && r < len(v.items) {
		d.Nearest = v.nearest(v.row(r), i)
		d.Probabilities = probabilities(n.Head, v.row(r))
		d.Contest, d.Stamp = contest(n.Head, d.Probabilities, d.Class), fmt.Sprint(n.Version, n.Exact)
	}
	return d, true
}

// mostCopies is how many copies of an image are shown.
const mostCopies = 12

// Cards are the cards of some items.
func (s *Session) Cards(items []int) []Card {
	s.mu.Lock()
	defer s.mu.Unlock()
	var cards []Card
	for _, i := range items {
		if i >= 0 && i < len(s.ds.Items) {
			cards = append(cards, s.card(s.numbers, i))
		}
	}
	return cards
}

// Name is that of the dataset, and File is where corrections go.
func (s *Session) Name() string { return s.ds.Name }
func (s *Session) File() string { return s.file }

// Cache is the path of the cache.
func (s *Session) Cache() string { return s.o.Source.Origin().Cache }

// Parts are those that items of the dataset have.
func (s *Session) Parts() []string {
	var parts []string
	for _, p := range dataset.Parts {
		if s.ds.Count(p) > 0 {
			parts = append(parts, p.String())
		}
	}
	return parts
}
