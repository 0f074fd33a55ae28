package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"icebox/extract"
)

// forwardReport prints what the backbone does here: images/s by batch and threads,
// and where the time of a batch goes.
func (p *process) forwardReport(ctx context.Context, f benchFlags) error {
	batches := []int{1, 8, 32} // measured from the last on: memory's peak is that of the first
	const parts = 3            // a measurement of many gets so much less time
	f.seconds /= parts
	threads := threadSteps(runtime.NumCPU())
	rates := make([][]benchResult, len(batches))
	var most benchResult
	for i, batch := range slices.Backward(batches) {
		for _, n := range threads {
			f.batch, f.threads = batch, n
			r, err := p.measure(ctx, f, "forward", (*bench).forward)
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], r)
			if i == len(batches)-1 {
				most = r
			}
		}
	}
	fmt.Fprintf(p.stdout, "%s engine, %s; plan %s, single images %s\n\n%-12s", most.Engine, most.ISA, most.Plan, rates[0][0].Plan, "images/s")
	for _, n := range threads {
		fmt.Fprintf(p.stdout, "%6d %s", n, map[bool]string{true: "thread ", false: "threads"}[n == 1])
	}
	fmt.Fprintln(p.stdout)
	for i, batch := range batches {
		fmt.Fprintf(p.stdout, "batch %-6d", batch)
		for _, r := range rates[i] {
			fmt.Fprintf(p.stdout, "%14.1f", r.ImagesPerSec)
		}
		fmt.Fprintln(p.stdout)
	}
	if most.PeakRSS > 0 {
		fmt.Fprintf(p.stdout, "peak memory %d MB (batch %d, %d threads)\n", most.PeakRSS/1e6, most.Batch, most.Threads)
	}
	return p.layerTable(ctx, f, most.ISA)
}

// threadSteps returns 1, 2, 4 … n.
func threadSteps(n int) []int {
	var steps []int
	for i := 1; i < n; i *= 2 {
		steps = append(steps, i)
	}
	return append(steps, n)
}

// layerTable prints the layers of a batch on one thread.
func (p *process) layerTable(ctx context.Context, f benchFlags, isa string) error {
	f.batch, f.threads = 16, 1
	var runs [][]extract.LayerTime
	_, err := p.measure(ctx, f, "forward", func(b *bench, ctx context.Context) error {
		pixels, features := crops(f.batch)
		return b.measure(ctx, func() (int, error) {
			layers, err := b.x.Profile(ctx, features, pixels, f.batch)
			runs = append(runs, layers)
			return f.batch, err
		})
	})
	if err != nil {
		return err
	}
	peak := extract.Peak(isa)
	fmt.Fprintf(p.stdout, "\n%-22s %-20s %8s %9s %8s\n", fmt.Sprintf("layer (batch %d)", f.batch), "algorithm", "ms/image", "GFLOP/s", "of peak")
	var total extract.LayerTime
	for i, l := range runs[0] {
		var times []time.Duration
		for _, r := range runs {
			times = append(times, r[i].Time)
		}
		slices.Sort(times)
		l.Time = times[len(times)/2] / time.Duration(f.batch)
		p.layerLine(l, peak)
		total.Time, total.Direct, total.Done = total.Time+l.Time, total.Direct+l.Direct, total.Done+l.Done
	}
	total.Name = "all"
	p.layerLine(total, peak)
	if peak > 0 {
		fmt.Fprintf(p.stdout, "\nGFLOP/s counts the multiplications and additions of direct convolutions; the share those that are done,\n"+
			"without transforms, against %.1f GFLOP/s of multiply-adds between registers. One thread, medians of %d calls.\n", peak/1e9, len(runs))
	}
	return nil
}

func (p *process) layerLine(l extract.LayerTime, peak float64) {
	seconds := l.Time.Seconds()
	share := "-"
	if peak > 0 && l.Done > 0 {
		share = fmt.Sprintf("%.0f %%", 100*2*float64(l.Done)/seconds/peak)
	}
	fmt.Fprintf(p.stdout, "%-22s %-20s %8.3f %9.1f %8s\n", l.Name, l.Algorithm, seconds*1e3, 2*float64(l.Direct)/seconds/1e9, share)
}
