package predictions

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"icebox/headtrain"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// oddNames are file names that break a line, or are no text.
var oddNames = []string{"plain.jpg", "a,b \"c\".jpg", "tab\there.jpg", "two\nlines.jpg", "caf\xe9.jpg", "ünï/ß.png", "</script>.gif"}

// head knows two classes and says unknown under 0.6.
func head() *headtrain.Head {
	return &headtrain.Head{Classes: []string{"cat", "a,b"}, Dim: 1, W: []float32{1, -1}, B: []float32{0, 0}, Threshold: 0.6}
}

// rows are one for each odd name, and a bad image at last.
func rows() (all []Row) {
	h := head()
	for i, name := range oddNames {
		r := Row{Path: name, Part: "test", Truth: "cat"}
		r.Answer(h, []float32{float32(i), 0.1})
		all = append(all, r)
	}
	bad := Row{Path: "bad.jpg", Part: "val", Truth: "a,b", Label: "left from before", Probabilities: []float64{1, 0}}
	bad.Fail("no JPEG: \x00 at 7")
	return append(all, bad)
}

// written writes rows to a file with this ending and returns its path.
func written(t *testing.T, ending string, l Layout) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "answers"+ending)
	w, err := Create(path, l, false)
	must(t, err)
	defer w.Abandon()
	for _, r := range rows() {
		must(t, w.Write(&r))
	}
	must(t, w.Close())
	left, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("files beside the one: %v", left)
	}
	return path
}

func TestCSVKeepsNames(t *testing.T) {
	f, err := os.Open(written(t, ".csv", Layout{Classes: head().Classes, Judged: true}))
	must(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	must(t, err)
	if got := strings.Join(lines[0], "|"); got != "path|part|truth|label|probability|unknown|p:cat|p:a,b|error" {
		t.Errorf("header %s", got)
	}
	for i, name := range oddNames {
		if lines[i+1][0] != name {
			t.Errorf("%q became %q", name, lines[i+1][0])
		}
	}
	for n, want := range map[int]string{
		1: "plain.jpg|test|cat|unknown|0.52497919|true|0.47502081|0.52497919|",
		2: "a,b \"c\".jpg|test|cat|cat|0.7109495|false|0.7109495|0.2890505|",
		8: "bad.jpg|val|a,b||||||no JPEG: \x00 at 7",
	} {
		if got := strings.Join(lines[n], "|"); got != want {
			t.Errorf("line %d is %q, want %q", n, got, want)
		}
	}
}

func TestJSONLinesKeepNames(t *testing.T) {
	body, err := os.ReadFile(written(t, ".jsonl", Layout{Classes: head().Classes}))
	must(t, err)
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if want := `{"path":"plain.jpg","label":"unknown","probability":0.52497919,"unknown":true,"p:cat":0.47502081,"p:a,b":0.52497919,"error":null}`; lines[0] != want {
		t.Errorf("got %s, want %s", lines[0], want)
	}
	for i, line := range lines[:len(oddNames)] {
		var row struct {
			Path  string
			Bytes *string `json:"path_bytes"`
		}
		must(t, json.Unmarshal([]byte(line), &row))
		name := row.Path
		if row.Bytes != nil {
			raw, err := base64.StdEncoding.DecodeString(*row.Bytes)
			must(t, err)
			name = string(raw)
		}
		if name != oddNames[i] || (row.Bytes != nil) != (oddNames[i] == "caf\xe9.jpg") {
			t.Errorf("%q became %s", oddNames[i], line)
		}
	}
	if want := `{"path":"bad.jpg","label":null,"probability":null,"unknown":null,"p:cat":null,"p:a,b":null,"error":"no JPEG: \u0000 at 7"}`; lines[len(lines)-1] != want {
		t.Errorf("got %s, want %s", lines[len(lines)-1], want)
	}
}

func TestAFileIsNotReplacedUnlessAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	must(t, os.WriteFile(path, []byte("mine"), 0o644))
	if _, err := Create(path, Layout{}, false); !errors.Is(err, ErrExists) {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "mine" {
		t.Errorf("the file is %q now", got)
	}
	w, err := Create(path, Layout{}, true)
	must(t, err)
	if got, _ := os.ReadFile(path); string(got) != "mine" {
		t.Errorf("before it is whole: %q", got)
	}
	must(t, w.Close())
	if got, _ := os.ReadFile(path); string(got) != "path,label,probability,unknown,error\n" {
		t.Errorf("got %q", got)
	}
}

func TestWhatIsAbandonedLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "a.csv"), Layout{}, false)
	must(t, err)
	w.Abandon()
	w.Abandon()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestPlacesThatTakeNoPredictions(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]error{"a.txt": ErrFormat, "a": ErrFormat, "none/a.csv": os.ErrNotExist} {
		if err := Check(filepath.Join(dir, name), false); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.Mkdir(filepath.Join(dir, "b.csv"), 0o755))
	if err := Check(filepath.Join(dir, "b.csv"), true); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if err := Check(filepath.Join(dir, "A.CSV"), false); err != nil {
		t.Errorf("capitals: %v", err)
	}
}

func TestCSVGoesToAWriterToo(t *testing.T) {
	var out bytes.Buffer
	w, err := NewCSV(&out, Layout{Classes: []string{"cat"}})
	must(t, err)
	r := Row{Path: "a"}
	r.Answer(&headtrain.Head{Classes: []string{"cat"}}, []float32{3})
	must(t, w.Write(&r))
	must(t, w.Close())
	if got := out.String(); got != "path,label,probability,unknown,p:cat,error\na,cat,1,false,1,\n" {
		t.Errorf("got %q", got)
	}
}

func TestTheLikeliestIsFirstOfEquals(t *testing.T) {
	classes := []string{"a", "b", "c"}
	r := Row{}
	r.Answer(&headtrain.Head{Classes: classes, Temperature: 1000}, []float32{0, 1e-7, 0}) // whose probabilities are equal
	top := r.Top(classes, 2)
	if r.Label != "b" || len(top) != 2 || top[0].Class != "b" || top[1].Class != "a" {
		t.Errorf("%s, %+v", r.Label, top)
	}
	if r.Fail("broken"); r.Top(classes, 2) != nil || r.Label != "" {
		t.Errorf("%+v", r)
	}
}
