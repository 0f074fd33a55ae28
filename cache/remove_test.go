package cache

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// goes tells every third of the first n rows of space8, and which keys stay.
func goes(n int) (func(string, Key) bool, []Key) {
	gone, stay := map[Key]bool{}, []Key{}
	for i := range n {
		if i%3 == 0 {
			gone[keyOf(i)] = true
		} else {
			stay = append(stay, keyOf(i))
		}
	}
	return func(space string, k Key) bool { return space == space8.ID && gone[k] }, stay
}

func TestRemoveTakesRowsSpacesAndDocuments(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 100), space8, spaceHalf, spaceWide)
	w, err := c.Writer()
	must(t, err)
	must(t, w.Space(space8, native2))
	put(t, w, space8, keysOf(100, 205)...)
	must(t, errors.Join(w.PutDoc("quality/"+spaceHalf.ID+"/1", []byte("x")), w.PutDoc("dataset/a", []byte("a")), w.PutDoc("dataset/b", []byte("b")), w.Close()))
	rows, stay := goes(205)
	what := Removal{Spaces: []string{spaceHalf.ID}, Rows: rows, Docs: []string{"dataset/a", "dataset/none"}}
	before := readFile(t, c.path)
	weighed, err := Weigh(c.path, what, quick())
	must(t, err)
	if string(before) != string(readFile(t, c.path)) {
		t.Error("weighing has changed the file")
	}
	done, err := Remove(c.path, what, quick())
	must(t, err)
	if done.Rows != 100+69 || done.Rows != weighed.Rows || done.Bytes != weighed.Bytes || len(done.Spaces) != 1 {
		t.Errorf("removed %+v, weighed %+v", done, weighed)
	}
	wantSound(t, c.path)
	must(t, c.Refresh())
	wantOneShort(t, c)
	wantRows(t, c, space8, stay)
	wantRows(t, c, spaceWide, keysOf(0, 100))
	if n := c.Len(space8.ID); n != len(stay) {
		t.Errorf("%d rows stay, want %d", n, len(stay))
	}
	if names := c.Docs(""); len(names) != 1 || names[0] != "dataset/b" {
		t.Errorf("documents %q", names)
	}
	if p, _ := c.Producer(space8.ID, keyOf(200)); p != native2 {
		t.Errorf("row 200 is by %v now", p)
	}
	if again, err := Remove(c.path, Removal{Rows: rows, Docs: []string{"dataset/a"}}, quick()); err != nil || again.Rows != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := Remove(c.path, Removal{Spaces: []string{"none"}}, quick()); !errors.Is(err, ErrNoSpace) {
		t.Errorf("a space that is not there: %v", err)
	}
	fill(t, c, keysOf(0, 205), space8) // what is free is used again
	wantRows(t, c, space8, keysOf(0, 205))
	wantSound(t, c.path)
	wantFresh(t, c)
}

func TestRemoveRefusesADamagedBlockOfWhichRowsStay(t *testing.T) {
	c := newCache(t, quick())
	fill(t, c, keysOf(0, 64), space8)
	b := c.state.spaces[space8.ID].blocks[1]
	data := readFile(t, c.path)
	data[b.off+int64(b.size)+3] ^= 1
	must(t, os.WriteFile(c.path, data, 0o644))
	rows, _ := goes(64)
	if _, err := Remove(c.path, Removal{Rows: rows}, quick()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
	must(t, c.Refresh())
	if n := c.Len(space8.ID); n != 64 {
		t.Errorf("%d rows are left", n)
	}
}

// childRemove takes rows out, a block or so a commit.
func childRemove(path string) error {
	removeBatch = 1
	rows, _ := goes(crashRows)
	_, err := Remove(path, Removal{Rows: rows, Docs: []string{"dataset/a"}}, quick())
	return err
}

func TestKilledRemoveGoesOn(t *testing.T) {
	whole := removeBatch
	t.Cleanup(func() { removeBatch = whole })
	c := newCache(t, quick())
	_, stay := goes(crashRows)
	for range 12 {
		fill(t, c, keysOf(0, crashRows), space8, spaceHalf)
		w, err := c.Writer()
		must(t, err)
		must(t, errors.Join(w.PutDoc("dataset/a", []byte("a")), w.Close()))
		cmd, out := child(t, "remove", c.path)
		kill := time.AfterFunc(time.Duration(5+rand.IntN(60))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		lastLine(t, out)
		_ = cmd.Wait()
		kill.Stop()
		wantSound(t, c.path)
		must(t, c.Refresh())
		wantOneShort(t, c)
		wantRows(t, c, space8, stay)
		if n := c.Len(space8.ID); n > len(stay) && len(c.Docs("dataset/")) == 0 {
			t.Fatalf("the document is gone, and %d rows are left", n-len(stay))
		}
		must(t, childRemove(c.path))
		must(t, c.Refresh())
		wantRows(t, c, space8, stay)
		wantRows(t, c, spaceHalf, keysOf(0, crashRows))
		if n := c.Len(space8.ID); n != len(stay) || len(c.Docs("dataset/")) > 0 {
			t.Fatalf("%d rows after the second run, want %d", n, len(stay))
		}
	}
	wantSound(t, c.path)
}
