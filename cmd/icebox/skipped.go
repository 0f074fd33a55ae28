package main

import (
	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
)

// tellSkipped says which files of a folder are left out because they are no image.
func (p *process) tellSkipped(s dataset.Skipped) {
	n := s.Note()
	p.tell("note: %s", journal.Sentence(n.Text, n.Steps, p.words))
}
