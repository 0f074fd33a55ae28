package cache

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is what the cache must hold: rows by space, committed or put, and documents.
type model struct {
	path                string
	opts                Options
	c                   *Cache
	w                   *Writer
	declared            map[string]Producer
	rows, visible       map[string]map[int]bool
	docs, committedDocs map[string]string
}

func (m *model) open(t *rapid.T) {
	c, err := OpenOrCreate(m.path, m.opts)
	must(t, err)
	c.noSync = true // nobody cuts the power here
	m.c = c
}

func (m *model) writer(t *rapid.T) *Writer {
	if m.w == nil {
		w, err := m.c.Writer()
		must(t, err)
		m.w, m.declared = w, map[string]Producer{}
	}
	return m.w
}

// committed notes that all that was put is on the disk.
func (m *model) committed() {
	for id, rows := range m.rows {
		m.visible[id] = maps.Clone(rows)
	}
	m.committedDocs = maps.Clone(m.docs)
}

func (m *model) closeWriter(t *rapid.T) {
	if m.w != nil {
		must(t, m.w.Close())
		m.w = nil
		m.committed()
	}
}

func (m *model) put(t *rapid.T) {
	w := m.writer(t)
	s := rapid.SampledFrom(allSpaces).Draw(t, "space")
	p := rapid.SampledFrom([]Producer{native1, native2}).Draw(t, "producer")
	if m.declared[s.ID] != p {
		must(t, w.Space(s, p))
		m.declared[s.ID] = p
	}
	from := rapid.IntRange(0, 120).Draw(t, "from")
	for i := from; i < from+rapid.IntRange(1, 30).Draw(t, "n"); i++ {
		put(t, w, s, keyOf(i))
		m.rows[s.ID][i] = true
	}
}

func (m *model) putDoc(t *rapid.T) {
	w := m.writer(t)
	name := rapid.SampledFrom([]string{"a", "b", "set/c"}).Draw(t, "doc")
	if rapid.Bool().Draw(t, "delete") {
		must(t, w.PutDoc(name, nil))
		delete(m.docs, name)
		return
	}
	data := fmt.Sprint(rapid.IntRange(0, 1<<30).Draw(t, "data"), make([]byte, rapid.IntRange(0, 6000).Draw(t, "size")))
	must(t, w.PutDoc(name, []byte(data)))
	m.docs[name] = data
}

func (m *model) flush(t *rapid.T) {
	must(t, m.writer(t).Flush())
	m.committed()
}

func (m *model) reopen(t *rapid.T) {
	m.closeWriter(t)
	must(t, m.c.Close())
	m.open(t)
}

func (m *model) compact(t *rapid.T) {
	m.closeWriter(t)
	_, err := Compact(m.path, CompactOptions{Options: m.opts, Salvage: rapid.Bool().Draw(t, "salvage")})
	must(t, err)
	must(t, m.c.Refresh())
}

func (m *model) drop(t *rapid.T) {
	m.closeWriter(t)
	s := rapid.SampledFrom(allSpaces).Draw(t, "space")
	if m.c.Len(s.ID) == 0 {
		return
	}
	must(t, Drop(m.path, s.ID, m.opts))
	must(t, m.c.Refresh())
	m.rows[s.ID], m.visible[s.ID] = map[int]bool{}, map[int]bool{}
}

// check compares the cache with the model. What is visible beyond the last flush
// (full blocks) must have been put.
func (m *model) check(t *rapid.T) {
	for _, s := range allSpaces {
		for i := range 150 {
			has := m.c.Has(s.ID, keyOf(i))
			if has && !m.rows[s.ID][i] || !has && m.visible[s.ID][i] {
				t.Fatalf("space %s: key %d: there %v, put %v, committed %v", s.ID, i, has, m.rows[s.ID][i], m.visible[s.ID][i])
			}
		}
		if keys := slices.Collect(m.c.Keys(s.ID)); len(keys) > 0 {
			wantRows(t, m.c, s, keys)
		}
	}
	if m.w != nil {
		return // a full block takes the documents with it
	}
	got := map[string]string{}
	for _, name := range m.c.Docs("") {
		data, err := m.c.Doc(name)
		must(t, err)
		got[name] = string(data)
	}
	if diff := cmp.Diff(m.committedDocs, got); diff != "" {
		t.Fatal(diff)
	}
	wantOneShort(t, m.c)
	wantFresh(t, m.c)
	wantSound(t, m.path)
}

func TestCacheBehavesAsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(rt, err)
		o := quick()
		o.BlockRows = rapid.SampledFrom([]int{1, 5, 16, 1000}).Draw(rt, "block rows")
		m := &model{
			path: filepath.Join(dir, "m.db"), opts: o,
			rows: map[string]map[int]bool{}, visible: map[string]map[int]bool{}, docs: map[string]string{}, committedDocs: map[string]string{},
		}
		for _, s := range allSpaces {
			m.rows[s.ID], m.visible[s.ID] = map[int]bool{}, map[int]bool{}
		}
		m.open(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"": m.check, "put": m.put, "put more": m.put, "doc": m.putDoc, "flush": m.flush,
			"close": m.closeWriter, "reopen": m.reopen, "compact": m.compact, "drop": m.drop,
		})
		m.closeWriter(rt)
	})
}
