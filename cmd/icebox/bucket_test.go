package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"icebox/pipeline/bucket"
)

// Images, manifest and parts lie in a bucket, and images there get answers.
func TestBucketsOnTheCommandLine(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("photos"); err != nil {
		t.Fatal(err)
	}
	var denies atomic.Bool
	inner := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if denies.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "a secret of mine", "AWS_REGION": "us-east-1"} {
		t.Setenv(name, value)
	}
	dir := folder(t, 2, 5)
	b, err := bucket.Open("s3://photos/set", os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "photos", "*", "*"))
	if err != nil || len(files) != 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		fi, err := f.Stat()
		if err == nil {
			err = b.Write(t.Context(), filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), f, fi.Size(), false)
		}
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	good := func(says string, args ...string) {
		t.Helper()
		if r := icebox(t, dir, args...); r.code != 0 || !strings.Contains(r.out, says) {
			t.Errorf("%v: %d %s %s", args, r.code, r.out, r.errOut)
		}
	}
	good("images     10 of 2 classes", "manifest", "--data", "s3://photos/set", "--weights", "random:3", "--out", "s3://photos/job/m")
	good("part       s3://photos/job/parts/features-00000-of-00001.parquet", "extract", "--manifest", "s3://photos/job/m", "--shard", "0/1", "--parts", "s3://photos/job/parts")
	good("merged     10 rows of dataset set", "cache", "merge", "s3://photos/job/parts", "--manifest", "s3://photos/job/m", "--cache", "c.db")
	good("10 from the cache, 0 computed; 0 images opened", "run", "--data", "s3://photos/set", "--weights", "random:3", "--cache", "c.db", "head.tune=off")
	class, name := filepath.Base(filepath.Dir(files[0])), filepath.Base(files[0])
	one := "s3://photos/set/" + class + "/" + name
	good(one+"\t", "predict", "--run", "latest", one)
	good(name+"\t", "predict", "--run", "latest", "--data", "s3://photos/set/"+class)

	denies.Store(true)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"extract --data s3://x", exitUsage, "s3://BUCKET/PREFIX"},
		{"extract --data s3://photos/set --cache d.db --weights random:3", exitData, "AWS_PROFILE"},
		{"extract --manifest s3://photos/job/m --shard 0/1 --parts p", exitData, "AWS_PROFILE"},
		{"cache merge s3://photos/job/parts --cache d.db", exitUsage, "--manifest"},
		{"extract --data s3://photos/list.csv", exitData, "copy it to this machine"},
	} {
		r := icebox(t, dir, strings.Fields(c.args)...)
		if r.code != c.code || !strings.Contains(r.errOut, c.says) || strings.Contains(r.errOut, "secret of mine") {
			t.Errorf("%s: %d %s", c.args, r.code, r.errOut)
		}
	}
}
