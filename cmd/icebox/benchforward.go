package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"

	"icebox/extract"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

// forwardReport prints what the backbone does here: images/s by batch and threads,
// and where the time of a batch goes.
func (p *process) forwardReport(ctx context.Context, f benchFlags) error {
	batches := []int{1, 8, 32} // the largest is measured first, because its peak of memory is the one printed
	const parts = 3            // each of the many measurements gets this part of the time
	f.seconds /= parts
	threads := threadSteps(runtime.NumCPU())
	rates := make([][]benchResult, len(batches))
	for i, batch := range slices.Backward(batches) {
		for _, n := range threads {
			f.batch, f.threads = batch, n
			r, err := p.measure(ctx, f, "forward", (*bench).forward)
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], r)
		}
	}
	layers, calls, err := p.profile(ctx, f)
	if err != nil {
		return err
	}
	return p.print(nil, func(w io.Writer) { // with --json there is no report
		engine := ratesTable(w, rates)
		peak := extract.Peak
		if engine.Numeric == "bf16" {
			peak = extract.PeakBF16
		}
		layerTable(w, layers, calls, peak(engine.ISA))
		if runtime.GOARCH == "arm64" {
			fmt.Fprintln(w, "\nNobody has timed icebox on arm64 yet: these lines and the processor's name\nare worth sending to those whom you have icebox from.")
		}
	})
}

// threadSteps returns 1, 2, 4 … n.
func threadSteps(n int) []int {
	var steps []int
	for i := 1; i < n; i *= 2 {
		steps = append(steps, i)
	}
	return append(steps, n)
}

// ratesTable writes rates, by batch and number of threads, and returns the one of most
// images and threads.
func ratesTable(w io.Writer, rates [][]benchResult) benchResult {
	largest := rates[len(rates)-1]
	most := largest[len(largest)-1]
	fmt.Fprintf(w, "%s engine, %s, %s; plan %s, single images %s\n\n", most.Engine, most.ISA, most.Numeric, most.Plan, rates[0][0].Plan)
	t := report.NewTable(w)
	header := table.Row{"images/s"}
	for _, r := range rates[0] {
		header = append(header, words.Count(r.Threads, "thread"))
	}
	t.AppendHeader(header)
	for _, line := range rates {
		row := table.Row{fmt.Sprintf("batch %d", line[0].Batch)}
		for _, r := range line {
			row = append(row, fmt.Sprintf("%.1f", r.ImagesPerSec))
		}
		t.AppendRow(row)
	}
	t.Render()
	if most.PeakRSS > 0 {
		fmt.Fprintf(w, "peak memory %s (batch %d, %s)\n", humanize.Bytes(uint64(most.PeakRSS)), most.Batch, words.Count(most.Threads, "thread"))
	}
	return most
}

// profiledBatch is how many images a profile of the layers takes.
const profiledBatch = 16

// profile times the layers on one thread. It returns the time that each takes for an
// image, as the median over calls.
func (p *process) profile(ctx context.Context, f benchFlags) (layers []extract.LayerTime, calls int, err error) {
	f.batch, f.threads = profiledBatch, 1
	var runs [][]extract.LayerTime
	_, err = p.measure(ctx, f, "forward", func(b *bench, ctx context.Context) error {
		pixels, features := crops(f.batch)
		return b.measure(ctx, func() (int, error) {
			layers, err := b.x.Profile(ctx, features, pixels, f.batch)
			runs = append(runs, layers)
			return f.batch, err
		})
	})
	if err != nil {
		return nil, 0, err
	}
	for i, l := range runs[0] {
		var times []time.Duration
		for _, r := range runs {
			times = append(times, r[i].Time)
		}
		slices.Sort(times)
		l.Time = times[len(times)/2] / time.Duration(f.batch)
		layers = append(layers, l)
	}
	return layers, len(runs), nil
}

// layerTable writes the layers of a batch on one thread. Peak is what that thread can
// do, in floating-point operations a second; 0 is unknown.
func layerTable(w io.Writer, layers []extract.LayerTime, calls int, peak float64) {
	fmt.Fprintln(w)
	t := report.NewTable(w)
	t.AppendHeader(table.Row{fmt.Sprintf("layer (batch %d)", profiledBatch), "algorithm", "ms/image", "GFLOP/s", "of peak"})
	total := extract.LayerTime{Name: "all"}
	for _, l := range layers {
		t.AppendRow(layerRow(l, peak))
		total.Time, total.Direct, total.Done = total.Time+l.Time, total.Direct+l.Direct, total.Done+l.Done
	}
	t.AppendRow(layerRow(total, peak))
	t.Render()
	if peak > 0 {
		fmt.Fprintf(w, strings.Join([]string{"",
			"GFLOP/s counts the multiplications and additions of direct convolutions. The share",
			"counts those that are done, without transforms, against %.1f GFLOP/s of",
			"multiply-adds between registers. One thread, medians of %s.", ""}, "\n"), peak/1e9, words.Count(calls, "call"))
	}
}

func layerRow(l extract.LayerTime, peak float64) table.Row {
	seconds := l.Time.Seconds()
	share := "–"
	if peak > 0 && l.Done > 0 {
		share = fmt.Sprintf("%.0f %%", 100*2*float64(l.Done)/seconds/peak)
	}
	return table.Row{l.Name, l.Algorithm, fmt.Sprintf("%.3f", seconds*1e3), fmt.Sprintf("%.1f", 2*float64(l.Direct)/seconds/1e9), share}
}
