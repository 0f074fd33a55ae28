package corrections

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func key(n int) (k cache.Key) {
	k[0], k[1], k[31] = byte(n), byte(n>>8), 1
	return k
}

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func relabel(path string, n int, before, after string) Change {
	return Change{Relabel, path, key(n), before, after, noon}
}

// A file is read by people and by programs to come: its bytes do not change.
func TestFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "corrections.csv")
	l, err := Open(path)
	must(t, err)
	defer l.Close()
	changes := []Change{
		relabel("train/cat/17.jpg", 1, "cat", "dog"),
		{Confirm, "a, \"b\".jpg", key(2), "cat", "cat", noon},
		{Exclude, "two\nlines.jpg", key(3), "cat", "", noon},
		{Undo, "two\nlines.jpg", key(3), "", "cat", noon},
		relabel("caf\xe9.jpg", 4, "", "=1+1"),
		relabel(`"quoted".jpg`, 5, "", "<img src=x onerror=alert(1)>"),
	}
	must(t, l.Append(changes[0]))
	must(t, l.Append(changes[1:]...))
	got, err := os.ReadFile(path)
	must(t, err)
	want, err := os.ReadFile(filepath.Join("testdata", "format.csv"))
	must(t, err)
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
	f, err := Read(path)
	must(t, err)
	if d := cmp.Diff(changes, f.Changes); d != "" || f.Torn != 0 {
		t.Error(d, f.Torn)
	}
}

const head = "action,path,sha256,old,new,when\n"

func sum(n int) string {
	c := Change{Hash: key(n)}
	return strings.Split(form{comma: ','}.line(&c), ",")[2]
}

func TestSpreadsheetsAreRead(t *testing.T) {
	line := "relabel,a.jpg," + sum(1) + ",cat,dog,2026-11-27T12:00:00Z\n"
	for name, text := range map[string]string{
		"plain": head + line, "mark": mark + head + line, "crlf": strings.ReplaceAll(head+line, "\n", "\r\n"),
		"semicolons": strings.ReplaceAll(head+line, ",", ";"), "tabs": strings.ReplaceAll(head+line, ",", "\t"),
		"no end": strings.TrimSuffix(head+line, "\n"), "quoted": head + `"relabel","a.jpg","` + sum(1) + `","cat","dog","2026-11-27T13:00:00+01:00"` + "\n",
		"empty line": head + "\n" + line, "mark and crlf, no end": mark + strings.TrimSuffix(strings.ReplaceAll(head+line, "\n", "\r\n"), "\r\n"),
	} {
		path := filepath.Join(t.TempDir(), "c.csv")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		for round := range 2 {
			f, err := Read(path)
			must(t, err)
			if len(f.Changes) != 1+round || f.Changes[0].New != "dog" || !f.Changes[0].When.Equal(noon) || f.Torn != 0 {
				t.Fatalf("%s: %+v", name, f.Changes)
			}
			if round == 0 {
				l, err := Open(path)
				must(t, err)
				must(t, l.Append(relabel("b.jpg", 2, "dog", "cat")))
				must(t, l.Close())
			}
		}
		if data, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(data, []byte(text)) {
			t.Errorf("%s: what was there changed: %v %q", name, err, data)
		}
	}
}

