package browser

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"icebox/pipeline"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/studio/web"
)

const hostile = "<img src=x onerror=alert(1)>"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// drawn is a picture in the colour of its class.
func drawn(t testing.TB, class, index int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(class), uint64(index)))
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		v := [3]uint8{uint8(rng.IntN(60)), uint8(rng.IntN(60)), uint8(rng.IntN(60))}
		v[class] += 180
		img.SetNRGBA(i%64, i/64, color.NRGBA{v[0], v[1], v[2], 255})
	}
	var buf bytes.Buffer
	must(t, png.Encode(&buf, img))
	return buf.Bytes()
}

// photos are three classes of pictures, in which one picture of the third has the label of
// the first, and options for them.
func photos(t *testing.T) (o pipeline.Options) {
	t.Helper()
	dir := t.TempDir()
	for c, class := range []string{"azure", hostile, "ochre"} {
		for i := range 14 {
			folder, name := class, fmt.Sprintf("%02d.png", i)
			if c == 2 && i == 13 {
				folder, name = "azure", "wrong.png"
			}
			path := filepath.Join(dir, "photos", folder, name)
			must(t, os.MkdirAll(filepath.Dir(path), 0o755))
			must(t, os.WriteFile(path, drawn(t, c, i), 0o600))
		}
	}
	o = pipeline.Default()
	o.Data.Train, o.Data.Split = filepath.Join(dir, "photos"), dataset.Split{Val: 0.2}
	o.Backbone.Weights, o.Cache.Path, o.Output.Dir = "random:7", filepath.Join(dir, "f.db"), filepath.Join(dir, "runs")
	return o
}

// serve serves a studio of photos, and returns its address.
func serve(t *testing.T) (address string, o pipeline.Options) {
	t.Helper()
	o = photos(t)
	_, err := pipeline.Extract(context.Background(), o, pipeline.Silent)
	must(t, err)
	o.Data.Corrections = filepath.Join(filepath.Dir(o.Cache.Path), "corrections.csv")
	return serveStudio(t, o), o
}

// serveStudio serves a studio of what is in a cache, and returns its address.
func serveStudio(t *testing.T, o pipeline.Options) (address string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s, err := pipeline.OpenStudio(ctx, o, pipeline.Choice{KeepSplit: true}, true, pipeline.Silent)
	must(t, err)
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	ended := make(chan error)
	go func() {
		ended <- web.Serve(ctx, l, web.New(s, web.Options{Hosts: web.Hosts(port), Runs: o.Output.Dir}))
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/"
}

// until waits for an expression to be true.
func until(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var ok bool
		ctx, stop := context.WithTimeout(ctx, 15*time.Second)
		defer stop()
		if err := chromedp.Poll("!!("+expression+")", &ok, chromedp.WithPollingInterval(20*time.Millisecond)).Do(ctx); err != nil {
			var body string
			_ = chromedp.Evaluate("document.body.innerText", &body).Do(context.WithoutCancel(ctx))
			return fmt.Errorf("waiting for %s: %w; the page: %.1500s", expression, err, body)
		}
		return nil
	})
}

func settled() chromedp.Action {
	return until(`document.querySelector("#doubts") && !document.querySelector(".state").textContent.trim()`)
}

