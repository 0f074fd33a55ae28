package pipeline

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/dataset"
	"icebox/pipeline/journal"
	"icebox/pipeline/origin"
)

// packed is a tar of the files below dir, in the order of their names. Name says what a file
// is called in it, and what lies beside it.
func packed(t *testing.T, dir string, name func(rel string, n int) (string, map[string]string)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(name string, data []byte) {
		must(t, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}))
		_, err := w.Write(data)
		must(t, err)
	}
	n := 0
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(rel string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(rel)))
		must(t, err)
		as, beside := name(rel, n)
		n++
		add(as, data)
		for name, text := range beside {
			add(name, []byte(text))
		}
		return nil
	}))
	must(t, w.Close())
	return out.Bytes()
}

func asFolders(rel string, _ int) (string, map[string]string) { return rel, nil }

func asSamples(rel string, n int) (string, map[string]string) {
	key := fmt.Sprintf("%06d", n)
	return key + path.Ext(rel), map[string]string{key + ".cls": path.Dir(rel), key + ".json": "{}"}
}

// archived is a source of archives of the photos in a folder.
func archived(t *testing.T, dir, kind string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "photos."+kind)
	switch kind {
	case "tar":
		writeFile(t, file, packed(t, dir, asFolders))
	case "wds":
		file = strings.TrimSuffix(file, kind) + "tar"
		writeFile(t, file, packed(t, dir, asSamples))
	case "parquet":
		writeFile(t, file, photoRows(t, dir))
	}
	time.Sleep(settle)
	return file
}

// The same pictures have the same rows and the same head, wherever they are.
func TestArchivesTrainTheHeadOfTheFolder(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 3, 8)
	o := ready(t, settings(dir))
	run, err := Run(ctx, o, Silent)
	must(t, err)
	want, head := exported(t, o, Choice{}), headOf(t, run.RunDir)
	delete(want, "index.csv") // which has the paths
	for _, kind := range slices.Concat([]string{"tar", "wds"}, parquetKinds) {
		t.Run(kind, func(t *testing.T) {
			in := o
			in.Data.Train = archived(t, dir, kind)
			same, err := Extract(ctx, in, Silent)
			must(t, err)
			if same.Computed != 0 || same.ImagesOpened != 24 || same.Hits != 24 {
				t.Errorf("in the cache of the folder: %+v", same)
			}
			in.Cache.Path = filepath.Join(t.TempDir(), "f.db")
			ready(t, in)
			got, err := Run(ctx, in, Silent)
			must(t, err)
			sameFiles(t, kind, want, exported(t, in, Choice{}))
			if !sameWeights(head, headOf(t, got.RunDir)) {
				t.Error("the heads differ")
			}
			warm, err := Run(ctx, in, Silent)
			must(t, err)
			if warm.Hits != 24 || warm.ImagesOpened != 0 || warm.BytesRead != 0 {
				t.Errorf("warm: %+v", warm.Summary)
			}
			rows, sum := scored(t, *got.RunDir, in, dataset.Place{Path: in.Data.Train, Name: filepath.Base(in.Data.Train)})
			if len(rows) != 24 || sum.Misses != 0 || rows[3].Err != "" || !strings.HasPrefix(rows[3].Path, filepath.Base(in.Data.Train)+"!") {
				t.Errorf("scored: %+v, %+v", rows[3], sum)
			}
		})
	}
}

func TestImagesOfArchivesAreReadOneByOne(t *testing.T) {
	ctx := context.Background()
	dir := photos(t, 2, 4)
	for _, kind := range slices.Concat([]string{"tar", "wds"}, parquetKinds) {
		o := ready(t, settings(dir))
		o.Data.Train = archived(t, dir, kind)
		_, err := Extract(ctx, o, Silent)
		must(t, err)
		src, err := extractFeatures(ctx, o, toExtract, journal.New(Silent, nil))
		must(t, err)
		ds := src.Dataset()
		images := origin.NewReader(origin.Hold)
		for i := range ds.Items {
			data, err := readItem(ctx, images, ds, &ds.Items[i])
			want, werr := os.ReadFile(filepath.Join(dir, ds.Class(&ds.Items[i]), fmt.Sprintf("%03d%s", i%4, []string{".jpg", ".png"}[i%2])))
			must(t, werr)
			if err != nil || !bytes.Equal(data, want) {
				t.Errorf("%s: %s: %d bytes, %v", kind, ds.File(&ds.Items[i]), len(data), err)
			}
		}
		must(t, errors.Join(images.Close(), src.Close()))
	}
}

// rewriter writes a file anew when the images are about to be read.
type rewriter struct {
	Progress
	rewrite func()
}

func (r rewriter) Start(stage string, total int) {
	if stage == "extract" {
		r.rewrite()
	}
	r.Progress.Start(stage, total)
}

// A tar that changes after it was listed is not read at places that meant something else.
func TestATarThatChangesIsNotReadWhereItWas(t *testing.T) {
	dir := photos(t, 2, 3)
	o := ready(t, settings(dir))
	o.Data.Train = archived(t, dir, "tar")
	more := packed(t, dir, func(rel string, _ int) (string, map[string]string) { return rel, map[string]string{rel + ".txt": "x"} })
	o.Extract.MaxFailureRate = 1
	sum, err := Extract(context.Background(), o, rewriter{Silent, func() { writeFile(t, o.Data.Train, more) }})
	must(t, err)
	if sum.Computed != 0 || len(sum.Quarantine) != 6 || !strings.Contains(sum.Quarantine[0].Reason, "has changed since") {
		t.Errorf("%+v", sum)
	}
	if sum, err = Extract(context.Background(), o, Silent); err != nil || sum.Computed != 6 || len(sum.Quarantine) != 0 {
		t.Errorf("the next time: %+v, %v", sum, err)
	}
}

func TestBadImagesOfATarAreNamed(t *testing.T) {
	dir := photos(t, 2, 3)
	writeFile(t, filepath.Join(dir, "class1", "bad.jpg"), []byte("no image"))
	o := ready(t, settings(dir))
	o.Data.Train = archived(t, dir, "tar")
	sum, err := Extract(context.Background(), o, Silent)
	must(t, err)
	if sum.Computed != 6 || len(sum.Quarantine) != 1 || sum.Quarantine[0].Path != "photos.tar!class1/bad.jpg" {
		t.Errorf("%+v", sum)
	}
}
