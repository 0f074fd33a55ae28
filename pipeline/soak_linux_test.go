package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"icebox/cache"
	"icebox/extract"
)

// Variables of the soak. The first names how many images there are; more than some hundred
// thousand take minutes:
//
//	ICEBOX_SOAK=1000000 ICEBOX_SOAK_PLOT=soak.svg go test ./pipeline -run '^TestSoak$' -v -timeout 2h
const (
	soakImages = "ICEBOX_SOAK"      // how many images; 2,000 where it is not set
	soakPlot   = "ICEBOX_SOAK_PLOT" // file that the plot is drawn to; none where it is not set
	soakLife   = "ICEBOX_SOAK_LIFE" // of a child: folder, images, number of its life, how and after how many images it ends
)

// soak is an extraction whose process is ended again and again, on images of which some are
// bad, some vanish and some are cut short while it runs.
type soak struct {
	dir    string
	images int
}

// fate says what becomes of an image.
type fate int

const (
	good    fate = iota
	noImage      // no image from the start
	vanishes
	cutShort // while the extraction runs
)

// fate also says in which life an image meets it.
func (s *soak) fate(i int) (f fate, life int) {
	rng := rand.New(rand.NewPCG(uint64(i), 3))
	switch n := rng.IntN(1000); {
	case n < 10:
		f = noImage
	case n < 20:
		f = vanishes
	case n < 30:
		f = cutShort
	}
	return f, rng.IntN(6)
}

func (s *soak) file(i int) string {
	end := ".png"
	if i%32 == 7 {
		end = ".jpg"
	} else if i%8 == 3 {
		end = ".gif"
	}
	return filepath.Join(s.dir, "photos", fmt.Sprintf("class%02d", i%20), fmt.Sprintf("%07d%s", i, end))
}

// colour is another one for every image.
func (s *soak) colour(i int) color.RGBA {
	n := uint32(i) * 0x9e3779b1 // odd: different images differ in the lower 24 bits
	return color.RGBA{uint8(n), uint8(n >> 8), uint8(n >> 16), 255}
}

// pngBuffers spares a large allocation an image.
type pngBuffers struct{ b *png.EncoderBuffer }

func (p *pngBuffers) Get() *png.EncoderBuffer  { return p.b }
func (p *pngBuffers) Put(b *png.EncoderBuffer) { p.b = b }

// painter encodes images. It is of one goroutine.
type painter struct {
	*soak
	png png.Encoder
}

func (s *soak) painter() *painter {
	return &painter{s, png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &pngBuffers{}}}
}

// content is the file of image i as it is made.
func (p *painter) content(i int) []byte {
	var out bytes.Buffer
	img := image.NewPaletted(image.Rect(0, 0, 16, 16), color.Palette{p.colour(i)})
	var err error
	switch filepath.Ext(p.file(i)) {
	case ".gif":
		err = gif.Encode(&out, img, nil)
	case ".jpg":
		err = jpeg.Encode(&out, img, nil)
		fmt.Fprint(&out, i) // near colours are the same in it; what follows the image is passed over
	default:
		err = p.png.Encode(&out, img)
	}
	if err != nil {
		panic(err)
	}
	if f, _ := p.fate(i); f == noImage {
		return out.Bytes()[:out.Len()/2]
	}
	return out.Bytes()
}

// draw writes all images.
func (s *soak) draw(t *testing.T) {
	p := s.painter()
	for class := range 20 {
		must(t, os.MkdirAll(filepath.Dir(s.file(class)), 0o755))
	}
	for i := range s.images {
		must(t, os.WriteFile(s.file(i), p.content(i), 0o644))
	}
	time.Sleep(settle)
}

// colours is a backbone whose features are the colour of a pixel in the middle.
type colours struct{}

func (colours) Forward(_ context.Context, features []float32, pixels []uint8, n int) error {
	for i := range n {
		crop := pixels[i*extract.PixelBytes : (i+1)*extract.PixelBytes]
		at := extract.PixelBytes/2 + extract.PixelBytes/448 // in the middle of a row, too
		soakRow(features[i*extract.Dim:(i+1)*extract.Dim], [3]uint8(crop[at-at%3:]))
	}
	return nil
}

func (colours) Close() error { return nil }

