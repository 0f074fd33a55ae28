package predictions

// Layout says which columns rows have.
type Layout struct {
	Classes []string // of the head, in its order
	Judged  bool     // rows have a part and a truth
	// Explained rows have a file with a map of evidence, and the class that it is against.
	Explained bool
}

// column is one of a file: one of its functions is set. An empty text is no value, and a
// row without an answer has neither numbers nor flags.
type column struct {
	name   string
	text   func(*Row) string
	number func(*Row) float64
	flag   func(*Row) bool
}

// columns are all columns, in their order.
func (l Layout) columns() []column {
	all := []column{{name: "path", text: func(r *Row) string { return r.Path }}}
	if l.Judged {
		all = append(all,
			column{name: "part", text: func(r *Row) string { return r.Part }},
			column{name: "truth", text: func(r *Row) string { return r.Truth }})
	}
	all = append(all,
		column{name: "label", text: func(r *Row) string { return r.Label }},
		column{name: "probability", number: func(r *Row) float64 { return r.Probability }},
		column{name: "unknown", flag: func(r *Row) bool { return r.Unknown }})
	for c, class := range l.Classes {
		all = append(all, column{name: "p:" + class, number: func(r *Row) float64 { return r.Probabilities[c] }})
	}
	if l.Explained {
		all = append(all,
			column{name: "evidence", text: func(r *Row) string { return r.Evidence }},
			column{name: "against", text: func(r *Row) string { return r.Against }})
	}
	return append(all, column{name: "error", text: func(r *Row) string { return r.Err }})
}
