package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/cache"
	"icebox/pipeline/corrections"
	"icebox/pipeline/internal/lock"
	"icebox/pipeline/studio"
	"icebox/pipeline/studio/web"
)

const hostileName = "<img src=x onerror=alert(1)>"

// webOf serves a studio of classes with hostile names.
func webOf(t *testing.T) (http.Handler, *studio.Session, Options) {
	t.Helper()
	dir := photos(t, 3, 8)
	must(t, os.Rename(filepath.Join(dir, "class0"), filepath.Join(dir, hostileName)))
	must(t, os.Rename(filepath.Join(dir, "class1"), filepath.Join(dir, "\u05e9\u05dc\u05d5\u05dd "+strings.Repeat("long", 40))))
	must(t, os.Rename(filepath.Join(dir, "class2", "000.jpg"), filepath.Join(dir, "class2", "'\"><script>alert(2)<|script>.jpg")))
	time.Sleep(settle)
	s, o := studioOf(t, settings(dir))
	numbersOf(t, s)
	return web.New(s, web.Options{Hosts: web.Hosts("80"), Runs: o.Output.Dir}), s, o
}

func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:80"
	r.Header.Set("Content-Type", "application/json")
	for n := 0; n+1 < len(header); n += 2 {
		if header[n] == "Host" {
			r.Host = header[n+1]
		}
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPagesOfAStudio(t *testing.T) {
	h, s, o := webOf(t)
	all := s.Wall(studio.Query{})
	for _, target := range []string{"/", "/?show=doubtful&sort=doubt", "/?image=0", "/?image=99999&page=-3&pages=x", "/?class=" + "%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E", "/?show=%3Cscript%3E&sort=%27%22%3E&part=x&predicted=y"} {
		w := ask(h, "GET", target, "")
		body := w.Body.String()
		if w.Code != http.StatusOK || strings.Contains(body, "<img src=x") || strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;img src=x") {
			t.Errorf("%s: %d, %.300s", target, w.Code, body)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'self'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", target, p)
		}
		if strings.Contains(body, " style=") || strings.Contains(body, " onclick=") {
			t.Errorf("%s has something inline, which the policy stops", target)
		}
	}
	thumb := "/thumb/" + all.Cards[0].Hash + ".jpg"
	if w := ask(h, "GET", thumb, ""); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/jpeg" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("a picture: %d %v", w.Code, w.Header())
	}
	// Where the evidence lies.
	if body := ask(h, "GET", "/?image=0", "").Body.String(); !strings.Contains(body, `src="/evidence/0.jpg?head=`) {
		t.Errorf("no map in %s", body)
	}
	if w := ask(h, "GET", "/evidence/0.jpg", ""); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/jpeg" || w.Body.Len() < 1000 {
		t.Errorf("a map: %d %v", w.Code, w.Header())
	}
	if w := ask(h, "GET", "/evidence/99999.jpg", ""); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(w.Body.String(), "no map") {
		t.Errorf("a map of nothing: %d %s", w.Code, w.Body)
	}
	// One that is gone is a grey tile with its name.
	gone := all.Cards[len(all.Cards)-1]
	must(t, os.Remove(filepath.Join(o.Data.Train, filepath.FromSlash(gone.Path))))
	if w := ask(h, "GET", "/thumb/"+gone.Hash+".jpg", ""); w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(w.Body.String(), "is gone") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("one that is gone: %d %s", w.Code, w.Body)
	}
	for _, target := range []string{"/thumb/zz.jpg", "/thumb/" + strings.Repeat("0", 64), "/static/page.html", "/evidence/x.jpg", "/runs/..%2f..%2fx/report.html", "/none"} {
		if w := ask(h, "GET", target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	for body, code := range map[string]int{"<svg onload=alert(1)>": 422, "": 422} {
		if w := ask(h, "POST", "/keep?by=x", body, "Content-Type", "application/octet-stream"); w.Code != code || !json.Valid(w.Body.Bytes()) {
			t.Errorf("keep %q: %d %s", body, w.Code, w.Body)
		}
	}
	if w := ask(h, "POST", "/keep", string(fresh(t, 0, 1)[0])); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("a picture that another page may send: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "POST", "/keep?by=x", string(fresh(t, 0, 1)[0]), "Content-Type", "application/octet-stream"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "is kept") {
		t.Errorf("a picture: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/runs", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "No run yet") {
		t.Errorf("runs: %d %s", w.Code, w.Body)
	}
}

// Nobody changes anything by another name of this machine, or from a page of another origin.
func TestAStudioIsForThisMachineAlone(t *testing.T) {
	h, s, _ := webOf(t)
	change := `{"items":[0],"action":"exclude","by":"x"}`
	for name, header := range map[string][]string{
		"rebinding":             {"Host", "evil.example:80"},
		"rebinding, same names": {"Host", "127.0.0.1.evil.example:80", "Origin", "http://127.0.0.1.evil.example:80"},
		"another port":          {"Host", "127.0.0.1:81"},
		"another origin":        {"Origin", "http://evil.example"},
		"another port's page":   {"Origin", "http://127.0.0.1:8080"},
		"no origin":             {"Origin", "null"},
		"cross-site":            {"Sec-Fetch-Site", "cross-site"},
		"same site, not origin": {"Sec-Fetch-Site", "same-site"},
		"a form":                {"Content-Type", "text/plain"},
	} {
		if w := ask(h, "POST", "/change", change, header...); w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := ask(h, "GET", "/", "", "Host", "evil.example:80"); w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "class") {
		t.Errorf("rebinding reads: %d", w.Code)
	}
	if got := s.Wall(studio.Query{}).Counts[studio.Excluded]; got != 0 {
		t.Fatalf("%d images were left out", got)
	}
	for _, header := range [][]string{nil, {"Host", "localhost:80", "Origin", "http://localhost:80", "Sec-Fetch-Site", "same-origin"}} {
		if w := ask(h, "POST", "/change", change, header...); w.Code != http.StatusOK {
			t.Errorf("from here: %d %s", w.Code, w.Body)
		}
	}
	for body, code := range map[string]int{"{": 400, `{"items":[0],"action":"relabel","class":""}`: 422, `{"items":[` + strings.Repeat("0,", 3<<20) + `0]}`: 400} {
		if w := ask(h, "POST", "/change", body); w.Code != code || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%.40s: %d %s", body, w.Code, w.Body)
		}
	}
}

// Two browsers see each other's changes as they happen, and a server that ends lets them go.
func TestTwoBrowsers(t *testing.T) {
	_, s, o := webOf(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, web.New(s, web.Options{Hosts: web.Hosts(port)})) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	address := "http://" + l.Addr().String()
	get := func(path string) *http.Response {
		t.Helper()
		r, err := client.Get(address + path)
		must(t, err)
		return r
	}
	stream := get("/events")
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Scan() // it listens by now
	r, err := client.Post(address+"/change", "application/json", strings.NewReader(`{"items":[1,2],"action":"relabel","class":"`+hostileName+`","by":"two"}`))
	must(t, err)
	must(t, r.Body.Close())
	var e studio.Event
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			must(t, json.Unmarshal([]byte(data), &e))
			if e.By == "two" {
				break
			}
		}
	}
	if e.By != "two" || len(e.Items) != 2 || !strings.Contains(e.Text, hostileName) {
		t.Errorf("heard %+v", e)
	}
	if f, err := corrections.Read(o.Data.Corrections); err != nil || len(f.Changes) != 2 {
		t.Errorf("%v, %+v", err, f)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_, _ = io.Copy(io.Discard, stream.Body)
}

