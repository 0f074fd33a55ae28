package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"icebox/pipeline/bucket"
	"icebox/pipeline/dataset"
	"icebox/pipeline/shards"
)

// store is an S3-compatible store with the bucket photos.
type store struct {
	gets  atomic.Int64  // of objects
	delay time.Duration // before each answer
	down  atomic.Bool   // answers 503

	readOnly  atomic.Bool
	denyAfter atomic.Int64 // so many objects; 0 is never
}

func startStore(t testing.TB) *store {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir()) // to see what is left there
	backend := s3mem.New()
	if err := backend.CreateBucket("photos"); err != nil {
		t.Fatal(err)
	}
	s := &store{}
	inner := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(s.delay)
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.Method == http.MethodPut && s.readOnly.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if n := s.denyAfter.Load(); r.Method == http.MethodGet && n > 0 && s.gets.Load() >= n {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Method == http.MethodGet && strings.Count(strings.Trim(r.URL.Path, "/"), "/") > 0 {
			s.gets.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	storeAt(t, server.URL)
	return s
}

// storeAt makes a store the one that s3:// is in.
func storeAt(t testing.TB, address string) {
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"} {
		t.Setenv(name, value)
	}
}

// upload puts the files below dir into a bucket.
func upload(t testing.TB, dir, address string) {
	t.Helper()
	b, err := bucket.Open(address, os.Getenv)
	if err == nil {
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer file.Close()
			fi, err := file.Stat()
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			return b.Write(context.Background(), filepath.ToSlash(rel), file, fi.Size(), false)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A bucket is as the folder that was uploaded: the same classes, the same rows. A warm run
// lists it, and fetches nothing.
func TestABucketIsAsItsFolder(t *testing.T) {
	s := startStore(t)
	dir := photos(t, 3, 4)
	writeFile(t, filepath.Join(dir, "notes.txt"), []byte("no image"))
	upload(t, dir, "s3://photos/set")
	onDisk := ready(t, settings(dir))
	_, err := Extract(context.Background(), onDisk, Silent)
	must(t, err)
	o := settings(dir)
	o.Cache.Path = filepath.Join(t.TempDir(), "bucket.db")
	o.Data.Train = "s3://photos/set"
	o = ready(t, o)
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Computed != 12 || sum.Dataset != "set" || s.gets.Load() < 12 || sum.Skipped[".txt"] != 1 {
		t.Errorf("%+v, %d fetched", sum, s.gets.Load())
	}
	s.gets.Store(0)
	sum, err = Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Hits != 12 || sum.Computed != 0 || s.gets.Load() != 0 {
		t.Errorf("warm: %+v, %d fetched", sum, s.gets.Load())
	}
	// The rows are those of the files: with the cache of the folder nothing is computed.
	o.Cache.Path = onDisk.Cache.Path
	sum, err = Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Hits != 12 || sum.Computed != 0 {
		t.Errorf("with the cache of the folder: %+v", sum)
	}
	if _, err := Train(context.Background(), o, Choice{Dataset: "set"}, Silent); err != nil {
		t.Error(err)
	}
	writePicture(t, filepath.Join(dir, "class1", "000.jpg"), 1, 99)
	upload(t, dir, "s3://photos/set")
	sum, err = Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Computed != 1 {
		t.Errorf("one object has changed: %+v", sum)
	}
}

func TestBucketsThatCannotBeRead(t *testing.T) {
	s := startStore(t)
	dir := photos(t, 2, 2)
	o := ready(t, settings(dir))
	o.Data.Train = "s3://photos/none"
	if _, err := Extract(context.Background(), o, Silent); !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), "no image in s3://photos/none") {
		t.Errorf("an empty prefix: %v", err)
	}
	o.Data.Train = "s3://nobodys/x"
	if _, err := Extract(context.Background(), o, Silent); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("no bucket: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	s.down.Store(true)
	o.Data.Train = "s3://photos/set"
	if _, err := Extract(ctx, o, Silent); err == nil {
		t.Error("a store that is down")
	}
}

// Images, manifest and parts may all lie in a bucket. The merged cache is that of one process
// that has a folder, and a second try of a shard, or one beside it, changes nothing.
func TestShardsInABucket(t *testing.T) {
	ctx := context.Background()
	st := startStore(t)
	dir := photos(t, 3, 6)
	writeFile(t, filepath.Join(dir, "class1", "zz.jpg"), []byte("no picture"))
	upload(t, dir, "s3://photos/set")
	o := settings(dir)
	o.Data.Train, o.Extract.MaxFailureRate = "s3://photos/set", 1
	o = ready(t, o)
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	elsewhere := o
	elsewhere.Cache.Path = filepath.Join(t.TempDir(), "merged.db")
	s := &sharded{elsewhere, "s3://photos/job/m", "s3://photos/job/parts", 3}
	_, err = Freeze(ctx, elsewhere, s.manifest, Silent)
	must(t, err)
	if _, err := MergeParts(ctx, elsewhere, s.manifest, s.parts, Silent); !errors.Is(err, shards.ErrIncomplete) {
		t.Errorf("without a part: %v", err)
	}
	for i := range s.of {
		sum := s.extract(t, i)
		if sum.Already || sum.Part != "s3://photos/job/parts/"+filepath.Base(sum.Part) {
			t.Errorf("shard %d: %+v", i, sum)
		}
		st.gets.Store(0)
		if sum := s.extract(t, i); !sum.Already || st.gets.Load() > 8 {
			t.Errorf("shard %d again: %+v, %d fetched", i, sum, st.gets.Load())
		}
	}
	for range 2 {
		_, err = MergeParts(ctx, elsewhere, s.manifest, s.parts, Silent)
		must(t, err)
		sameCache(t, o.Cache.Path, elsewhere.Cache.Path)
	}
	b, err := bucket.Open(s.parts, os.Getenv)
	must(t, err)
	part, _, err := b.Read(ctx, "features-00001-of-00003.parquet", func(int64) error { return nil })
	must(t, err)
	part[len(part)/2] ^= 4
	must(t, b.Write(ctx, "features-00001-of-00003.parquet", bytes.NewReader(part), int64(len(part)), false))
	if _, err := MergeParts(ctx, elsewhere, s.manifest, s.parts, Silent); !errors.Is(err, shards.ErrPart) {
		t.Errorf("a damaged part: %v", err)
	}
	if sum := s.extract(t, 1); sum.Already || sum.Computed == 0 {
		t.Errorf("a damaged part is taken for a done one: %+v", sum)
	}
	if _, err = MergeParts(ctx, elsewhere, s.manifest, s.parts, Silent); err != nil {
		t.Error(err)
	}
	// Who may not write is told before anything is computed.
	st.readOnly.Store(true)
	s.parts = "s3://photos/others"
	st.gets.Store(0)
	o = Default()
	o.Backbone.Engine, o.Engines = s.o.Backbone.Engine, s.o.Engines
	if _, err := ExtractShard(ctx, o, s.options(t, 0), Silent); !errors.Is(err, bucket.ErrDenied) || st.gets.Load() > 6 { // the manifest, twice
		t.Errorf("a bucket that may not be written to: %v, %d fetched", err, st.gets.Load())
	}
}

// A store that fails ends the extraction, and blames no image. What was computed stays.
func TestAStoreThatGoesAway(t *testing.T) {
	s := startStore(t)
	dir := photos(t, 3, 20)
	upload(t, dir, "s3://photos/set")
	o := settings(dir)
	o.Data.Train, o.Extract.Workers, o.Extract.BatchSize = "s3://photos/set", 1, 1
	o = ready(t, o)
	s.denyAfter.Store(20)
	_, err := Extract(context.Background(), o, Silent)
	if !errors.Is(err, bucket.ErrDenied) {
		t.Errorf("%v", err)
	}
	s.denyAfter.Store(0)
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Quarantined != 0 || sum.Hits == 0 || sum.Hits+sum.Computed != 60 {
		t.Errorf("after it has come back: %+v", sum)
	}
}

// The end of a pipe reads addresses, too.
func TestAddressesInAPipe(t *testing.T) {
	startStore(t)
	dir := photos(t, 2, 2)
	upload(t, dir, "s3://photos/set")
	var out bytes.Buffer
	o := settings(dir)
	lines := "s3://photos/set/class0/000.jpg\ns3://photos/set/none.jpg\n" + filepath.Join(dir, "class0", "000.jpg") + "\ns3://photos\n"
	c, err := Work(context.Background(), o, WorkOptions{Format: "jsonl"}, strings.NewReader(lines), &out, Silent)
	must(t, err)
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(rows) != 4 || c.Bad != 2 || !strings.Contains(rows[1], "not in the store") {
		t.Fatalf("%+v of %d rows: %.2000s", c, len(rows), out.String())
	}
	_, far, _ := strings.Cut(rows[0], `"feature"`)
	if _, near, _ := strings.Cut(rows[2], `"feature"`); near != far || len(near) < 1000 {
		t.Errorf("%.200s and %.200s", far, near)
	}
}

// Weights are copied from a bucket once, and again where they are others.
func TestWeightsInABucket(t *testing.T) {
	st := startStore(t)
	b, err := bucket.Open("s3://photos/w", os.Getenv)
	must(t, err)
	put := func(text string) {
		must(t, b.Write(context.Background(), "resnet18.pth", strings.NewReader(text), int64(len(text)), false))
	}
	put("one")
	home := t.TempDir()
	bring := bringWeights(func(name string) string { return map[string]string{"HOME": home, "XDG_CACHE_HOME": home}[name] })
	bringOne := func(want string) string {
		path, err := bring(context.Background(), "s3://photos/w/resnet18.pth")
		must(t, err)
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s has %q, %v", path, text, err)
		}
		return path
	}
	first := bringOne("one")
	st.gets.Store(0)
	if again := bringOne("one"); again != first || st.gets.Load() != 0 {
		t.Errorf("%s, then %s with %d fetched", first, again, st.gets.Load())
	}
	put("two")
	if other := bringOne("two"); other == first {
		t.Error("other weights take the place of the first")
	}
	if _, err := bring(context.Background(), "s3://photos/w/none.pth"); !errors.Is(err, bucket.ErrMissing) {
		t.Error(err)
	}
	o := settings(photos(t, 2, 2))
	o.Backbone.Weights = "s3://photos/w/none.pth"
	if _, err := Extract(context.Background(), o, Silent); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("weights that are not there: %v", err)
	}
}

