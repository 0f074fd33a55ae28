package browser

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"icebox/cmd/internal/pictures"
	"icebox/headtrain/probe"
	"icebox/pipeline"
	"icebox/pipeline/runs"
)

var (
	readmePictures = flag.String("readme-pictures", "", "`folder` for the pictures of the README")
	readmeWeights  = flag.String("readme-weights", "", "`file` of ResNet-18 weights for them")
)

// TestReadmePictures makes the pictures of the README: of the images that quickstart draws,
// some of which lie under a wrong class.
func TestReadmePictures(t *testing.T) {
	if *readmePictures == "" {
		t.Skip("skipped: -readme-pictures names no folder")
	}
	b, ctx, dir := open(t), context.Background(), t.TempDir()
	o := pipeline.Default()
	o.Data.Train, o.Data.Val, o.Data.Test = filepath.Join(dir, "shapes", "train"), filepath.Join(dir, "shapes", "val"), filepath.Join(dir, "shapes", "test")
	o.Data.Name = "shapes"
	o.Backbone.Weights, o.Cache.Path, o.Output.Dir = *readmeWeights, filepath.Join(dir, "f.db"), filepath.Join(dir, "runs")
	must(t, pictures.Draw(ctx, pictures.Options{Dir: filepath.Join(dir, "shapes"), PerClass: pictures.Counts{Train: 60, Val: 12, Test: 24}, Seed: 7}, nil))
	classes := pictures.Classes()
	for n := range 14 {
		from, to := classes[n%len(classes)], classes[(n*3+1)%len(classes)]
		name := fmt.Sprintf("%s_%04d", from, n+1)
		found, err := filepath.Glob(filepath.Join(o.Data.Train, from, name+".*"))
		must(t, err)
		must(t, os.Rename(found[0], filepath.Join(o.Data.Train, to, filepath.Base(found[0]))))
	}
	run, err := pipeline.Run(ctx, o, pipeline.Silent)
	must(t, err)
	_, err = pipeline.DrawPage(ctx, *run.RunDir, o, pipeline.Choice{}, probe.NearCosine, pipeline.Silent)
	must(t, err)
	shoot := func(name, address string, width, height int64, actions ...chromedp.Action) {
		b.look(width, height, false)
		b.do(chromedp.Navigate(address))
		b.do(actions...)
		var picture []byte
		b.do(until(`[...document.images].every((i) => i.complete)`), chromedp.ActionFunc(func(ctx context.Context) (err error) {
			picture, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatWebp).WithQuality(70).Do(ctx)
			return err
		}))
		must(t, os.WriteFile(filepath.Join(*readmePictures, name+".webp"), picture, 0o600))
	}
	file := (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(*run.RunDir, runs.PageFile))}).String()
	shoot("report", file, 1000, 640, chromedp.Evaluate(`document.querySelector("#mistakes").scrollIntoView()`, nil))
	o.Data.Train, o.Data.Val, o.Data.Test = "", "", ""
	o.Data.Corrections = filepath.Join(dir, "corrections.csv")
	shoot("studio", serveStudio(t, o)+"?show=doubtful&sort=doubt", 1180, 880, settled(),
		chromedp.Click("#wall li a"), until(`document.querySelector("#panel .evidence img")?.naturalWidth === 224`))
	b.do(chromedp.Navigate("about:blank"))
}
