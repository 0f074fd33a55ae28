package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/cache"
)

// twoDatasets is a folder with the datasets photos and more in f.db; more has the images of
// photos and others.
func twoDatasets(t *testing.T) string {
	t.Helper()
	dir := folder(t, 2, 5)
	must(t, os.CopyFS(filepath.Join(dir, "more"), os.DirFS(filepath.Join(dir, "photos"))))
	for _, class := range []string{"a", "b"} {
		other := filepath.Join(dir, "more", class, "0.png")
		b, err := os.ReadFile(other)
		must(t, err)
		write(t, filepath.Join(dir, "more", class), "new.png", append(b, class...))
	}
	for _, data := range []string{"photos", "more"} {
		if r := icebox(t, dir, "extract", "--data", data, "--weights", "random", "--cache", "f.db"); r.code != 0 {
			t.Fatal(r.errOut)
		}
	}
	return dir
}

// gc runs cache gc and returns what it says in JSON.
func gc(t *testing.T, dir string, args ...string) map[string]any {
	t.Helper()
	r := icebox(t, dir, append([]string{"cache", "gc", "--cache", "f.db", "--json"}, args...)...)
	if r.code != 0 {
		t.Fatalf("gc %v: %s", args, r.errOut)
	}
	return r.lastJSON(t)
}