// Archives in a bucket are as those on disk: the same rows, listed once, and nothing is fetched
// for a warm run.
func TestArchivesInABucket(t *testing.T) {
	ctx := context.Background()
	st := startStore(t)
	dir := photos(t, 3, 4)
	o := ready(t, settings(dir))
	_, err := Extract(ctx, o, Silent)
	must(t, err)
	for _, kind := range slices.Concat([]string{"tar", "wds"}, parquetKinds) {
		file := archived(t, dir, kind)
		upload(t, filepath.Dir(file), "s3://photos/"+kind)
		in := o
		in.Data.Train = "s3://photos/" + kind + "/" + filepath.Base(file)
		if kind == "tar" {
			in.Data.Train = "s3://photos/tar/{photos,photos}.tar"
			if _, err := Extract(ctx, in, Silent); !errors.Is(err, dataset.ErrData) {
				t.Errorf("the same twice: %v", err)
			}
			in.Data.Train = "s3://photos/tar/{photos}.tar"
		}
		same, err := Extract(ctx, in, Silent)
		must(t, err)
		if same.Computed != 0 || same.Hits != 12 || same.ImagesOpened != 12 {
			t.Errorf("%s: %+v", kind, same)
		}
		st.gets.Store(0)
		warm, err := Extract(ctx, in, Silent)
		must(t, err)
		if warm.Hits != 12 || warm.ImagesOpened != 0 || st.gets.Load() != 0 {
			t.Errorf("%s, warm: %+v, %d fetched", kind, warm, st.gets.Load())
		}
	}
	o.Data.Train = "s3://photos/none/x.tar"
	if _, err := Extract(ctx, o, Silent); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("no such tar: %v", err)
	}
	o.Data.Train = "s3://photos/tar"
	if _, err := Extract(ctx, o, Silent); !errors.Is(err, dataset.ErrData) || !strings.Contains(err.Error(), "name them") {
		t.Errorf("a prefix with archives alone: %v", err)
	}
	// No copy is left behind.
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "icebox-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder of temporary files: %q, %v", left, err)
	}
}
