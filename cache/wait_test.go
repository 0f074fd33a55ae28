package cache

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// waiting are options of a writer that waits for its readers; told is sent what a person is
// told.
func waiting(ctx context.Context) (o Options, told chan string) {
	told = make(chan string, 10)
	o = quick()
	o.LockWait, o.Context, o.Waiting = 50*time.Millisecond, ctx, func(why string) { told <- why }
	return o, told
}

func TestWriterWithWorkInHandOutwaitsItsReaders(t *testing.T) {
	t.Parallel()
	o, told := waiting(t.Context())
	c := newCache(t, o)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	put(t, w, space8, keysOf(0, 10)...)
	reader, err := openShared(c.path, time.Second)
	must(t, err)
	time.AfterFunc(tellAfter+500*time.Millisecond, func() { reader.Close() })
	must(t, w.Flush())
	must(t, w.Close())
	wantRows(t, c, space8, keysOf(0, 10))
	if len(told) != 1 || !strings.Contains(<-told, c.path) {
		t.Error("nobody was told")
	}
}

func TestWaitOfAWriterIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o, _ := waiting(ctx)
	c := newCache(t, o)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native1))
	put(t, w, space8, keysOf(0, 10)...)
	reader, err := openShared(c.path, time.Second)
	must(t, err)
	time.AfterFunc(200*time.Millisecond, cancel)
	begin := time.Now()
	if err := w.Flush(); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrLocked) {
		t.Errorf("flush: %v", err)
	}
	if err := w.Flush(); !errors.Is(err, ErrLocked) {
		t.Errorf("flush after the interrupt: %v", err)
	}
	if spent := time.Since(begin); spent > 3*time.Second {
		t.Errorf("it took %v to end", spent)
	}
	reader.Close()
	must(t, w.Close()) // and nothing is lost yet
	wantRows(t, c, space8, keysOf(0, 10))
}

func TestWriterQueuesForTheClaim(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o, told := waiting(ctx)
	o.ClaimWait = time.Minute
	c := newCache(t, o)
	first, err := c.Writer()
	must(t, err)
	time.AfterFunc(tellAfter+300*time.Millisecond, func() { first.Close() })
	second, err := c.Writer()
	must(t, err)
	if len(told) != 1 {
		t.Errorf("told %d times", len(told))
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := Compact(c.path, CompactOptions{Options: o}); !errors.Is(err, ErrLocked) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	must(t, second.Close())
}
