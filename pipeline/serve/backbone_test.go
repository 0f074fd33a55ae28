package serve

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icebox/extract"
)

// slow computes the first pixel, once it is let.
type slow struct {
	let     chan struct{}
	batches chan int
	running atomic.Int32
	most    atomic.Int32
	fail    error
}

func (e *slow) Forward(_ context.Context, features []float32, pixels []uint8, n int) error {
	now := e.running.Add(1)
	defer e.running.Add(-1)
	for m := e.most.Load(); now > m && !e.most.CompareAndSwap(m, now); m = e.most.Load() {
	}
	e.batches <- n
	<-e.let
	for i := range n {
		features[i*extract.Dim] = float32(pixels[i*extract.PixelBytes])
	}
	return e.fail
}

func (*slow) Close() error { return nil }

// openSlow opens a backbone of a slow engine, and lets it get ready.
func openSlow(t *testing.T, e *slow, o BackboneOptions) *Backbone {
	t.Helper()
	e.let, e.batches = make(chan struct{}, 1000), make(chan int, 1000)
	e.let <- struct{}{}
	o.Extract = extract.Options{Weights: extract.Random, Engine: "slow", Engines: []extract.EngineSpec{{Name: "slow", Numerics: []string{"fp32"},
		Open: func(context.Context, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
			return e, extract.EngineInfo{Name: "slow", ISA: "any", Plan: "test", Numeric: "fp32"}, nil
		}}}}
	b, err := OpenBackbone(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	<-e.batches
	return b
}

// crops are inputs whose first pixel is their number.
func crops(n int) []Input {
	all := make([]Input, n)
	for i := range all {
		all[i].Crop = make([]uint8, extract.PixelBytes)
		all[i].Crop[0] = uint8(i)
	}
	return all
}

// Images that come while all workers compute go through together; each gets its own feature.
func TestWaitingImagesAreSharedOut(t *testing.T) {
	e := &slow{}
	b := openSlow(t, e, BackboneOptions{})
	workers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	ask := func(n int) {
		all.Go(func() {
			x, faults := make([]float32, n*extract.Dim), make([]error, n)
			if err := b.Features(context.Background(), crops(n), x, faults); err != nil {
				t.Error(err)
			}
			for i := range n {
				if x[i*extract.Dim] != float32(i) {
					t.Errorf("image %d has the feature of %v", i, x[i*extract.Dim])
				}
			}
		})
	}
	ask(workers) // one for each
	for range workers {
		if n := <-e.batches; n != 1 {
			t.Errorf("a free worker took %d images while others were free", n)
		}
	}
	ask(MaxBatch + 3)
	for b.Waiting() < MaxBatch+3 {
		time.Sleep(time.Millisecond)
	}
	e.let <- struct{}{} // one worker is free now, and takes as many as it may
	if n := <-e.batches; n != MaxBatch {
		t.Errorf("a worker took %d of %d images", n, MaxBatch+3)
	}
	for range 100 {
		e.let <- struct{}{}
	}
	all.Wait()
	if got := int(e.most.Load()); got != workers {
		t.Errorf("%d computed at once, of %d workers", got, workers)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Features(context.Background(), crops(1), make([]float32, extract.Dim), make([]error, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// Where too many wait, more are refused; who gives up waits no longer.
func TestQueueIsBounded(t *testing.T) {
	e := &slow{}
	b := openSlow(t, e, BackboneOptions{Queue: 4})
	workers := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	ask := func(ctx context.Context, n int) (err error) {
		return b.Features(ctx, crops(n), make([]float32, n*extract.Dim), make([]error, n))
	}
	for range workers {
		all.Go(func() { _ = ask(context.Background(), 1) })
		<-e.batches
	}
	ctx, giveUp := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() { gone <- ask(ctx, 4) }()
	for b.Waiting() < 4 {
		time.Sleep(time.Millisecond)
	}
	if err := ask(context.Background(), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("beside a full queue: %v", err)
	}
	giveUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := b.Waiting(); n != 0 {
		t.Errorf("%d images wait for nobody", n)
	}
	for range 100 {
		e.let <- struct{}{}
	}
	all.Wait()
	// What waits when the backbone is closed is answered.
	if err := ask(context.Background(), 4); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// A bad image spoils no other; a failing engine is an error of the request.
func TestFaultsStayApart(t *testing.T) {
	e := &slow{}
	b := openSlow(t, e, BackboneOptions{})
	for range 100 {
		e.let <- struct{}{}
	}
	inputs := crops(3)
	inputs[1] = Input{Image: []byte("no image")}
	x, faults := make([]float32, 3*extract.Dim), make([]error, 3)
	if err := b.Features(context.Background(), inputs, x, faults); err != nil {
		t.Fatal(err)
	}
	if faults[0] != nil || faults[2] != nil || !errors.Is(faults[1], extract.ErrImageFormat) || x[2*extract.Dim] != 2 {
		t.Errorf("%v, %v", faults, x[2*extract.Dim])
	}
	e.fail = errors.New("lost")
	if err := b.Features(context.Background(), crops(2), x[:2*extract.Dim], faults[:2]); !errors.Is(err, extract.ErrEngine) {
		t.Errorf("%v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// Drift follows the newest images.
func TestDrift(t *testing.T) {
	training := MomentsOf([]float32{1, 10, 3, 10}, 2)
	if fmt.Sprint(training.Mean, training.Std) != "[2 10] [1 0]" {
		t.Errorf("%v", training)
	}
	var d Drift
	if share, _, _ := d.Now(training); share == share {
		t.Errorf("nothing is known, and it says %v", share)
	}
	sure := Answer{Label: "a", Probabilities: []float64{.9, .1}}
	for range 5000 {
		d.Add([]Answer{sure, {Err: errors.New("bad")}}, []float32{2, 0, 99, 99})
	}
	if share, top, far := d.Now(training); share != 0 || top < .89 || far > .01 {
		t.Errorf("%v %v %v", share, top, far)
	}
	for range 5000 {
		d.Add([]Answer{{Label: "unknown", Probabilities: []float64{.4, .3}}}, []float32{5, 0})
	}
	if share, top, far := d.Now(training); share < .95 || top > .45 || far < 2.9 || far > 3.1 {
		t.Errorf("%v %v %v", share, top, far)
	}
}

func TestShelf(t *testing.T) {
	var s Shelf
	a, b := &Model{Name: "a", Version: "1"}, &Model{Name: "b", Version: "1"}
	if err := errors.Join(s.Add(a), s.Add(b)); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(&Model{Name: "a"}); !errors.Is(err, ErrNameTaken) {
		t.Errorf("%v", err)
	}
	if p, err := s.Find("", ""); err != nil || p.Model() != a {
		t.Errorf("%v", err)
	}
	if _, err := s.Find("c", ""); !errors.Is(err, ErrNoModel) {
		t.Errorf("%v", err)
	}
	p, err := s.Find("b", "1")
	if err != nil {
		t.Fatal(err)
	}
	if old := p.Put(&Model{Name: "b", Version: "2"}); old != b {
		t.Error("another model stood there")
	}
	if _, err := s.Find("b", "1"); !errors.Is(err, ErrNoVersion) {
		t.Errorf("%v", err)
	}
	if !slices.Equal(s.Names(), []string{"a", "b"}) {
		t.Error(s.Names())
	}
}
