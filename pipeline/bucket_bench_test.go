package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkBucket extracts the same photos from a folder and from a store that takes 50 ms to
// answer, in turn, each into a new cache, and reports images/s of either. The store's own work
// is done by the same processors.
func BenchmarkBucket(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "photos")
	const n = 1000
	for i := range n {
		small := picture(i%3, i)
		large := image.NewNRGBA(image.Rect(0, 0, 500, 375))
		for at := range 500 * 375 {
			x, y := at%500, at/500
			large.Set(x, y, small.At(x*small.Bounds().Dx()/500, y*small.Bounds().Dy()/375))
		}
		path := filepath.Join(dir, fmt.Sprintf("class%d", i%3), fmt.Sprintf("%03d.jpg", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		f, err := os.Create(path)
		if err == nil {
			err = jpeg.Encode(f, large, nil)
			f.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	s := startStore(b)
	upload(b, dir, "s3://photos/set")
	s.delay = 50 * time.Millisecond
	spent := map[string]time.Duration{}
	rounds := 0
	for b.Loop() {
		rounds++
		for _, source := range []string{dir, "s3://photos/set"} {
			o := settings(dir)
			o.Extract.BatchSize = 16
			o.Data.Train, o.Cache.Path = source, filepath.Join(b.TempDir(), fmt.Sprint(rounds, len(source), ".db"))
			o = ready(b, o)
			start := time.Now()
			sum, err := Extract(context.Background(), o, Silent)
			if err != nil || sum.Computed != n {
				b.Fatal(sum, err)
			}
			spent[source] += time.Since(start)
		}
	}
	for source, took := range spent {
		b.ReportMetric(float64(n*rounds)/took.Seconds(), map[bool]string{true: "images/s-folder", false: "images/s-bucket"}[source == dir])
	}
	b.ReportMetric(spent[dir].Seconds()/spent["s3://photos/set"].Seconds(), "bucket/folder")
}

// BenchmarkWarmBucket lists a bucket whose images the cache has, ICEBOX_OBJECTS of them
// (20,000 where nothing is said), with 64 contents. No object may be fetched.
func BenchmarkWarmBucket(b *testing.B) {
	n := 20_000
	if text := os.Getenv("ICEBOX_OBJECTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		b.Fatal(err)
	}
	var fetched atomic.Int64
	const page = 1000
	object := func(i int) (name string, data []byte, etag string) {
		return fmt.Sprintf("class%d/%07d.jpg", i*8/n, i), fmt.Appendf(bytes.Clone(picture.Bytes()), "%d", i%64), fmt.Sprintf("%032x", i%64)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := strings.Trim(r.URL.Path, "/"); strings.Contains(path, "/") {
			fetched.Add(1)
			i, err := strconv.Atoi(path[len(path)-len("0000000.jpg") : len(path)-len(".jpg")])
			if err != nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, data, etag := object(i)
			w.Header().Set("ETag", `"`+etag+`"`)
			w.Header().Set("Last-Modified", "Fri, 27 Nov 2026 00:00:00 GMT")
			_, _ = w.Write(data)
			return
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
		to := min(from+page, n)
		out := bufio.NewWriter(w)
		defer out.Flush()
		fmt.Fprintf(out, "<ListBucketResult><Name>photos</Name><IsTruncated>%t</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", to < n, to)
		for i := from; i < to; i++ {
			name, data, etag := object(i)
			fmt.Fprintf(out, `<Contents><Key>%s</Key><LastModified>2026-11-27T00:00:00.000Z</LastModified><ETag>"%s"</ETag><Size>%d</Size></Contents>`, name, etag, len(data))
		}
		fmt.Fprint(out, "</ListBucketResult>")
	}))
	defer server.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"} {
		b.Setenv(name, value)
	}
	o := settings(b.TempDir())
	o.Cache.Path, o.Data.Train = filepath.Join(b.TempDir(), "f.db"), "s3://photos"
	o = ready(b, o)
	sum, err := Extract(context.Background(), o, Silent)
	if err != nil || sum.Images != n {
		b.Fatal(sum, err)
	}
	fetched.Store(0)
	for b.Loop() {
		if sum, err := Extract(context.Background(), o, Silent); err != nil || sum.Hits != n || fetched.Load() != 0 {
			b.Fatal(sum, err, fetched.Load())
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