func TestStudioInABrowser(t *testing.T) {
	b := open(t)
	b.look(1280, 800, false)
	ctx := b.ctx
	address, o := serve(t)
	const card = `[...document.querySelectorAll("#wall li")].find((li) => li.textContent.includes("wrong.png") || li.querySelector("a").title.endsWith("wrong.png"))`
	must(t, chromedp.Run(ctx,
		chromedp.Navigate(address), settled(),
		until(`document.querySelectorAll("#wall li").length === 42`),
		until(`document.querySelector("#classes").textContent.includes("`+hostile+`") && !document.querySelector("#classes img")`),
		until(`[...document.images].slice(0, 6).every((i) => i.complete && i.naturalWidth === 96)`),
		// A filter is a link, and stands in the address.
		until(`document.querySelector("#side a[href*='show=doubtful'] b").textContent !== "0"`),
		chromedp.Click(`#side a[href*="show=doubtful"]`),
		until(`location.search.includes("show=doubtful") && document.querySelectorAll("#wall li").length < 42 && `+card),
		// The wrong label is mended by keys alone.
		chromedp.KeyEvent(kb.ArrowRight),
		until(`document.activeElement.closest("#wall li")`),
	))
	for range 42 {
		var at bool
		must(t, chromedp.Run(ctx, chromedp.Evaluate(`document.activeElement.title.endsWith("wrong.png")`, &at)))
		if at {
			break
		}
		must(t, chromedp.Run(ctx, chromedp.KeyEvent(kb.ArrowRight)))
	}
	must(t, chromedp.Run(ctx, chromedp.KeyEvent("3"),
		until(`document.querySelector("#status").textContent.includes("→")`),
		settled(), until(`[...document.querySelectorAll("#classes li b")].map((b) => b.textContent).join() === "14,14,14"`)))
	if f, err := corrections.Read(o.Data.Corrections); err != nil || len(f.Changes) != 1 || f.Changes[0].New != "ochre" || f.Changes[0].Old != "azure" {
		t.Fatalf("%v: %+v", err, f)
	}
	must(t, chromedp.Run(ctx,
		chromedp.KeyEvent("u"), until(`[...document.querySelectorAll("#classes li b")].map((b) => b.textContent).join() === "14,15,13"`),
		chromedp.KeyEvent("U"), until(`[...document.querySelectorAll("#classes li b")].map((b) => b.textContent).join() === "14,14,14"`),
		settled(),
	))
	must(t, chromedp.Run(ctx, chromedp.Navigate(address), settled(), chromedp.Evaluate(`(async () => {
			const picture = await (await fetch(document.images[0].src)).blob();
			const data = new DataTransfer();
			data.items.add(new File([picture], "<b>new</b>.jpg", {type: "image/jpeg"}));
			document.querySelector("main").dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: data}));
			return true;
		})()`, nil),
		until(`document.querySelector("#answers meter") && document.querySelector("#answers .path").textContent === "<b>new</b>.jpg"`),
		until(`document.querySelector("#answers .evidence img")?.naturalWidth === 224`),
		// It is kept, without a label.
		until(`document.querySelector("#answers .fresh button")`), chromedp.Click(`#answers .fresh button`),
		until(`document.querySelector("#answers [role=status]").textContent.includes("is kept")`),
		until(`document.querySelector("#side a[href*='show=unlabelled'] b").textContent === "1"`),
		chromedp.ActionFunc(func(ctx context.Context) error {
			shot(t, ctx, "kept")
			return nil
		}),
		chromedp.KeyEvent(kb.Escape), until(`!document.querySelector("dialog[open]")`),
		// A closer look, and back.
		chromedp.Click(`#wall li a`), until(`document.querySelector("#panel h3") && location.search.includes("image=")`),
		until(`document.querySelector("#panel .evidence img")?.naturalWidth === 224`),
		chromedp.KeyEvent(kb.Escape), until(`document.querySelector("#panel").hidden && !location.search.includes("image=")`),
	))
	// Many at once: a range is left out, and taken in again.
	must(t, chromedp.Run(ctx,
		chromedp.Focus(`#wall li a`),
		chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(input.ModifierShift)), chromedp.KeyEvent(kb.ArrowRight, chromedp.KeyModifiers(input.ModifierShift)),
		until(`document.querySelectorAll("#wall li.chosen").length === 3`),
		chromedp.KeyEvent("x"), until(`document.querySelectorAll("#wall li.out").length === 3 && !document.querySelector("#wall li.chosen")`), settled(),
		chromedp.KeyEvent("u"), until(`!document.querySelector("#wall li.out")`), settled(),
		// A class that is new, by its name.
		chromedp.KeyEvent("/"), until(`document.querySelector("#ask").open`),
		chromedp.SendKeys(`#typed`, "brand new"+kb.Enter), until(`document.querySelector("#classes").textContent.includes("brand new")`),
		chromedp.KeyEvent("u"), until(`!document.querySelector("#classes").textContent.includes("brand new")`), settled(),
	))
	b.do(chromedp.Navigate(address), settled())
	b.accessible()
	shots(t, ctx, address)
	b.do(chromedp.Navigate(address+"cache"), until(`document.querySelector("main").textContent.includes("43 rows by native")`))
	b.accessible()
	shot(t, ctx, "cache")
	b.look(420, 800, true)
	shot(t, ctx, "cache-narrow-dark")
	b.do(chromedp.Navigate(address), settled())
	b.accessible()
	shot(t, ctx, "wall-narrow-dark")
	b.do(chromedp.Navigate("about:blank")) // the server ends before the tab, and a page that loses it says so on the console
}

// shots takes pictures of some pages for a person to look at.
func shots(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	for name, path := range map[string]string{"wall": "", "doubtful": "?show=doubtful&sort=doubt&image=13"} {
		must(t, chromedp.Run(ctx, chromedp.Navigate(address+path), settled()))
		shot(t, ctx, name)
	}
}

// shot takes a picture of the page as it is, where ICEBOX_SHOTS names a folder.
func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("ICEBOX_SHOTS")
	if dir == "" {
		return
	}
	var picture []byte
	must(t, chromedp.Run(ctx, chromedp.Sleep(500*time.Millisecond), chromedp.FullScreenshot(&picture, 100)))
	must(t, os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600))
}
