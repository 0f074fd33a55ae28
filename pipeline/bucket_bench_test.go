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
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// BenchmarkBucket extracts the same photos from a folder and from a store that takes 50 ms to
// answer, in turn, each into a new cache, and reports images/s of either. The store is another
// process on the same processors: where Linux tells what it worked meanwhile, the last number
// is the ratio of the rates with that time, shared out among the processors, taken off.
func BenchmarkBucket(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "photos")
	const n = 1000
	for i := range n {
		writePhoto(b, filepath.Join(dir, fmt.Sprintf("class%d", i%3), fmt.Sprintf("%03d.jpg", i)), i)
	}
	pid := startSlowStore(b, 50*time.Millisecond)
	upload(b, dir, "s3://photos/set")
	var folder, far, others time.Duration
	for b.Loop() {
		folder += extractionOf(b, dir, dir, n)
		before := processorTime(pid)
		far += extractionOf(b, dir, "s3://photos/set", n)
		others += processorTime(pid) - before
	}
	rate := func(d time.Duration) float64 { return float64(n) * float64(b.N) / d.Seconds() }
	b.ReportMetric(rate(folder), "images/s-folder")
	b.ReportMetric(rate(far), "images/s-bucket")
	b.ReportMetric(folder.Seconds()/far.Seconds(), "bucket/folder")
	if others > 0 {
		far -= others / time.Duration(runtime.GOMAXPROCS(0))
		b.ReportMetric(folder.Seconds()/far.Seconds(), "bucket/folder-less-store")
	}
}

// writePhoto writes a JPEG of 500 by 375 pixels.
func writePhoto(b *testing.B, path string, i int) {
	b.Helper()
	small := picture(i%3, i)
	large := image.NewNRGBA(image.Rect(0, 0, 500, 375))
	for at := range 500 * 375 {
		x, y := at%500, at/500
		large.Set(x, y, small.At(x*small.Bounds().Dx()/500, y*small.Bounds().Dy()/375))
	}
	var data bytes.Buffer
	err := jpeg.Encode(&data, large, nil)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, data.Bytes(), 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// extractionOf is how long n images of a source take, once the backbone is ready, into a new cache.
func extractionOf(b *testing.B, dir, source string, n int) time.Duration {
	b.Helper()
	o := settings(dir)
	o.Extract.BatchSize = 16
	o.Data.Train, o.Cache.Path = source, filepath.Join(b.TempDir(), "f.db")
	o = ready(b, o)
	sum, err := Extract(context.Background(), o, Silent)
	if err != nil || sum.Computed != n {
		b.Fatal(sum, err)
	}
	return time.Duration(sum.Times.Seconds * float64(time.Second))
}

// slowStore is the variable that makes the test binary a store, and says how long it takes to answer.
const slowStore = "ICEBOX_PIPELINE_STORE"

// startSlowStore starts a store with the bucket photos as a process of its own.
func startSlowStore(b *testing.B, delay time.Duration) (pid int) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), slowStore+"="+delay.String())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	storeAt(b, strings.TrimSpace(address))
	return cmd.Process.Pid
}

// serveSlowly is that process.
func serveSlowly(delay string) {
	wait, err := time.ParseDuration(delay)
	backend := s3mem.New()
	if err == nil {
		err = backend.CreateBucket("photos")
	}
	if err != nil {
		panic(err)
	}
	inner := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			time.Sleep(wait)
		}
		inner.ServeHTTP(w, r)
	}))
	fmt.Println(server.URL)
	select {} // until it is killed
}

// processorTime is what a process has worked, in hundredths of a second; 0 where the system
// does not tell.
func processorTime(pid int) time.Duration {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(data, []byte(") ")) // the program's name may hold spaces
	f := strings.Fields(string(rest))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
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
	storeAt(b, server.URL)
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
