package report

import (
	"fmt"
	"io"

	"icebox/pipeline/words"
)

// PageSummary says what a page was drawn from.
type PageSummary struct {
	Summary
	Page     string `json:"page"`     // path of the file
	Bytes    int    `json:"bytes"`    // of the file
	Pictures int    `json:"pictures"` // on it
	Opened   int    `json:"opened"`   // images opened for those that were not kept

	// Compared are the runs of a comparison, each held against the first.
	Compared []*Comparison `json:"compared,omitempty"`
}

// Text writes s for a person.
func (s *PageSummary) Text(w io.Writer, y Style) {
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "note: %s\n", warning)
	}
	for _, c := range s.Compared {
		fmt.Fprintf(w, "A %s, B %s: %s\n", y.path(c.A.Run), y.path(c.B.Run), c.Verdict())
	}
	fmt.Fprintf(w, "%s has %s (%s opened for it), %.1f MB\n", y.path(s.Page), words.Count(s.Pictures, "picture"), words.Count(s.Opened, "image"), float64(s.Bytes)/1e6)
}
