package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"icebox/headtrain/probe"
	"icebox/pipeline"
	"icebox/pipeline/runs"
)

// TestReportInABrowser opens the report of a run from the disk.
func TestReportInABrowser(t *testing.T) {
	b := open(t)
	ctx := context.Background()
	o := photos(t)
	for i := range 6 { // some labels are wrong, so that the head makes mistakes
		for _, class := range []string{hostile, "ochre"} {
			from := filepath.Join(o.Data.Train, class, fmt.Sprintf("%02d.png", i))
			must(t, os.Rename(from, filepath.Join(o.Data.Train, "azure", fmt.Sprintf("wrong-%d%d.png", len(class), i))))
		}
	}
	run, err := pipeline.Run(ctx, o, pipeline.Silent)
	must(t, err)
	_, err = pipeline.DrawPage(ctx, *run.RunDir, o, pipeline.Choice{}, probe.NearCosine, pipeline.Silent)
	must(t, err)
	b.look(1200, 900, false)
	b.do(chromedp.Navigate((&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(*run.RunDir, runs.PageFile))}).String()))

	// A heading sorts, with the keyboard too.
	first := `document.querySelector("#classes table.sortable tbody tr th").textContent`
	before := eval[string](b, first)
	b.do(chromedp.Focus("#classes th button", chromedp.ByQuery), chromedp.KeyEvent("\r"), chromedp.KeyEvent("\r"))
	if after := eval[string](b, first); after == before {
		t.Errorf("%q is first, sorted or not", after)
	}
	// A cell of the matrix opens its pictures.
	if eval[int](b, `document.querySelectorAll(".matrix a").length`) == 0 {
		t.Error("no cell can be opened")
	}
	b.do(chromedp.Click(".matrix a", chromedp.ByQuery), until(`document.querySelector(".cell:target")?.offsetHeight > 0`))
	if n := eval[int](b, `document.querySelectorAll(".pic:not(.none)").length`); n < 10 {
		t.Errorf("there are %d pictures", n)
	}
	if n := eval[int](b, `[...document.querySelectorAll(".pic:not(.none)")].filter(e => getComputedStyle(e).backgroundImage == "none").length`); n > 0 {
		t.Errorf("%d pictures are not drawn", n)
	}
	for _, look := range []struct {
		name  string
		width int64
		dark  bool
	}{{"light", 1200, false}, {"dark", 1200, true}, {"narrow", 380, false}} {
		b.look(look.width, 900, look.dark)
		b.accessible()
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: the page is %d pixels wider than the window", look.name, over)
		}
		if dir := os.Getenv("ICEBOX_SHOTS"); dir != "" {
			b.do(chromedp.Evaluate(`scrollTo(0, 0)`, nil))
			b.shoot(filepath.Join(dir, fmt.Sprintf("report-%s.png", look.name)))
		}
	}
	for _, asked := range b.requested() {
		if !strings.HasPrefix(asked, "file:") {
			t.Errorf("the page asks for %s", asked)
		}
	}
}
