package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"

	"icebox/cache"
	"icebox/headtrain/judge"
	"icebox/pipeline/report"
)

// kept returns the baselines that the cache of o remembers, and the name of the document.
func kept(t *testing.T, o Options) (doc rowsDoc[judge.References], name string) {
	t.Helper()
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	names := c.Docs(baselineName + "/")
	if len(names) != 1 {
		t.Fatalf("the cache has the documents %q", names)
	}
	text, err := c.Doc(names[0])
	must(t, err)
	must(t, json.Unmarshal(text, &doc))
	return doc, names[0]
}

func putDoc(t *testing.T, o Options, name string, text []byte) {
	t.Helper()
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	w, err := c.Writer()
	must(t, err)
	must(t, errors.Join(w.PutDoc(name, text), w.Close()))
}

// baselinesIn runs o and returns the baselines of its report.
func baselinesIn(t *testing.T, o Options) *report.Baselines {
	t.Helper()
	sum, err := Run(context.Background(), o, Silent)
	must(t, err)
	rep, _ := reportOf(t, sum)
	return rep.Base
}

func TestBaselinesAreRemembered(t *testing.T) {
	o := ready(t, settings(photos(t, 3, 12)))
	fresh := baselinesIn(t, o)
	doc, name := kept(t, o)
	if again := baselinesIn(t, o); len(doc.Entries) != 1 || !reflect.DeepEqual(fresh, again) {
		t.Fatalf("%d entries; %+v, and again %+v", len(doc.Entries), fresh, again)
	}
	// What is remembered is used: where no answer of a method is right, it is said to be
	// right in none, beside whatever head.
	wrong := doc
	for i := range wrong.Entries[0].Value.Methods {
		clear(wrong.Entries[0].Value.Methods[i].Right)
	}
	text, err := json.Marshal(wrong)
	must(t, err)
	putDoc(t, o, name, text)
	o.Head.Epochs++
	for _, b := range baselinesIn(t, o).Found {
		if b.Accuracy != 0 || b.OnlyIt != 0 {
			t.Errorf("%+v was made anew", b)
		}
	}
	// With other rows it is of no use, and it stays for when they are as they were.
	o.Data.Split.Test = 0.4
	if other := baselinesIn(t, o); other.Found[0].RowsOf == fresh.Found[0].RowsOf || other.Found[1].Accuracy == 0 {
		t.Errorf("of other rows: %+v", other)
	}
	if doc, _ := kept(t, o); len(doc.Entries) != 2 {
		t.Errorf("%d entries", len(doc.Entries))
	}
}

func TestBaselinesThatAreDamagedAreMadeAnew(t *testing.T) {
	o := ready(t, settings(photos(t, 3, 12)))
	fresh := baselinesIn(t, o)
	doc, name := kept(t, o)
	entry := func(change func(*judge.Reference)) []byte {
		one, refs := doc.Entries[0], doc.Entries[0].Value
		refs.Methods = append([]judge.Reference(nil), refs.Methods...)
		change(&refs.Methods[1])
		one.Value = refs
		text, err := json.Marshal(rowsDoc[judge.References]{doc.Version, []rowsEntry[judge.References]{one}})
		must(t, err)
		return text
	}
	for what, text := range map[string][]byte{
		"text":             []byte("no JSON"),
		"nothing":          {},
		"another version":  []byte(`{"version": 99, "entries": [{"key": "` + doc.Entries[0].Key + `"}]}`),
		"no method":        fmt.Appendf(nil, `{"version": %d, "entries": [{"key": %q}]}`, doc.Version, doc.Entries[0].Key),
		"too few answers":  entry(func(r *judge.Reference) { r.Right = nil }),
		"too many rows":    entry(func(r *judge.Reference) { r.Rows, r.Right = 800, make([]byte, 100) }),
		"rows less than 0": entry(func(r *judge.Reference) { r.Rows, r.Right = -1, nil }),
	} {
		putDoc(t, o, name, text)
		if got := baselinesIn(t, o); !reflect.DeepEqual(got, fresh) {
			t.Errorf("%s: %+v, want %+v", what, got, fresh)
		}
		if now, _ := kept(t, o); !reflect.DeepEqual(now, doc) {
			t.Errorf("%s: is not mended", what)
		}
	}
}

// A cache that another process writes to keeps nothing, and hinders nothing.
func TestBaselinesWaitForNoLock(t *testing.T) {
	o := ready(t, settings(photos(t, 3, 12)))
	_, err := Extract(context.Background(), o, Silent)
	must(t, err)
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	w, err := c.Writer()
	must(t, err)
	sum, err := Train(context.Background(), o, Choice{}, Silent)
	must(t, errors.Join(err, w.Close()))
	if sum.Baseline == nil || len(c.Docs(baselineName)) != 0 {
		t.Errorf("baseline %+v, documents %q", sum.Baseline, c.Docs(baselineName))
	}
	if os.Getuid() == 0 {
		return // root may write to what is read-only
	}
	must(t, os.Chmod(o.Cache.Path, 0o444))
	if sum, err = Train(context.Background(), o, Choice{}, Silent); err != nil || sum.Baseline == nil {
		t.Errorf("read-only: %v", err)
	}
}
