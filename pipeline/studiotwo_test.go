package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"icebox/pipeline/corrections"
	"icebox/pipeline/studio"
	"icebox/pipeline/studio/web"
)

// window is a browser that changes labels, and hears of changes.
type window struct {
	name, address string
	heard         chan map[int]studio.Event // by version, once all are there
}

// openWindow listens until it has heard of the changes of so many versions.
func openWindow(t *testing.T, ctx context.Context, name, address string, changes int) *window {
	t.Helper()
	w := &window{name: name, address: address, heard: make(chan map[int]studio.Event, 1)}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/events", nil)
	must(t, err)
	stream, err := http.DefaultClient.Do(r)
	must(t, err)
	lines := bufio.NewScanner(stream.Body)
	lines.Scan() // it listens by now
	go func() {
		defer stream.Body.Close()
		heard := map[int]studio.Event{}
		for len(heard) < changes && lines.Scan() {
			var e studio.Event
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &e) == nil && e.By != "" {
				heard[e.Version] = e
			}
		}
		w.heard <- heard
	}()
	return w
}

// madeChange is a change, and what came of it.
type madeChange struct {
	item, seen int
	class      string
	event      studio.Event
}

func (w *window) change(m *madeChange) error {
	body := fmt.Sprintf(`{"items":[%d],"action":"relabel","class":%q,"seen":%d,"by":%q}`, m.item, m.class, m.seen, w.name)
	r, err := http.Post(w.address+"/change", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", r.Status)
	}
	return json.NewDecoder(r.Body).Decode(&m.event)
}

// Two windows change the same images a few hundred times at once: both hear of each change,
// the later of two holds, and both are told where one overrules what the other had not seen.
func TestTwoWindowsAtOnce(t *testing.T) {
	const each, items = 150, 7
	s, o := studioOf(t, settings(photos(t, 2, 8)))
	srv := httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(srv.Listener.Addr().String(), ":")
	srv.Config.Handler = web.New(s, web.Options{Hosts: web.Hosts(port)})
	srv.Start()
	defer srv.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	names := []string{"one", "two"}
	all := make([][]madeChange, len(names))
	var windows []*window
	for _, name := range names {
		windows = append(windows, openWindow(t, ctx, name, srv.URL, 2*each))
	}
	var both sync.WaitGroup
	for n, w := range windows {
		all[n] = make([]madeChange, each)
		both.Go(func() {
			seen := 0
			for k := range all[n] {
				m := &all[n][k]
				m.item, m.class, m.seen = (k*(n+2))%items, fmt.Sprintf("class%d", (k+n)%2), seen
				if err := w.change(m); err != nil {
					t.Error(err)
					return
				}
				seen = m.event.Version
			}
		})
	}
	both.Wait()
	byVersion := map[int]*madeChange{}
	for n := range all {
		for k := range all[n] {
			byVersion[all[n][k].event.Version] = &all[n][k]
		}
	}
	last, overruled := map[int]*madeChange{}, 0
	for v := 1; v <= 2*each; v++ {
		m := byVersion[v]
		if m == nil {
			t.Fatalf("nobody made version %d", v)
		}
		before := last[m.item]
		want := before != nil && before.event.By != m.event.By && before.event.Version > m.seen
		if got := strings.Contains(m.event.Text, "was changed in another window"); got != want {
			t.Errorf("version %d says %q", v, m.event.Text)
		}
		if want {
			overruled++
		}
		last[m.item] = m
	}
	for _, w := range windows {
		heard := <-w.heard
		for v, m := range byVersion {
			if heard[v].Text != m.event.Text || heard[v].By != m.event.By {
				t.Errorf("window %s has heard %+v of version %d, want %+v", w.name, heard[v], v, m.event)
			}
		}
	}
	for item, m := range last {
		if d, _ := s.Detail(item); d.Class != m.class {
			t.Errorf("image %d is of %s, and %s came last", item, d.Class, m.class)
		}
	}
	if f, err := corrections.Read(o.Data.Corrections); err != nil || len(f.Changes) != 2*each || overruled == 0 {
		t.Errorf("%v; %d lines, %d overruled", err, len(f.Changes), overruled)
	}
}
