package pipeline

import (
	"fmt"
	"strings"

	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/page"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// mostAdvice is how many things to do next a page lists.
const mostAdvice = 5

// advice lists what to do after a run, the most useful first.
func (o Options) advice(r *report.Report, found *report.Insight, dir string) []page.Advice {
	var all []page.Advice
	add := func(text string, steps ...journal.Step) {
		a := page.Advice{Text: text}
		for _, s := range steps {
			a.Command = o.command(s)
		}
		all = append(all, a)
	}
	again := func(field, value string) journal.Step {
		return journal.Step{Do: journal.Repeat, Dir: dir, Field: field, Value: value}
	}
	s := &r.Summary
	if s.RandomWeights {
		add("Get the trained weights of the backbone. Random ones show that everything works, and nothing else.", journal.Step{Do: journal.FetchWeights})
	}
	if found == nil {
		add("Look for wrong labels and copies, and draw this page with all its pictures.", journal.Step{Do: journal.DrawPage, Dir: dir})
	} else {
		adviseOn(found, again, add)
	}
	if leaks := s.Leaks; found == nil && leaks != nil && leaks.Images > 0 {
		add(fmt.Sprintf("%s of %s have a near copy among the training images. Split again so that copies stay together.", words.Count(leaks.Images, "image"), leaks.Part), again("Data.Split.Near", "true"))
	}
	if s.Quarantined > 0 {
		add(words.Count(s.Quarantined, "file") + " could not be read. They are listed below with the reasons.")
	}
	if s.Tuned == nil && r.Sweep == nil && s.Epochs > 0 {
		add("Let the program choose the weight decay of the head.", again("Tune", TuneAuto))
	}
	if r.WrongOf == dataset.Val.String() && s.Features == "" {
		add("Keep some images for a test that nothing is chosen by.", again("Data.Split.Test", "0.1"))
	}
	return all[:min(len(all), mostAdvice)]
}

// adviseOn adds what an insight advises.
func adviseOn(found *report.Insight, again func(field, value string) journal.Step, add func(string, ...journal.Step)) {
	if n := found.Copies.Leaks; n > 0 {
		add(words.Count(n, "pair")+" of copies lie on both sides of a split. Split again so that copies stay together.", again("Data.Split.Near", "true"))
	}
	if n := len(found.Suspects); n > 0 {
		add(fmt.Sprintf("Look through %s that may be wrong: they are below, and all of them in %s.", words.Count(n, "label"), report.SuspectsFile))
	}
	if c := found.Curve; c != nil && c.Twice != nil && c.Twice.Gain >= 0.005 {
		add(fmt.Sprintf("Add images. Twice as many might bring %+.1f percentage points, by a guess from the learning curve.", 100*c.Twice.Gain))
	}
}

// command is what a person types to take a step.
func (o Options) command(s journal.Step) string {
	if o.Words == nil {
		return s.String()
	}
	text := strings.Trim(o.Words(s), "`")
	return text
}
