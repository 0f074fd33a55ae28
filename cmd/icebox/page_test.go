package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"icebox/cmd/internal/browser"
)

// shots is the folder for screenshots; "" is none.
var shots = os.Getenv("ICEBOX_SHOTS")

// TestPageInABrowser opens the report of quickstart's pictures in a real browser.
func TestPageInABrowser(t *testing.T) {
	tab := browser.Open(t)
	dir := t.TempDir()
	if r := icebox(t, dir, "quickstart"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	settings := []string{"--run", "latest", "output.dir=icebox-quickstart/runs"}
	if r := icebox(t, dir, append([]string{"report"}, settings...)...); r.code != 0 {
		t.Fatal(r.errOut)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "icebox-quickstart", "runs", "*", "report.html"))
	must(t, err)
	if len(pages) == 0 {
		t.Fatal("there is no page")
	}
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(pages[0])}).String()
	tab.Look(1200, 900, false)
	tab.Do(chromedp.Navigate(address))

	// A heading sorts, with the keyboard too.
	first := `document.querySelector("#classes table.sortable tbody tr th").textContent`
	before := browser.Eval[string](tab, first)
	tab.Do(chromedp.Focus("#classes th button", chromedp.ByQuery), chromedp.KeyEvent("\r"), chromedp.KeyEvent("\r"))
	if after := browser.Eval[string](tab, first); after == before {
		t.Errorf("%q is first, sorted or not", after)
	}
	// A cell of the matrix opens its pictures.
	if browser.Eval[int](tab, `document.querySelectorAll(".matrix a").length`) > 0 {
		tab.Do(chromedp.Click(".matrix a", chromedp.ByQuery), chromedp.WaitVisible(".cell:target", chromedp.ByQuery))
	}
	if n := browser.Eval[int](tab, `[...document.querySelectorAll(".pic:not(.none)")].filter(e => getComputedStyle(e).backgroundImage == "none").length`); n > 0 {
		t.Errorf("%d pictures are not drawn", n)
	}
	for _, look := range []struct {
		name  string
		width int64
		dark  bool
	}{{"light", 1200, false}, {"dark", 1200, true}, {"narrow", 380, false}} {
		tab.Look(look.width, 900, look.dark)
		tab.Accessible()
		if over := browser.Eval[int](tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: the page is %d pixels wider than the window", look.name, over)
		}
		if shots != "" {
			tab.Do(chromedp.Evaluate(`scrollTo(0, 0)`, nil))
			tab.Shoot(filepath.Join(shots, "report-"+look.name+".png"))
		}
	}
	for _, asked := range tab.Requests() {
		if !strings.HasPrefix(asked, "file:") {
			t.Errorf("the page asks for %s", asked)
		}
	}
}
