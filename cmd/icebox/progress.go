package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"icebox/pipeline"
	"icebox/pipeline/words"
)

// progress is how a command shows how far it is; finish ends the drawing.
type progress interface {
	pipeline.Progress
	finish()
}

func (p *process) progress() progress {
	switch {
	case p.quiet:
		return quiet{pipeline.Silent}
	case p.errWidth > 0:
		return &bars{out: p.stderr, width: p.errWidth}
	}
	return &lines{out: p.stderr, every: 5 * time.Second}
}

type quiet struct{ pipeline.Progress }

func (quiet) finish() {}

// unit is what a stage counts.
func unit(stage string) string {
	switch stage {
	case "train":
		return "epochs"
	case "sweep":
		return "head-epochs"
	case "fetch":
		return "bytes"
	}
	return "images"
}

// drawn reports whether a stage takes long enough to be shown.
func drawn(stage string, total int) bool { return total > 0 && stage != "look up" }

// bars draws on a terminal. Each stage has a bar and a container of its own, which ends with
// the stage: what is written to a container after its last frame is never seen.
type bars struct {
	out   io.Writer
	width int // columns of the terminal
	mu    sync.Mutex
	all   *mpb.Progress // of the stage that is drawn; nil between such stages
	bar   *mpb.Bar

	status atomic.Value // string
}

func (b *bars) Start(stage string, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
	b.status.Store("")
	if !drawn(stage, total) {
		return
	}
	count, speed := decor.CountersNoUnit(" %d / %d"), decor.AverageSpeed(0, " %.1f "+unit(stage)+"/s")
	if unit(stage) == "bytes" {
		count, speed = decor.CountersKiloByte(" % .1f / % .1f"), decor.AverageSpeed(decor.SizeB1000(0), " % .1f")
	}
	b.all = mpb.New(mpb.WithOutput(b.out), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	b.bar = b.all.AddBar(int64(total),
		mpb.PrependDecorators(decor.Name(stage, decor.WC{W: 8, C: decor.DindentRight})),
		mpb.AppendDecorators(count, speed, decor.OnCompleteOrOnAbort(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), ""),
			decor.Any(func(decor.Statistics) string { return b.status.Load().(string) })))
}

// end completes the bar of the stage that is over, however far it came.
func (b *bars) end() {
	if b.bar != nil {
		b.bar.Abort(false)
		b.all.Wait()
		b.all, b.bar = nil, nil
	}
}

func (b *bars) Add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		b.bar.IncrBy(n)
	}
}

func (b *bars) Status(text string) { b.status.Store("  " + text) }

// Note writes above the bar while it moves: its next frame brings the note along. A bar
// that is full may have had its last frame.
func (b *bars) Note(message string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil && b.bar.Completed() {
		b.end()
	}
	text := wrap(words.Printable("note: "+message+"\n"), b.width)
	if b.all != nil {
		if _, err := io.WriteString(b.all, text); err == nil {
			return
		}
	}
	_, _ = io.WriteString(b.out, text)
}

func (b *bars) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
}

// lines writes a line every few seconds, for logs.
type lines struct {
	out   io.Writer
	every time.Duration

	mu          sync.Mutex
	stage       string
	status      string
	total, done int
	start, last time.Time
}

func (l *lines) Start(stage string, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stage, l.status, l.total, l.done = stage, "", total, 0
	l.start = time.Now()
	l.last = l.start
}

func (l *lines) Add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += n
	if !drawn(l.stage, l.total) || time.Since(l.last) < l.every {
		return
	}
	l.last = time.Now()
	rate := float64(l.done) / time.Since(l.start).Seconds()
	left := time.Duration(float64(l.total-l.done) / rate * float64(time.Second))
	fmt.Fprintf(l.out, "%s: %s of %s %s, %.1f/s, %v left%s\n", l.stage, words.Number(l.done), words.Number(l.total), unit(l.stage), rate, left.Round(time.Second), l.status)
}

func (l *lines) Status(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = "; " + text
}

func (l *lines) Note(message string) { fmt.Fprintf(l.out, "note: %s\n", words.Printable(message)) }

func (l *lines) finish() {}