func TestGCForgetsADatasetAndTheRowsThatOnlyItHas(t *testing.T) {
	dir := twoDatasets(t)
	if got := gc(t, dir, "--dataset", "more", "--dry-run"); got["rows"] != 2.0 || got["dry_run"] != true {
		t.Errorf("dry run: %v", got)
	}
	if r := icebox(t, dir, "cache", "verify", "--cache", "f.db"); !strings.Contains(r.out, "is sound: 12 rows") {
		t.Errorf("after the dry run: %s%s", r.out, r.errOut)
	}
	r := icebox(t, dir, "cache", "gc", "--cache", "f.db", "--dataset", "more")
	if r.code != 0 || !strings.Contains(r.out, "forgot dataset more, last used on ") || !strings.Contains(r.out, "removed 2 rows") {
		t.Errorf("gc: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "cache", "verify", "--cache", "f.db"); r.code != 0 || !strings.Contains(r.out, "is sound: 10 rows") {
		t.Errorf("verify: %s%s", r.out, r.errOut)
	}
	r = icebox(t, dir, "run", "--data", "photos", "--weights", "random", "--cache", "f.db", "head.tune=off")
	if r.code != 0 || !strings.Contains(r.out+r.errOut, "10 from the cache") {
		t.Errorf("the other dataset: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	r = icebox(t, dir, "cache", "gc", "--cache", "f.db", "--dataset", "more")
	if r.code != exitData || !strings.Contains(r.errOut, `the cache has no dataset "more"`) {
		t.Errorf("again: exit %d: %s", r.code, r.errOut)
	}
}

func TestGCByAgeSpaceAndOrphans(t *testing.T) {
	dir := twoDatasets(t)
	if got := gc(t, dir, "--older-than", "2d"); got["rows"] != 0.0 || len(got["datasets"].([]any)) != 0 || len(got["unknown"].([]any)) != 0 {
		t.Errorf("nothing is old: %v", got)
	}
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, -days).Format(time.DateOnly) }
	doc, err := json.Marshal(map[string]string{"dataset/more": day(40)})
	must(t, err)
	putDoc(t, dir, "used", doc)
	got := gc(t, dir, "--older-than", "30d")
	if forgot := got["datasets"].([]any); got["rows"] != 2.0 || len(forgot) != 1 || forgot[0].(map[string]any)["last_used"] != day(40) {
		t.Errorf("one is old: %v", got)
	}
	if unknown := got["unknown"].([]any); len(unknown) != 1 || unknown[0].(map[string]any)["name"] != "photos" {
		t.Errorf("of unknown age: %v", unknown)
	}
	if got := gc(t, dir, "--older-than", "30d"); len(got["unknown"].([]any)) != 0 || got["rows"] != 0.0 {
		t.Errorf("its age counts now: %v", got)
	}
	must(t, os.Remove(filepath.Join(dir, "photos", "a", "0.png")))
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	if got := gc(t, dir, "--orphans"); got["rows"] != 1.0 {
		t.Errorf("orphans: %v", got)
	}
	id := icebox(t, dir, "cache", "stat", "--cache", "f.db", "--json").lastJSON(t)["spaces"].([]any)[0].(map[string]any)["id"].(string)
	if got := gc(t, dir, "--space", id[:8]); got["rows"] != 9.0 || len(got["spaces"].([]any)) != 1 {
		t.Errorf("space: %v", got)
	}
	r := icebox(t, dir, "cache", "stat", "--cache", "f.db")
	if strings.Contains(r.out, "space ") || !strings.Contains(r.out, "dataset photos  9 images") {
		t.Errorf("stat: %s", r.out)
	}
}

func TestGCKeepsWhatADatasetIsMadeOf(t *testing.T) {
	dir := twoDatasets(t)
	r := icebox(t, dir, "extract", "--data", "cache:more", "--data", "photos", "data.name=both", "--weights", "random", "--cache", "f.db")
	if r.code != 0 {
		t.Fatal(r.errOut)
	}
	r = icebox(t, dir, "cache", "gc", "--cache", "f.db", "--dataset", "more")
	if r.code != exitData || !strings.Contains(r.errOut, "dataset both is made of cache:more") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
	doc, err := json.Marshal(map[string]string{"dataset/more": "2020-01-01", "dataset/photos": "2020-01-01", "dataset/both": time.Now().UTC().Format(time.DateOnly)})
	must(t, err)
	putDoc(t, dir, "used", doc)
	if got := gc(t, dir, "--older-than", "4w"); len(got["datasets"].([]any)) != 1 || got["rows"] != 0.0 {
		t.Errorf("by age: %v", got)
	}
}

func TestGCRefusesWhatItCannotKnow(t *testing.T) {
	dir := twoDatasets(t)
	for _, args := range [][]string{{}, {"--older-than", "0d"}, {"--older-than", "soon"}, {"--older-than", "-3d"}} {
		if r := icebox(t, dir, append([]string{"cache", "gc", "--cache", "f.db"}, args...)...); r.code != exitUsage {
			t.Errorf("%q: exit %d: %s", args, r.code, r.errOut)
		}
	}
	poison(t, dir, "dataset/other")
	if r := icebox(t, dir, "cache", "gc", "--cache", "f.db", "--dataset", "more"); r.code == 0 || !strings.Contains(r.errOut, "what dataset other needs is not known") {
		t.Errorf("beside a dataset that cannot be read: exit %d: %s", r.code, r.errOut)
	}
	if got := gc(t, dir, "--dataset", "other"); got["rows"] != 0.0 {
		t.Errorf("the bad one itself: %v", got)
	}
	if got := gc(t, dir, "--dataset", "more"); got["rows"] != 2.0 {
		t.Errorf("afterwards: %v", got)
	}
}

func TestCompactSaysFirstWhatItTakes(t *testing.T) {
	dir := twoDatasets(t)
	before, err := os.ReadFile(filepath.Join(dir, "f.db"))
	must(t, err)
	f := icebox(t, dir, "cache", "compact", "--cache", "f.db", "--dry-run", "--json").lastJSON(t)
	if f["before"] != float64(len(before)) || f["after"].(float64) <= 0 || f["needs"].(float64) <= 0 {
		t.Errorf("forecast %v of %d bytes", f, len(before))
	}
	after, err := os.ReadFile(filepath.Join(dir, "f.db"))
	must(t, err)
	if string(before) != string(after) {
		t.Error("the dry run has changed the cache")
	}
	r := icebox(t, dir, "cache", "compact", "--cache", "f.db")
	if r.code != 0 || !strings.Contains(r.errOut, "would become about ") || !strings.Contains(r.errOut, "of free disk") || !strings.Contains(r.out, " before, ") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "cache", "compact", "--cache", "f.db", "--salvage", "--dry-run"); r.code != exitUsage {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

// putDoc puts a document into the cache of dir.
func putDoc(t *testing.T, dir, name string, doc []byte) {
	t.Helper()
	c, err := cache.Open(filepath.Join(dir, "f.db"), cache.Options{})
	must(t, err)
	defer c.Close()
	w, err := c.Writer()
	must(t, err)
	must(t, errors.Join(w.PutDoc(name, doc), w.Close()))
}
