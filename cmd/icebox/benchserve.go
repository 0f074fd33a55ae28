package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

// servedFlags are the settings of a load.
type servedFlags struct {
	url, data   string
	concurrency int
	rate        float64
	seconds     float64
}

// servedResult is what a load finds.
type servedResult struct {
	What           string  `json:"what"`
	Requests       int     `json:"requests"`
	Failed         int     `json:"failed"` // of them, those with a status other than 200
	Seconds        float64 `json:"seconds"`
	RequestsPerSec float64 `json:"requests_per_s"`
	Concurrency    int     `json:"concurrency"`
	Rate           float64 `json:"rate,omitempty"` // requests that were begun a second; 0 is as many as are answered
	P50            float64 `json:"p50_ms"`
	P99            float64 `json:"p99_ms"`
}

func (p *process) benchServe() *cobra.Command {
	var f servedFlags
	cmd := &cobra.Command{
		Use:   "serve --url URL --data DIR",
		Short: "Measure a server that takes images",
		Long: `serve posts the images of --data to an address, one a request, and measures how
many are answered and how long each takes. The server may be any that takes the
bytes of an image. With --rate, requests begin at that rate, however long
answers take; else each of --concurrency clients asks as soon as it is answered.

  icebox bench serve --url http://127.0.0.1:8080/ --data photos --concurrency 16`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.url == "" || f.data == "":
				return usagef("bench serve needs --url and --data")
			case f.concurrency < 1 || f.seconds <= 0 || f.rate < 0:
				return usagef("--concurrency and --seconds must be above 0, and --rate not below")
			}
			return p.load(cmd.Context(), &f)
		},
	}
	cmd.Flags().StringVar(&f.url, "url", "", "`address` to post to")
	cmd.Flags().StringVar(&f.data, "data", "", "`folder` of images")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 1, "`number` of requests at a time")
	cmd.Flags().Float64Var(&f.rate, "rate", 0, "`number` of requests that begin a second")
	cmd.Flags().Float64Var(&f.seconds, "seconds", 5, "how long to measure")
	return cmd
}

// load asks a server for a while.
func (p *process) load(ctx context.Context, f *servedFlags) error {
	paths, _, err := dataset.ImagesBelow(ctx, p.path(f.data))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("%w: no image in %s", dataset.ErrData, f.data)
	}
	var images [][]byte
	for _, path := range paths[:min(len(paths), 500)] {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		images = append(images, data)
	}
	l := &loading{url: f.url, images: images, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10_000}}}
	defer l.client.CloseIdleConnections()
	if _, err := l.ask(ctx, 0); err != nil { // one to warm up
		return err
	}
	start := time.Now()
	if err := l.run(ctx, f); err != nil {
		return err
	}
	r := l.result()
	r.What, r.Concurrency, r.Rate, r.Seconds = "serve", f.concurrency, f.rate, time.Since(start).Seconds()
	r.RequestsPerSec = float64(r.Requests-r.Failed) / r.Seconds
	return p.printSummary(r, func(w io.Writer) {
		fmt.Fprintf(w, "%.1f requests/s at %s at a time; half take up to %.1f ms, 99 of 100 up to %.1f ms; %s, %s failed\n",
			r.RequestsPerSec, words.Number(r.Concurrency), r.P50, r.P99, words.Count(r.Requests, "request"), words.Number(r.Failed))
	})
}

// loading is a load in progress.
type loading struct {
	url    string
	images [][]byte
	client *http.Client

	mu     sync.Mutex
	took   []time.Duration
	failed int
}

// ask posts an image and reads the answer; ok is false where its status is not 200.
func (l *loading) ask(ctx context.Context, n int) (ok bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(l.images[n%len(l.images)]))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "image/jpeg")
	answer, err := l.client.Do(r)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusOK, err
}

// timed is ask, whose time is kept.
func (l *loading) timed(ctx context.Context, n int) error {
	start := time.Now()
	ok, err := l.ask(ctx, n)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, time.Since(start))
	if !ok {
		l.failed++
	}
	return nil
}

func (l *loading) run(ctx context.Context, f *servedFlags) error {
	until := time.Now().Add(time.Duration(f.seconds * float64(time.Second)))
	g, ctx := errgroup.WithContext(ctx)
	if f.rate > 0 {
		tick := time.NewTicker(time.Duration(float64(time.Second) / f.rate))
		defer tick.Stop()
		for n := 0; time.Now().Before(until) && ctx.Err() == nil; n++ {
			<-tick.C
			g.Go(func() error { return l.timed(ctx, n) })
		}
		return g.Wait()
	}
	for c := range f.concurrency {
		g.Go(func() error {
			for n := c; time.Now().Before(until); n += f.concurrency {
				if err := l.timed(ctx, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (l *loading) result() servedResult {
	slices.Sort(l.took)
	at := func(share float64) float64 {
		return float64(l.took[min(int(share*float64(len(l.took))), len(l.took)-1)].Microseconds()) / 1000
	}
	if len(l.took) == 0 {
		return servedResult{}
	}
	return servedResult{Requests: len(l.took), Failed: l.failed, P50: at(.5), P99: at(.99)}
}