func soakRow(row []float32, c [3]uint8) {
	for k := range row {
		row[k] = float32(c[k%3]) + float32(k)/512
	}
}

func (s *soak) options() Options {
	o := settings(filepath.Join(s.dir, "photos"))
	o.Extract.BatchSize, o.Extract.MaxFailureRate = 16, 0.05
	o.Backbone.Engine = "colours"
	o.Engines = []extract.EngineSpec{{Name: "colours", Numerics: []string{"fp32"}, Open: func(context.Context, extract.Backbone) (extract.Engine, extract.EngineInfo, error) {
		return colours{}, extract.EngineInfo{Name: "colours", ISA: "any", Plan: "test", Numeric: "fp32"}, nil
	}}}
	return o
}

// life is the part of a soak that one process sees. It is the Progress of its extraction.
type life struct {
	*soak
	number int
	how    string // kill, cancel, full or whole
	after  int    // images that are done in it by then
	cancel context.CancelFunc

	mu      sync.Mutex
	stage   string
	done    int
	victims []int // images that meet their fate, as the life goes on
	met     int
}

func (l *life) Status(string) {}
func (l *life) Note(string)   {}

func (l *life) Start(stage string, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stage = stage; stage == "extract" {
		l.after = min(l.after, total)
	}
}

func (l *life) Add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stage != "extract" {
		return
	}
	before := l.done
	l.done += n
	for ; l.met < len(l.victims) && l.met*l.after <= l.done*len(l.victims); l.met++ {
		i := l.victims[l.met]
		if f, _ := l.fate(i); f == vanishes {
			os.Remove(l.file(i))
		} else if fi, err := os.Stat(l.file(i)); err == nil {
			os.Truncate(l.file(i), fi.Size()/2)
		}
	}
	if before < l.after && l.done >= l.after {
		l.end()
	}
}

// end does to this process what is to be done.
func (l *life) end() {
	switch l.how {
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "cancel":
		l.cancel()
	case "full":
		signal.Ignore(syscall.SIGXFSZ)
		var limit syscall.Rlimit
		fi, err := os.Stat(l.options().Cache.Path)
		if err == nil {
			err = syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
		}
		if err == nil {
			limit.Cur = uint64(fi.Size()) + 1<<16
			err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
		}
		if err != nil {
			panic(err)
		}
	}
}

// TestSoakLife is a process of the soak. It says how it ended.
func TestSoakLife(t *testing.T) {
	l := &life{soak: &soak{}}
	if os.Getenv(soakLife) == "" {
		t.Skip("skipped: it is a child of TestSoak")
	}
	parts := strings.Split(os.Getenv(soakLife), ":")
	l.dir, l.how = parts[0], parts[3]
	for n, p := range map[int]*int{1: &l.images, 2: &l.number, 4: &l.after} {
		var err error
		*p, err = strconv.Atoi(parts[n])
		must(t, err)
	}
	for i := range l.images {
		if f, when := l.fate(i); (f == vanishes || f == cutShort) && when == l.number%6 {
			l.victims = append(l.victims, i)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(l.number), 1))
	rng.Shuffle(len(l.victims), func(a, b int) { l.victims[a], l.victims[b] = l.victims[b], l.victims[a] })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.cancel = cancel
	stop, err := sampleEvery(l)
	must(t, err)
	sum, err := Extract(ctx, l.options(), l)
	stop()
	switch {
	case err == nil:
		fmt.Printf("soak: whole: %d images, %d found, %d computed, %d bad\n", sum.Images, sum.Hits, sum.Computed, sum.Quarantined)
	case l.how == "cancel" && errors.Is(err, context.Canceled), l.how == "full" && errors.Is(err, cache.ErrFull):
		fmt.Println("soak:", l.how)
	default:
		t.Fatal(err)
	}
}

// live lets a process live, and returns how it ended.
func (s *soak) live(t *testing.T, number int, how string, after int) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSoakLife$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s:%d:%d:%s:%d", soakLife, s.dir, s.images, number, how, after))
	out, err := cmd.CombinedOutput()
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if how == "kill" && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		return how
	}
	at := bytes.Index(out, []byte("soak: "))
	if err != nil || at < 0 {
		t.Fatalf("life %d, %s after %d: %v\n%s", number, how, after, err, out)
	}
	line, _, _ := strings.Cut(string(out[at+len("soak: "):]), "\n")
	return line
}

