package resnet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"icebox/extract/internal/kernel"
)

func TestXXPair(t *testing.T) {
	batch, _ := strconv.Atoi(os.Getenv("PAIR"))
	if batch == 0 {
		t.Skip()
	}
	threads, _ := strconv.Atoi(os.Getenv("THREADS"))
	cmd := exec.Command("/tmp/venv/bin/python", "/tmp/ort.py", strconv.Itoa(threads), strconv.Itoa(batch))
	in, _ := cmd.StdinPipe()
	outp, _ := cmd.StdoutPipe()
	cmd.Start()
	rd := bufio.NewScanner(outp)
	for rd.Scan() && rd.Text() != "ready" {
	}
	var px []uint8
	for i := range batch {
		px = append(px, recipeImage(i)...)
	}
	ratios := map[string][]float64{}
	bests := map[string]float64{}
	means := map[string][]float64{}
	type eng struct {
		n  *Net
		ws []*Workspace
		f  [][]float32
	}
	var engs []eng
	for _, isa := range kernel.Available()[1:] {
		n, _ := New(recipeWeights(), Options{LUT: recipeLUT(), ISA: isa.String()})
		e := eng{n: n}
		for range threads {
			e.ws = append(e.ws, n.NewWorkspace())
			e.f = append(e.f, make([]float32, batch*Dim))
		}
		engs = append(engs, e)
	}
	for range 12 {
		fmt.Fprintln(in, "1.0")
		rd.Scan()
		var r [2]float64
		json.Unmarshal(rd.Bytes(), &r)
		bests["ort"] = max(bests["ort"], r[1])
		means["ort"] = append(means["ort"], r[0])
		for _, e := range engs {
			t0 := time.Now()
			var wg sync.WaitGroup
			count := make([]int, threads)
			best := make([]float64, threads)
			for w := range threads {
				wg.Go(func() {
					for time.Since(t0) < time.Second {
						t1 := time.Now()
						e.n.Forward(e.ws[w], e.f[w], px, batch)
						count[w] += batch
						best[w] = max(best[w], float64(batch)/time.Since(t1).Seconds())
					}
				})
			}
			wg.Wait()
			sum, bs := 0, 0.0
			for w := range threads {
				sum += count[w]
				bs += best[w]
			}
			rate := float64(sum) / time.Since(t0).Seconds()
			k := e.n.ISA()
			means[k] = append(means[k], rate)
			ratios[k] = append(ratios[k], rate/r[0])
			bests[k] = max(bests[k], bs)
		}
	}
	for k, v := range means {
		slices.Sort(v)
		fmt.Printf("batch %d threads %d %s median %.1f best-call %.1f img/s", batch, threads, k, v[len(v)/2], bests[k])
		if r := ratios[k]; r != nil {
			slices.Sort(r)
			fmt.Printf("  ratio median %.2f [%.2f %.2f]  best/best %.2f", r[len(r)/2], r[len(r)/4], r[len(r)*3/4], bests[k]/bests["ort"])
		}
		fmt.Println()
	}
	in.Close()
	cmd.Wait()
}
