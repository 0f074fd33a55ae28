package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"icebox/headtrain"
	"icebox/pipeline/dataset"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/page"
	"icebox/pipeline/report"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

// DrawPage draws the page of the run in dir anew, with all that takes a while: doubtful
// labels and copies (see [Inspect]), what lies next to them, and a map by neighbours. It
// opens the images that the page shows, where their pictures are not kept.
func DrawPage(ctx context.Context, dir string, o Options, c Choice, near float64, p Progress) (*report.PageSummary, error) {
	rep, err := report.Read(dir)
	if err != nil {
		return nil, err
	}
	head, info, err := runs.Head(dir)
	if err != nil {
		return nil, err
	}
	j := journal.New(p, o.Words)
	src, err := runSource(ctx, o, c, head, info, j)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	found, err := inspectRun(ctx, dir, src, head, info, near, j)
	if err != nil {
		return nil, err
	}
	d := &drawing{Page: page.Page{Report: rep, Insight: found}, head: head, ds: src.Dataset()}
	if d.Epochs, err = readLines[headtrain.Epoch](filepath.Join(dir, runs.MetricsFile)); err != nil {
		return nil, err
	}
	if rep.Sweep != nil {
		if d.Swept, err = readLines[sweep.Result](filepath.Join(dir, sweep.ResultFile)); err != nil {
			return nil, err
		}
	}
	j.Stage("draw")
	j.Start("draw", 0)
	if err := src.Guard(func() error { return d.read(ctx, src) }); err != nil {
		return nil, err
	}
	a, err := d.illustrate(ctx, src, o.adopt(info), forEver, j)
	if err != nil {
		return nil, err
	}
	s := &report.PageSummary{Page: filepath.Join(dir, runs.PageFile), Pictures: len(d.Pictures), Opened: a.opened}
	if s.Bytes, err = d.write(s.Page, dir, o); err != nil {
		return nil, err
	}
	s.Summary = *summaryOf(src, j)
	return s, nil
}

// read takes the rows of a source, and fills the page from them.
func (d *drawing) read(ctx context.Context, src features.Source) error {
	rows, err := labelledRows(src, d.head)
	if err != nil {
		return err
	}
	var held, train []int32
	for r, i := range rows.Items {
		part := d.ds.Items[i].Part
		if part.String() == d.Report.WrongOf {
			held = append(held, int32(r))
		}
		if part == dataset.Train {
			train = append(train, int32(r))
		}
	}
	learned, judged := rows.At(train), rows.At(held)
	d.train, d.items = learned.Data, learned.Items
	if d.held, err = answer(ctx, d.head, judged, judged.Data.Labels); err != nil {
		return err
	}
	if err := d.fill(ctx, true); err != nil {
		return err
	}
	return src.Intact()
}

// readLines reads a file with a JSON value a line; a file that is not there has none.
func readLines[T any](path string) ([]T, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", runs.ErrRun, path, err)
		}
		all = append(all, v)
	}
	return all, lines.Err()
}
