package studio

import (
	"context"
	"fmt"
	"os"
	"time"

	"icebox/cache"
	"icebox/pipeline/runs"
	"icebox/pipeline/words"
)

// watchEvery is how often a session looks at what other processes do.
const watchEvery = 2 * time.Second

// watched is over how long a rate is taken: rows are committed some hundreds at a time.
const watched = 30 * time.Second

// Elsewhere is what other processes do with the cache and the runs, a line each, for people;
// none is nothing. It is what can be seen without being in their way: rows that are committed,
// and lines that are written.
func (s *Session) Elsewhere() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.elsewhere
}

// watch looks at what other processes do, as long as somebody listens.
func (s *Session) watch(ctx context.Context) {
	w := watcher{path: s.o.Source.Origin().Cache, runs: s.o.Runs}
	defer w.close()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		heard, before := len(s.hearers) > 0, len(s.elsewhere)
		s.mu.Unlock()
		var now []string
		if heard {
			now = w.look(time.Now())
		} else {
			w.close()
		}
		s.mu.Lock()
		s.elsewhere = now
		if len(now)+before > 0 {
			s.tell(Event{Version: s.version, Elsewhere: true})
		}
		s.mu.Unlock()
	}
}

// watcher is what is known of other processes.
type watcher struct {
	path, runs string
	c          *cache.Cache // open while another process writes to it
	counts     []count
}

// count is how many rows there were.
type count struct {
	at   time.Time
	rows int
}

// look says what goes on.
func (w *watcher) look(now time.Time) (lines []string) {
	if by, ok := cache.WrittenBy(w.path); ok && by.PID != os.Getpid() {
		lines = append(lines, fmt.Sprintf("%v writes to the cache%s", by, w.rows(now)))
	} else {
		w.close()
	}
	for _, u := range runs.ListUnderway(w.runs) {
		what := words.Count(u.Lines, "epoch")
		if u.Sweep {
			what = words.Count(u.Lines, "head")
		}
		text := fmt.Sprintf("%s by now, the last of them %.0f s ago", what, max(0, now.Sub(u.Changed).Seconds()))
		if u.Lines == 0 {
			text = "nothing is written yet"
		}
		lines = append(lines, fmt.Sprintf("the run %s goes on: %s", words.Name(u.Name), text))
	}
	return lines
}

// rows says how many rows are committed, and how fast they become more; "" is not known.
func (w *watcher) rows(now time.Time) string {
	var err error
	if w.c == nil {
		w.c, err = cache.Open(w.path, cache.Options{})
	} else {
		err = w.c.Refresh()
	}
	if err != nil {
		return "" // it is looked at again soon
	}
	n := 0
	for _, space := range w.c.Spaces() {
		n += space.Rows
	}
	w.counts = append(w.counts, count{now, n})
	for len(w.counts) > 2 && now.Sub(w.counts[1].at) > watched {
		w.counts = w.counts[1:]
	}
	first := w.counts[0]
	text := ": " + words.Count(n, "row") + " by now"
	if spent := now.Sub(first.at).Seconds(); spent > 0 {
		text += fmt.Sprintf(", %s more in %.0f s, %.0f a second", words.Number(n-first.rows), spent, float64(n-first.rows)/spent)
	}
	return text
}

// close forgets what was seen of the cache.
func (w *watcher) close() {
	if w.c != nil {
		_ = w.c.Close() // nothing was written
	}
	w.c, w.counts = nil, nil
}
