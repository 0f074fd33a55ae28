package pipeline

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sample is what a process of the soak needs at a moment.
type sample struct {
	life   int
	stage  string
	second float64 // since the first sample
	values [4]float64
}

// Of the values of a sample.
const (
	rss  = iota // MB
	heap        // MB, of live and dead objects
	goroutines
	openFiles // of the process
)

func (s *soak) samples() string { return filepath.Join(s.dir, "samples.csv") }

// sampleEvery appends a sample to the file of samples every second, and 50 times a second
// where there are few images.
func sampleEvery(l *life) (stop func(), err error) {
	f, err := os.OpenFile(l.samples(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	pause := time.Second
	if l.images < 100_000 {
		pause = 20 * time.Millisecond
	}
	tick, ended, over := time.NewTicker(pause), make(chan bool), make(chan bool)
	go func() {
		defer close(over)
		for {
			select {
			case <-tick.C:
			case <-ended:
				return
			}
			l.mu.Lock()
			stage := l.stage
			l.mu.Unlock()
			fmt.Fprintf(f, "%d,%s,%d,%s\n", l.number, stage, time.Now().UnixMilli(), needs())
		}
	}()
	return func() { tick.Stop(); close(ended); <-over; f.Close() }, nil
}

// needs are the values of a sample of this process.
func needs() string {
	resident := 0.0
	if f, err := os.Open("/proc/self/status"); err == nil {
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if kb, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
				fmt.Sscan(kb, &resident)
			}
		}
		f.Close()
	}
	objects := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(objects)
	open, _ := os.ReadDir("/proc/self/fd")
	return fmt.Sprintf("%.1f,%.1f,%d,%d", resident/1024, float64(objects[0].Value.Uint64())/(1<<20), runtime.NumGoroutine(), len(open))
}

func (s *soak) readSamples(t *testing.T) (all []sample) {
	t.Helper()
	f, err := os.Open(s.samples())
	must(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	must(t, err)
	var first float64
	for _, line := range lines {
		var numbers [6]float64 // of the life, the time, and the values
		stage := line[1]
		for n, field := range slices.Delete(line, 1, 2) {
			numbers[n], err = strconv.ParseFloat(field, 64)
			must(t, err)
		}
		if first == 0 {
			first = numbers[1]
		}
		all = append(all, sample{int(numbers[0]), stage, (numbers[1] - first) / 1000, [4]float64(numbers[2:])})
	}
	return all
}

// median is that of one value of some samples.
func median(of []sample, value int) float64 {
	var all []float64
	for _, s := range of {
		all = append(all, s.values[value])
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// wantFlat compares, of each process that extracted for long enough, the last third of that
// time with the second.
func wantFlat(t *testing.T, all []sample) {
	t.Helper()
	lives, most := 0, [4]float64{}
	byLife := map[int][]sample{}
	for _, s := range all {
		for v := range most {
			most[v] = max(most[v], s.values[v])
		}
		if s.stage == "extract" {
			byLife[s.life] = append(byLife[s.life], s)
		}
	}
	for life, one := range byLife {
		n := len(one)
		if n < 20 {
			continue
		}
		lives++
		slacks := map[int]float64{goroutines: 2, openFiles: 2}
		if one[n-1].second-one[0].second > 20 { // before, the collector has not settled
			slacks[rss] = 0.15*median(one, rss) + 20
		}
		for v, slack := range slacks {
			before, after := median(one[n/3:2*n/3], v), median(one[2*n/3:], v)
			if after > before+slack {
				t.Errorf("life %d: value %d grows from %v to %v", life, v, before, after)
			}
		}
	}
	t.Logf("%d lives extracted for 20 samples and more; at most %.0f MB resident, %.0f MB of objects, %.0f goroutines, %.0f open files", lives, most[rss], most[heap], most[goroutines], most[openFiles])
}

// The plot of a soak: memory above, counts below, over time.
const (
	plotWidth, panelHeight = 760, 170
	plotLeft, plotTop      = 52, 44
	plotBins               = 380 // across; of a bin the largest value is drawn
)

const plotStyle = `<style>
text{font:12px sans-serif;fill:#333}.a{stroke:#0b62c4}.b{stroke:#c2410c}line{stroke:#999;stroke-width:.5}path{fill:none;stroke-width:1.5}
tspan.a{fill:#0b62c4;stroke:none}tspan.b{fill:#c2410c;stroke:none}
@media(prefers-color-scheme:dark){text{fill:#ddd}.a{stroke:#6cb2ff}.b{stroke:#ff9d5c}line{stroke:#666}tspan.a{fill:#6cb2ff}tspan.b{fill:#ff9d5c}}
</style>
`

// plotOf draws samples as SVG.
func plotOf(all []sample, images int) []byte {
	var out bytes.Buffer
	end := all[len(all)-1].second
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n<title>Memory, goroutines and open files while %d images are extracted</title>\n", plotLeft+plotWidth+20, plotTop+2*panelHeight+110, images)
	out.WriteString(plotStyle)
	panel(&out, all, plotTop, end, "memory in MB", [2]int{rss, heap}, [2]string{"resident", "objects on the heap"})
	panel(&out, all, plotTop+panelHeight+60, end, "number", [2]int{openFiles, goroutines}, [2]string{"open files", "goroutines"})
	fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="middle">seconds; a gap is a process that ended, and the next one that goes on</text>`+"\n</svg>\n", plotLeft+plotWidth/2, plotTop+2*panelHeight+100)
	return out.Bytes()
}

// panel draws two values, with their axes, below y.
func panel(out *bytes.Buffer, all []sample, y int, end float64, unit string, values [2]int, names [2]string) {
	top := 0.0
	for _, s := range all {
		top = max(top, s.values[values[0]], s.values[values[1]])
	}
	step := 1.0
	for n := 0; top/step > 5; n++ {
		step *= []float64{2, 2.5, 2}[n%3]
	}
	fmt.Fprintf(out, `<text x="0" y="%d">%s: <tspan class="a">%s</tspan>, <tspan class="b">%s</tspan></text>`+"\n", y-14, unit, names[0], names[1])
	height := func(v float64) float64 { return float64(y+panelHeight) - v/top*panelHeight }
	for v := 0.0; v <= top; v += step {
		fmt.Fprintf(out, `<line x1="%d" x2="%d" y1="%.0f" y2="%.0f"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n", plotLeft, plotLeft+plotWidth, height(v), height(v), plotLeft-6, height(v)+4, v)
	}
	for n := range 6 {
		fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="middle">%.0f</text>`+"\n", plotLeft+n*plotWidth/5, y+panelHeight+18, end*float64(n)/5)
	}
	for n, value := range values {
		fmt.Fprintf(out, `<path class="%c" d="`, 'a'+n)
		bin, life := -1, -1
		for i, s := range all {
			at := int(s.second / end * plotBins)
			if at == bin && s.life == life {
				continue
			}
			largest := s.values[value]
			for _, next := range all[i:] {
				if int(next.second/end*plotBins) != at || next.life != s.life {
					break
				}
				largest = max(largest, next.values[value])
			}
			pen := 'L'
			if s.life != life {
				pen = 'M'
			}
			fmt.Fprintf(out, "%c%d %.0f", pen, plotLeft+at*plotWidth/plotBins, height(largest))
			bin, life = at, s.life
		}
		out.WriteString(`"/>` + "\n")
	}
}
