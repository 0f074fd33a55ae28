package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// programs are the names that Chromium goes by.
var programs = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// patience is how long a test may take in the browser.
const patience = 90 * time.Second

// tab is a tab of a browser.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	faults   []string
	requests []string
}

// open opens a tab of a Chromium without a window. Where there is none, the test is skipped,
// unless ICEBOX_REQUIRE_BROWSER is 1. An error on the console, an uncaught exception or a
// violation of the page's policy fails the test, at its end.
func open(t testing.TB) *tab {
	t.Helper()
	if raceEnabled {
		t.Skip("skipped: the backbone takes minutes under the race detector")
	}
	path := find()
	if path == "" {
		if os.Getenv("ICEBOX_REQUIRE_BROWSER") == "1" {
			t.Fatal("there is no Chromium")
		}
		t.Skip("skipped: there is no Chromium; ICEBOX_BROWSER names one")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1200, 900), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	ctx, stopBrowser := chromedp.NewExecAllocator(ctx, options...)
	ctx, stopTab := chromedp.NewContext(ctx)
	b := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		stopTab()
		stopBrowser()
		stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, f := range b.faults {
			t.Errorf("in the browser: %s", f)
		}
	})
	chromedp.ListenTarget(ctx, b.listen)
	b.do(network.Enable(), log.Enable(), runtime.Enable(), audits.Enable())
	return b
}

func find() string {
	if path := os.Getenv("ICEBOX_BROWSER"); path != "" {
		return path
	}
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (b *tab) listen(event any) {
	fault := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.mu.Lock()
		b.requests = append(b.requests, e.Request.URL)
		b.mu.Unlock()
	case *runtime.EventExceptionThrown:
		fault = e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			fault = "console." + e.Type.String()
			for _, arg := range e.Args {
				fault += " " + string(arg.Value) + arg.Description
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			fault = e.Entry.Text + " " + e.Entry.URL
		}
	case *audits.EventIssueAdded:
		if d := e.Issue.Details; d != nil && d.ContentSecurityPolicyIssueDetails != nil {
			fault = fmt.Sprintf("policy violated: %s %s", d.ContentSecurityPolicyIssueDetails.ViolatedDirective, d.ContentSecurityPolicyIssueDetails.BlockedURL)
		}
	}
	if fault != "" {
		b.mu.Lock()
		b.faults = append(b.faults, fault)
		b.mu.Unlock()
	}
}

// do runs actions and fails the test where one does not come off.
func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// requested are the addresses that were asked for, data: ones left out.
func (b *tab) requested() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, url := range b.requests {
		if !strings.HasPrefix(url, "data:") {
			all = append(all, url)
		}
	}
	return all
}

// eval returns the value of an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	var v T
	b.do(chromedp.Evaluate(expression, &v))
	return v
}

// look sets the size of the window, in pixels, and whether pages are dark. Nothing moves by
// itself: a click would miss what a page scrolls to smoothly.
func (b *tab) look(width, height int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(chromedp.EmulateViewport(width, height), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}))
}

// shoot writes what the window shows to a file.
func (b *tab) shoot(path string) {
	b.t.Helper()
	var png []byte
	b.do(chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(path, png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// violation is a rule of axe that a page breaks.
type violation struct {
	ID    string
	Help  string
	Nodes []struct {
		HTML           string
		FailureSummary string
	}
}

// accessible checks the page by the rules of axe-core, whose script ICEBOX_AXE names. Where
// it names none, it says so and checks nothing.
func (b *tab) accessible() {
	b.t.Helper()
	path := os.Getenv("ICEBOX_AXE")
	if path == "" {
		b.t.Log("skipped: ICEBOX_AXE names no script of axe-core (axe.min.js)")
		return
	}
	script, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	var text string
	b.do(chromedp.Evaluate(string(script)+";0", nil),
		chromedp.Evaluate("axe.run().then(r => JSON.stringify(r.violations))", &text, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var all []violation
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range all {
		for n, node := range v.Nodes {
			if n < 3 {
				b.t.Errorf("%s: %s: %.200s: %s", v.ID, v.Help, node.HTML, node.FailureSummary)
			}
		}
	}
}
