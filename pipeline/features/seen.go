package features

import (
	"fmt"

	"icebox/extract"
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// Seen counts what is remarkable about the images whose features a run computed; see
// [extract.Traits].
type Seen struct {
	Alpha     int `json:"alpha"`     // some pixel is not opaque
	Grey16    int `json:"grey16"`    // grey of 12 or 16 bits
	Elongated int `json:"elongated"` // one side is more than twice the other
	Truncated int `json:"truncated"` // they end early, and were accepted
}

func (s *Seen) add(t extract.Traits) {
	for _, c := range []struct {
		is bool
		n  *int
	}{{t.Alpha, &s.Alpha}, {t.Grey16, &s.Grey16}, {t.Elongated, &s.Elongated}, {t.Truncated, &s.Truncated}} {
		if c.is {
			*c.n++
		}
	}
}

// manyElongated is the share of elongated images from which on a run says so.
const manyElongated = 0.1

// noteSeen says what is remarkable about the images that w computed. Options that would
// help are named only where a head may still be trained with them.
func (c *Computer) noteSeen(w Work, p dataset.Purpose) {
	if n := w.Seen.Truncated; n > 0 {
		c.journal.Note(words.Count(n, "image") + " cut off and accepted: what is missing is grey or black")
	}
	if n := w.Seen.Grey16; n > 0 {
		c.journal.Note(words.Count(n, "16-bit image") + ": Pillow would have clipped them to white, and here the upper 8 bits of each value count")
	}
	if p != dataset.ForTraining {
		return
	}
	made := c.space.Fingerprint.Preprocess
	if n := w.Seen.Alpha; n > 0 && made.Background == "" {
		c.journal.Note(words.Count(n, "image")+" with transparent pixels: the colour that is hidden below them counts, often black", journal.SetTo("Extract.Background", "white"))
	}
	if n := w.Seen.Elongated; float64(n) > manyElongated*float64(w.Computed) && made.Fit == "" {
		c.journal.Note(fmt.Sprintf("%d of %s have one side more than twice the other, and what lies beyond the middle is cut off", n, words.Count(w.Computed, "image")),
			journal.SetTo("Extract.Fit", extract.Pad), journal.SetTo("Extract.Fit", extract.Squash))
	}
}
