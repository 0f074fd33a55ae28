package main

import (
	"strings"
	"testing"
)

func TestCacheCommands(t *testing.T) {
	dir := folder(t, 2, 4)
	for _, w := range []string{"random:1", "random:2"} {
		if r := icebox(t, dir, "extract", "--data", "photos", "--weights", w, "--cache", "f.db"); r.code != 0 {
			t.Fatal(r.errOut)
		}
	}
	stat := icebox(t, dir, "cache", "stat", "--cache", "f.db", "--json").lastJSON(t)
	spaces := stat["spaces"].([]any)
	if len(spaces) != 2 || len(stat["datasets"].([]any)) != 1 {
		t.Fatalf("%v", stat)
	}
	if r := icebox(t, dir, "cache", "verify", "--cache", "f.db"); r.code != 0 || !strings.Contains(r.out, "is sound: 16 rows") {
		t.Errorf("verify: %d %s %s", r.code, r.out, r.errOut)
	}
	first := spaces[0].(map[string]any)
	producer := first["producers"].([]any)[0].(map[string]any)
	if producer["engine"] != "native" || producer["rows"] != first["rows"] {
		t.Errorf("stat: producers %v of %v rows", producer, first["rows"])
	}
	if r := icebox(t, dir, "cache", "stat", "--cache", "f.db"); !strings.Contains(r.out, ", fp32, weights random") || !strings.Contains(r.out, "8 rows by native on ") {
		t.Errorf("stat: %s", r.out)
	}
	id := first["id"].(string)
	if r := icebox(t, dir, "cache", "drop", "--cache", "f.db", "--space", id[:10]); r.code != 0 {
		t.Errorf("drop: %s", r.errOut)
	}
	if r := icebox(t, dir, "cache", "compact", "--cache", "f.db"); r.code != 0 {
		t.Errorf("compact: %s", r.errOut)
	}
	stat = icebox(t, dir, "cache", "stat", "--cache", "f.db", "--json").lastJSON(t)
	if n := len(stat["spaces"].([]any)); n != 1 {
		t.Errorf("%d spaces after drop", n)
	}
	if r := icebox(t, dir, "cache", "stat", "--cache", "f.db"); r.code != 0 || !strings.Contains(r.out, "dataset photos") {
		t.Errorf("stat: %s", r.out)
	}
}

func TestCacheThatIsNotThere(t *testing.T) {
	r := icebox(t, t.TempDir(), "cache", "stat")
	if r.code != exitData || !strings.Contains(r.errOut, "no cache: ") || !strings.Contains(r.errOut, "  try: --cache FILE, or `icebox extract --data DIR`") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

// poison puts a document that no program reads into the cache of dir.
func poison(t *testing.T, dir, name string) {
	t.Helper()
	putDoc(t, dir, name, []byte("\x01\x7f{}"))
}

func TestOneBadDocumentLocksNothingElse(t *testing.T) {
	dir := folder(t, 2, 5)
	args := []string{"run", "-q", "--data", "photos", "--weights", "random", "--cache", "f.db", "head.tune=off"}
	if r := icebox(t, dir, args...); r.code != 0 {
		t.Fatal(r.errOut)
	}
	for _, name := range []string{"dataset/other", "eval/other", "pool/other"} {
		poison(t, dir, name)
	}
	r := icebox(t, dir, "cache", "verify", "--cache", "f.db")
	if r.code != exitCache || !strings.Contains(r.out, "document dataset/other") || !strings.Contains(r.out, "document pool/other") {
		t.Errorf("verify: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	for _, more := range [][]string{
		args, {"train", "-q", "--cache", "f.db", "head.tune=off"}, {"predict", "--run", "latest", "--cache", "f.db", "photos"},
		{"eval", "--run", "latest", "--data", "photos", "--cache", "f.db", "--weights", "random"}, {"cache", "export", "--cache", "f.db", "--out", "x"},
	} {
		if r := icebox(t, dir, more...); r.code != 0 {
			t.Errorf("%v: exit %d: %s", more, r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "cache", "stat", "--cache", "f.db"); r.code != 0 || !strings.Contains(r.out, "dataset other  cannot be read") {
		t.Errorf("stat: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "train", "--cache", "f.db", "--dataset", "other"); r.code != exitCache {
		t.Errorf("the bad one: exit %d: %s", r.code, r.errOut)
	}
	poison(t, dir, "dataset/photos")
	r = icebox(t, dir, append(args[:1:1], args[2:]...)...)
	if r.code != 0 || !strings.Contains(r.errOut, "what the cache has of dataset photos cannot be read and is written anew") || !strings.Contains(r.out, "10 images: 10 from the cache") && !strings.Contains(r.out, "10 from the cache, 0 computed") {
		t.Errorf("its own: exit %d: %s%s", r.code, r.out, r.errOut)
	}
	if r := icebox(t, dir, "train", "-q", "--cache", "f.db", "--dataset", "photos", "head.tune=off"); r.code != 0 {
		t.Errorf("afterwards: exit %d: %s", r.code, r.errOut)
	}
}

func TestWhatIsTooLongToKeepIsRefusedAtOnce(t *testing.T) {
	dir := folder(t, 2, 3)
	for name, row := range map[string]string{"group": "photos/a/0.png,a," + strings.Repeat("g", 70_000), "label": "photos/a/0.png," + strings.Repeat("l", 70_000) + ",", "path": strings.Repeat("p", 70_000) + ".png,a,"} {
		write(t, dir, "set.csv", []byte("path,label,group\n"+row+"\n"))
		r := icebox(t, dir, "extract", "--data", "set.csv", "--weights", "random", "--cache", "f.db")
		if r.code != exitData || !strings.Contains(r.errOut, "set.csv:2: the "+name+" has 7") || len(r.errOut) > 2000 {
			t.Errorf("%s: exit %d: %.500s", name, r.code, r.errOut)
		}
	}
}