func TestNothingIsMisread(t *testing.T) {
	good := "confirm,a.jpg," + sum(1) + ",cat,cat,2026-11-27T12:00:00Z\n"
	for want, text := range map[string]string{
		"does not begin with the line": "path,label\na,b\n",
		"does not begin with":          "notes",
		"line 3: the action":           head + good + "rename,a.jpg," + sum(1) + ",cat,dog,2026-11-27T12:00:00Z\n",
		"line 2: a relabel needs":      head + "relabel,a.jpg," + sum(1) + ",cat,,2026-11-27T12:00:00Z\n",
		"line 3: it has 5 fields":      head + good + "confirm,a.jpg," + sum(1) + ",cat,cat\n" + good,
		"is no time":                   head + "confirm,a.jpg," + sum(1) + ",cat,cat,yesterday\n",
		"is no SHA-256":                head + "confirm,a.jpg,1234,cat,cat,2026-11-27T12:00:00Z\n",
		"line break":                   head + "confirm,\"a\nb.jpg\"," + sum(1) + ",cat,cat,2026-11-27T12:00:00Z\n",
		"line 2":                       head + "confirm,a\"b.jpg," + sum(1) + ",cat,cat,2026-11-27T12:00:00Z\n",
		"begins with a quote":          head + `confirm,"""a",` + sum(1) + ",cat,cat,2026-11-27T12:00:00Z\n",
		"the path is empty":            head + "confirm,," + sum(1) + ",cat,cat,2026-11-27T12:00:00Z\n",
		"control character":            head + `relabel,a.jpg,` + sum(1) + `,cat,"""a\nb""",2026-11-27T12:00:00Z` + "\n",
		"nothing to take back":         head + "undo,a.jpg," + sum(1) + ",cat,cat,2026-11-27T12:00:00Z\n",
	} {
		path := filepath.Join(t.TempDir(), "c.csv")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Read(path)
		if !errors.Is(err, ErrFormat) || !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("want %q: %v", want, err)
		}
		if _, err := Open(path); !errors.Is(err, ErrFormat) {
			t.Errorf("opened for appending: %v", err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != text {
			t.Errorf("changed: %q", data)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.csv")); !errors.Is(err, ErrMissing) || !errors.Is(err, dataset.ErrData) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Wherever a writer is killed, the lines before are there, and the next writer goes on.
func TestAKilledWriterLosesItsLineAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.csv")
	l, err := Open(path)
	must(t, err)
	var all []Change
	for i := range 3 {
		all = append(all, relabel(strings.Repeat("x", 1+i)+"\n.jpg", i, "cat", "dog, \"big\""))
	}
	must(t, l.Append(all...))
	must(t, l.Close())
	whole, err := os.ReadFile(path)
	must(t, err)
	for n := range whole {
		must(t, os.WriteFile(path, whole[:n], 0o600))
		f, err := Read(path)
		must(t, err)
		ended := max(bytes.Count(whole[:n], []byte("\n"))-1, 0)
		got := len(f.Changes)
		if got != ended && !(got == ended+1 && whole[n] == '\n') || !slices.Equal(f.Changes, all[:got]) || (f.Torn == 0) != (n == 0 || whole[n-1] == '\n' || got > ended) {
			t.Fatalf("cut at %d: %d changes, %d ended, torn %d", n, got, ended, f.Torn)
		}
		l, err := Open(path)
		must(t, err)
		must(t, l.Append(relabel("new.jpg", 9, "", "cat")))
		must(t, l.Close())
		f, err = Read(path)
		must(t, err)
		if len(f.Changes) != got+1 || f.Torn != 0 || f.Changes[got].Path != "new.jpg" || !slices.Equal(f.Changes[:got], all[:got]) {
			t.Fatalf("cut at %d, then appended: %+v", n, f.Changes)
		}
	}
}

func TestOneWriterAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.csv")
	a, err := Open(path)
	must(t, err)
	b, err := Open(path) // there is nothing to hold yet
	must(t, err)
	must(t, a.Append(relabel("a.jpg", 1, "", "cat")))
	if err := b.Append(relabel("b.jpg", 2, "", "cat")); !errors.Is(err, ErrChanged) {
		t.Errorf("a second writer: %v", err)
	}
	if _, err := Open(path); !errors.Is(err, ErrHeld) {
		t.Errorf("a third writer: %v", err)
	}
	must(t, a.Close())
	b, err = Open(path)
	must(t, err)
	defer b.Close()
	must(t, b.Append(relabel("b.jpg", 2, "", "cat")))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(form{comma: ','}.line(&Change{Confirm, "c.jpg", key(3), "", "", noon}))
	must(t, errors.Join(err, f.Close()))
	if err := b.Append(relabel("d.jpg", 2, "", "cat")); !errors.Is(err, ErrChanged) {
		t.Errorf("somebody has edited the file: %v", err)
	}
	must(t, os.Rename(path, path+".old"))
	if err := b.Append(relabel("d.jpg", 2, "", "cat")); !errors.Is(err, ErrChanged) {
		t.Errorf("somebody has moved the file: %v", err)
	}
}

// set is a dataset of a few images.
func set(classes []string, items ...dataset.Item) *dataset.Dataset {
	return &dataset.Dataset{Name: "set", Roots: []dataset.Root{{Dir: "/x", Prefix: "train/"}}, Classes: classes, Items: items}
}

func item(path string, n int, label int32) dataset.Item {
	return dataset.Item{Path: path, Hash: key(n), Label: label, Part: dataset.Train}
}

func classesOf(ds *dataset.Dataset) string {
	var all []string
	for i := range ds.Items {
		all = append(all, ds.Class(&ds.Items[i]))
	}
	return strings.Join(all, " ")
}

func TestWhichImageAChangeIsOf(t *testing.T) {
	ds := set([]string{"cat", "dog"}, item("a.jpg", 1, 0), item("b.jpg", 2, 0), item("c.jpg", 3, 1), item("copy.jpg", 3, 1), item("new.jpg", 4, -1))
	b := NewBook(ds)
	b.Add(
		relabel("train/a.jpg", 1, "cat", "dog"),
		relabel("train/b.jpg", 9, "cat", "dog"),   // other bytes
		relabel("train/old.jpg", 3, "dog", "cat"), // renamed: both copies
		relabel("train/gone.jpg", 8, "dog", "cat"),
		relabel("train/new.jpg", 4, "", "bird"),
	)
	must(t, b.Lay())
	if got := classesOf(ds); got != "dog cat cat cat bird" || b.Stale != 1 || b.Gone != 1 {
		t.Errorf("%s, %d stale, %d gone", got, b.Stale, b.Gone)
	}
	if !slices.Equal(ds.Classes, []string{"bird", "cat", "dog"}) {
		t.Errorf("classes %v", ds.Classes)
	}
	must(t, ds.AsGiven(func() error {
		if got := classesOf(ds); got != "cat cat dog dog " || ds.Corrected != nil {
			t.Errorf("given: %s", got)
		}
		return nil
	}))
	if got := classesOf(ds); got != "dog cat cat cat bird" || ds.Corrected == nil {
		t.Errorf("and again: %s", got)
	}
	doc, err := ds.Encode()
	must(t, err)
	kept, err := dataset.Decode("dataset/set", doc)
	must(t, err)
	if got := classesOf(kept); got != "cat cat dog dog " {
		t.Errorf("the cache keeps %s", got)
	}
}

func TestChangesAreTakenBack(t *testing.T) {
	ds := set([]string{"cat", "dog"}, item("a.jpg", 1, 0), item("b.jpg", 2, 1))
	b := NewBook(ds)
	step := func(action Action, class, want string) {
		t.Helper()
		b.Add(Change{Action: action, Path: "train/a.jpg", Hash: key(1), New: class})
		must(t, b.Lay())
		s := b.State(0)
		if got := classesOf(ds); got != want+" dog" || s.Excluded != ds.Corrected.Excluded[0] {
			t.Errorf("after %s %s: %q, %+v", action, class, got, s)
		}
	}
	step(Relabel, "dog", "dog")
	step(Exclude, "", "")
	step(Confirm, "dog", "dog")
	if !ds.Corrected.Confirmed[0] {
		t.Error("it is not confirmed")
	}
	step(Relabel, "bird", "bird")
	if ds.Corrected.Confirmed[0] {
		t.Error("another label is confirmed")
	}
	step(Undo, "", "dog")
	step(Undo, "", "")
	step(Undo, "", "dog")
	step(Undo, "", "cat")
	step(Undo, "", "cat") // an edited file may have too many
	if len(b.Changed()) != 0 || len(ds.Corrected.Labels) != 0 {
		t.Errorf("%v is left", b.Changed())
	}
}

func TestClassesThatLookAlikeAreRefused(t *testing.T) {
	ds := set([]string{"cat", "dog"}, item("a.jpg", 1, 0), item("b.jpg", 2, 1))
	b := NewBook(ds)
	b.Add(relabel("train/a.jpg", 1, "cat", "Dog"))
	if err := b.Lay(); !errors.Is(err, dataset.ErrAlike) || classesOf(ds) != "cat dog" {
		t.Errorf("got %v, %s", err, classesOf(ds))
	}
}

func TestOutcomes(t *testing.T) {
	f := &File{Changes: []Change{
		relabel("train/cat/a.jpg", 1, "cat", "dog"),
		relabel("cat/cat/b.jpg", 2, "cat", "bird"),
		{Exclude, "train/cat/c.jpg", key(3), "cat", "", noon},
		relabel("train/cat/d.jpg", 4, "cat", "dog"),
		{Undo, "train/cat/d.jpg", key(4), "dog", "cat", noon},
		relabel("d.jpg", 5, "", "cat"),
		relabel("train/cat/e.jpg", 6, "cat", "../etc"),
		relabel("train/cat/a.jpg", 1, "dog", "fox"),
	}}
	var got []string
	for _, o := range f.Outcomes() {
		moved, ok := o.Moved()
		if ok {
			moved = " -> " + moved
		}
		got = append(got, o.Path+": "+o.Class+moved)
	}
	want := []string{"train/cat/a.jpg: fox -> train/fox/a.jpg", "cat/cat/b.jpg: bird -> cat/bird/b.jpg", "train/cat/c.jpg: cat", "d.jpg: cat", "train/cat/e.jpg: ../etc"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Whatever is appended comes back, and undoing all of it leaves the labels as given.
func TestBookOfAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		classes := []string{"a", "b", "c"}
		var items []dataset.Item
		for i := range rapid.IntRange(1, 6).Draw(rt, "items") {
			items = append(items, item(rapid.StringN(1, 5, 20).Draw(rt, "path")+string(rune('0'+i)), i, int32(i%4)-1))
		}
		ds := set(classes, items...)
		given := classesOf(ds)
		b := NewBook(ds)
		path := filepath.Join(t.TempDir(), "c.csv")
		l, err := Open(path)
		must(t, err)
		defer l.Close()
		count := map[int]int{}
		for range rapid.IntRange(0, 20).Draw(rt, "changes") {
			i := rapid.IntRange(0, len(items)-1).Draw(rt, "item")
			c := Change{rapid.SampledFrom([]Action{Relabel, Confirm, Exclude, Undo}).Draw(rt, "action"), ds.Display(&ds.Items[i]), key(i), "", rapid.SampledFrom([]string{"a", "b", "new", "@x"}).Draw(rt, "class"), noon}
			if c.Action == Undo && count[i] == 0 {
				continue
			}
			count[i] += map[bool]int{true: -1, false: 1}[c.Action == Undo]
			must(t, l.Append(c))
			b.Add(c)
		}
		must(t, b.Lay())
		want := classesOf(ds)
		f, err := Read(path)
		if errors.Is(err, ErrMissing) {
			return // nothing was changed
		}
		must(t, err)
		must(t, ds.AsGiven(func() error {
			again := set(classes, slices.Clone(items)...)
			read := NewBook(again)
			read.Add(f.Changes...)
			must(t, read.Lay())
			if got := classesOf(again); got != want {
				rt.Errorf("from the file: %s, want %s", got, want)
			}
			return nil
		}))
		for i, n := range count {
			for range n {
				b.Add(Change{Action: Undo, Path: ds.Display(&ds.Items[i]), Hash: key(i)})
			}
		}
		must(t, b.Lay())
		if got := classesOf(ds); got != given {
			rt.Errorf("all undone: %s, want %s", got, given)
		}
	})
}

// FuzzRead holds that a file is read or refused, and that one that is read takes lines.
func FuzzRead(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "format.csv"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(mark + "action;path;sha256;old;new;when\r\n"))
	f.Add([]byte("action,pa"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := parse("c.csv", data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		path := filepath.Join(t.TempDir(), "c.csv")
		must(t, os.WriteFile(path, data, 0o600))
		l, err := Open(path)
		must(t, err)
		defer l.Close()
		must(t, l.Append(relabel("x\n.jpg", 200, "", "=x")))
		again, err := Read(path)
		must(t, err)
		if n := len(read.Changes); len(again.Changes) != n+1 || n > 0 && !cmp.Equal(again.Changes[:n], read.Changes) || again.Changes[n].Path != "x\n.jpg" || again.Torn != 0 {
			t.Fatalf("%+v, then %+v", read.Changes, again.Changes)
		}
	})
}