// An extraction that is killed, cancelled and short of disk again and again, on images that
// vanish and are cut short below it, ends with the right row for every image, and needs no
// more memory, goroutines or files than at its beginning.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: many processes")
	}
	s := &soak{dir: t.TempDir(), images: 2000}
	if raceEnabled {
		s.images = 300
	}
	if n := os.Getenv(soakImages); n != "" {
		var err error
		s.images, err = strconv.Atoi(n)
		must(t, err)
	}
	begin := time.Now()
	s.draw(t)
	ready(t, s.options())
	t.Logf("%d images drawn in %v", s.images, time.Since(begin).Round(time.Millisecond))
	seed := uint64(begin.UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	begin = time.Now()
	ends := map[string]int{}
	for number := 0; ; number++ {
		how, after := []string{"kill", "cancel", "kill", "full"}[number%4], 1+rng.IntN(s.images/5)
		if number >= 12 {
			how, after = "whole", s.images
		}
		end := s.live(t, number, how, after)
		word, _, _ := strings.Cut(end, ":")
		ends[word]++
		if word == "whole" {
			t.Logf("life %d ends %s", number, end)
			if number >= 12 || len(ends) >= 4 {
				break
			}
		}
	}
	t.Logf("ends of lives: %v", ends)
	t.Logf("%v of lives", time.Since(begin).Round(time.Second))
	s.verify(t)
	t.Logf("%v with the comparison", time.Since(begin).Round(time.Second))
	all := s.readSamples(t)
	wantFlat(t, all)
	if path := os.Getenv(soakPlot); path != "" {
		must(t, os.WriteFile(path, plotOf(all, s.images), 0o644))
	}
}

// verify compares every row with the image that it is of.
func (s *soak) verify(t *testing.T) {
	t.Helper()
	o := s.options()
	report, err := cache.Verify(o.Cache.Path)
	must(t, err)
	if !report.OK() {
		t.Fatal(report.Faults)
	}
	c, err := cache.Open(o.Cache.Path, cache.Options{})
	must(t, err)
	defer c.Close()
	x, err := extract.Open(context.Background(), o.extractOptions())
	must(t, err)
	defer x.Close()
	space := c.Spaces()[0].ID
	p, seen := s.painter(), map[fate]int{}
	want, crop := make([]float32, extract.Dim), make([]uint8, extract.PixelBytes)
	var keys []cache.Key
	var of []int // the images of keys
	for i := range s.images {
		data := p.content(i)
		f, _ := s.fate(i)
		key := cache.Key(sha256.Sum256(data))
		if c.Has(space, key) {
			keys, of = append(keys, key), append(of, i)
			seen[f]++
		} else if f == good {
			t.Fatalf("image %d has no row", i)
		}
		if len(keys) < 4096 && i < s.images-1 {
			continue
		}
		rows := make([]float32, len(keys)*extract.Dim)
		_, err := c.Lookup(space, keys, rows)
		must(t, err)
		for n, i := range of {
			rgba := s.colour(i)
			soakRow(want, [3]uint8{rgba.R, rgba.G, rgba.B})
			if filepath.Ext(s.file(i)) == ".jpg" { // whose colours are nearly as drawn
				_, err := x.Preprocess(context.Background(), crop, p.content(i))
				must(t, err)
				must(t, colours{}.Forward(context.Background(), want, crop, 1))
			}
			if row := rows[n*extract.Dim:][:extract.Dim]; !slices.Equal(row, want) {
				t.Fatalf("image %d has the row %v, want %v", i, row[:4], want[:4])
			}
		}
		keys, of = keys[:0], of[:0]
	}
	if n := seen[good] + seen[vanishes] + seen[cutShort]; n != c.Len(space) || len(c.Spaces()) != 1 || seen[noImage] > 0 {
		t.Errorf("%d rows are of images, %d are there in %d spaces, %d of what is no image", n, c.Len(space), len(c.Spaces()), seen[noImage])
	}
	t.Logf("%d rows compared; of these were read before they vanished %d, before they were cut short %d", c.Len(space), seen[vanishes], seen[cutShort])
}
