package report

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/quality"
	"icebox/pipeline/words"
)

// countsText counts the pictures with each issue.
func countsText(found []quality.Issue, judged int) string {
	var parts []string
	for _, issue := range found {
		parts = append(parts, words.Number(issue.Images)+" "+issue.Name)
	}
	return fmt.Sprintf("%s of %s", strings.Join(parts, ", "), words.Count(judged, "image"))
}

// qualityLine counts the pictures with an issue, in a line, if there are any.
func qualityLine(w io.Writer, name string, q *quality.Report) {
	found := q.Found()
	if len(found) == 0 {
		return
	}
	text := countsText(found, q.Judged)
	if q.NotJudged > 0 {
		text += fmt.Sprintf("; %s not judged", words.Number(q.NotJudged))
	}
	fmt.Fprintf(w, "%s %s\n", name, text)
}

// qualityShown is how many pictures of an issue the text of an insight lists.
const qualityShown = 3

func (i *Insight) qualityText(w io.Writer) {
	q := i.Quality
	if q == nil {
		return
	}
	found := q.Found()
	switch {
	case q.Judged == 0:
		fmt.Fprintln(w, "\nPICTURES  not judged: an earlier version computed their features")
		return
	case len(found) == 0:
		fmt.Fprintf(w, "\nPICTURES  none of %s is dark, light, blurry, empty or unlike the others", words.Number(q.Judged))
	default:
		fmt.Fprintf(w, "\nPICTURES  %s", countsText(found, q.Judged))
	}
	if q.NotJudged > 0 {
		fmt.Fprintf(w, "; %s not judged, because an earlier version computed their features", words.Number(q.NotJudged))
	}
	fmt.Fprintln(w)
	if len(found) == 0 {
		return
	}
	t := NewTable(w, 2)
	t.AppendHeader(table.Row{"issue", "images", "worst", "score"})
	for _, issue := range found {
		for n, p := range issue.Worst[:min(len(issue.Worst), qualityShown)] {
			row := table.Row{"", "", words.Name(p.Path), fmt.Sprintf("%.3f", p.Score)}
			if n == 0 {
				row[0], row[1] = issue.Name, words.Number(issue.Images)
			}
			t.AppendRow(row)
		}
	}
	t.Render()
	fmt.Fprintf(w, "A score goes from 0, the worst, to 1. All of these images are in %s\n", QualityFile)
}

// writeQuality lists every picture with an issue.
func (i *Insight) writeQuality(dir string) error {
	if i.Quality == nil {
		return nil
	}
	lines := [][]string{{"path", "part", "label", "issue", "score"}}
	for n := range i.Quality.Issues {
		issue := &i.Quality.Issues[n]
		for _, p := range issue.All() {
			lines = append(lines, []string{p.Path, p.Part, p.Label, issue.Name, decimal(p.Score)})
		}
	}
	return csvfile.Write(filepath.Join(dir, QualityFile), slices.Values(lines))
}