// What other processes write is shown to whoever listens, while it goes on, and what the cache
// holds.
func TestWhatGoesOnElsewhere(t *testing.T) {
	h, s, o := webOf(t)
	if w := ask(h, "GET", "/cache", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "24 rows by ") || strings.Contains(w.Body.String(), "<img src=x") {
		t.Errorf("cache: %d %s", w.Code, w.Body)
	}
	owner, err := json.Marshal(cache.Owner{PID: os.Getppid(), Host: hostName(t), Command: "icebox extract " + hostileName, Since: time.Now()})
	must(t, err)
	must(t, os.WriteFile(o.Cache.Path+".lock", owner, 0o600))
	sweep := filepath.Join(o.Output.Dir, "20261127-120000-many.partial")
	must(t, os.MkdirAll(sweep, 0o755))
	for name, text := range map[string]string{lock.Name: "", "metrics.jsonl": "", "heads.jsonl": "{}\n{}\n{}\n"} {
		must(t, os.WriteFile(filepath.Join(sweep, name), []byte(text), 0o600))
	}
	heard, forget := s.Listen()
	defer forget()
	wait := func() string {
		t.Helper()
		for end := time.After(20 * time.Second); ; {
			select {
			case e := <-heard:
				if e.Elsewhere {
					return ask(h, "GET", "/elsewhere", "").Body.String()
				}
			case <-end:
				t.Fatal("nobody is told")
			}
		}
	}
	wait() // the rate comes with the second look
	body := wait()
	for _, want := range []string{"icebox extract &lt;img src=x", "writes to the cache: 24 rows by now, 0 more in ", "the run 20261127-120000-many goes on: 2 heads by now"} {
		if !strings.Contains(body, want) {
			t.Errorf("it does not say %q: %s", want, body)
		}
	}
	must(t, os.Truncate(o.Cache.Path+".lock", 0))
	must(t, os.Remove(filepath.Join(sweep, lock.Name))) // it was interrupted, and is kept
	for body != "" {
		body = wait()
	}
}

func hostName(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	must(t, err)
	return name
}
