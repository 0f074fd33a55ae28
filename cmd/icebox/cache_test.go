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
