package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
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

// What a lock file says is another's word: it makes one line of a message, however long it
// is and whatever is in it.
func TestOwnersAreNamedInALine(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"escapes": `{"pid":7,"host":"a\u001b[2J","command":"icebox\nall is well\u0007","since":"2026-01-02T03:04:05Z"}`,
		"long":    `{"pid":7,"host":"` + strings.Repeat("h", 30_000) + `","command":"` + strings.Repeat("é", 15_000) + `"}`,
		"huge":    `{"pid":7,"host":"` + strings.Repeat("h", 20<<20) + `"}`,
		"nothing": "",
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		must(t, os.WriteFile(lockPath(path), []byte(content), 0o644))
		f, err := openLock(path)
		must(t, err)
		defer f.Close()
		who := readOwner(f)
		if len(who) > 1000 || !utf8.ValidString(who) || strings.ContainsFunc(who, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: %.2000q", name, who)
		}
		if want := map[string]string{"escapes": `process 7 on "a\x1b[2J" ("icebox\nall is well\a", since `, "long": "process 7 on hhh", "huge": "another process", "nothing": "another process"}[name]; !strings.HasPrefix(who, want) {
			t.Errorf("%s: %s, want %s", name, who, want)
		}
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
