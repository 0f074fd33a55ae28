package pipeline

import (
	"icebox/headtrain/judge"
	"icebox/pipeline/dataset"
)

// setInterval adds the interval of the accuracy on the part. Rows of a group count
// together, because they are alike.
func (p *judgedPart) setInterval(ds *dataset.Dataset) {
	units, numbers, grouped := make([]int, p.Rows.Len()), map[string]int{}, false
	next := 0
	for n, i := range p.Rows.Items {
		group := ds.Items[i].Group
		at, ok := numbers[group]
		if grouped = grouped || group != ""; group == "" || !ok {
			at, numbers[group] = next, next
			next++
		}
		units[n] = at
	}
	if !grouped {
		units = nil
	}
	i := judge.AccuracyInterval(p.answers.Right(), units)
	p.summary.Interval, p.summary.Units = &i, next
}
