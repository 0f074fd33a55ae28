package cache

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// ragged is a cache with free pages and short blocks of two producers.
func ragged(t *testing.T) *Cache {
	c := newCache(t, quick())
	for i := range 30 {
		w, err := c.Writer()
		must(t, err)
		by := native1
		if i%2 == 1 {
			by = native2
		}
		must(t, w.Space(spaceWide, by))
		put(t, w, spaceWide, keysOf(7*i, 7*i+7)...)
		must(t, errors.Join(w.PutDoc("growing", make([]byte, 5000*i)), w.Close()))
	}
	return c
}

func TestForecastIsNearWhatCompactDoes(t *testing.T) {
	c := ragged(t)
	before := readFile(t, c.path)
	fc, err := ForecastCompact(c.path, quick())
	must(t, err)
	if string(before) != string(readFile(t, c.path)) {
		t.Error("the forecast has changed the cache")
	}
	if _, err := os.Stat(makingPath(c.path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the sample is still there: %v", err)
	}
	done, err := Compact(c.path, CompactOptions{Options: quick()})
	must(t, err)
	if fc.Before != done.Before || fc.After < done.After || fc.After > done.After*5/4 || fc.Seconds <= 0 || fc.Needs < done.After {
		t.Errorf("forecast %+v, done %+v", fc, done)
	}
	w, err := c.Writer()
	must(t, err)
	if _, err := ForecastCompact(c.path, quick()); !errors.Is(err, ErrLocked) {
		t.Errorf("beside a writer: %v", err)
	}
	must(t, w.Close())
}

func TestCompactDoesNotBeginWithoutRoom(t *testing.T) {
	c := ragged(t)
	freeDisk = func(string) (int64, bool) { return 10_000, true }
	t.Cleanup(func() { freeDisk = diskFree })
	before := readFile(t, c.path)
	_, err := Compact(c.path, CompactOptions{Options: quick()})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("compact: %v", err)
	}
	if err := Drop(c.path, spaceWide.ID, quick()); err != nil && !errors.Is(err, ErrFull) {
		t.Errorf("drop: %v", err)
	}
	if string(before) != string(readFile(t, c.path)) {
		t.Error("the cache has changed")
	}
	fc, err := ForecastCompact(c.path, quick())
	if err != nil || fc.Needs <= fc.Free || fc.Seconds != 0 {
		t.Errorf("forecast %+v, %v", fc, err)
	}
}
