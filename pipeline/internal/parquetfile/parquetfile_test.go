//go:build !noparquet

package parquetfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"icebox/pipeline/internal/parquetfile/parquettest"
)

// images are n rows with images of some sizes, every seventh of which is missing.
func images(n int) []parquettest.Row {
	rows := make([]parquettest.Row, n)
	for i := range rows {
		label, path := int64(i%3), fmt.Sprintf("%d.jpg", i)
		rows[i] = parquettest.Row{Image: &parquettest.Image{Path: &path}, Label: &label, Name: fmt.Sprint("n", i)}
		if i%7 > 0 {
			rows[i].Image.Bytes = image(i)
		}
	}
	return rows
}

func image(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 20+i%50) }

func write(t testing.TB, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

var forms = map[string]parquettest.Options{
	"one group": {}, "groups": {Group: 13}, "small pages": {Group: 60, Page: 300}, "snappy": {Page: 300, Codec: &parquet.Snappy},
	"zstd": {Codec: &parquet.Zstd}, "dictionary": {Group: 50, Dictionary: true},
}

func TestRowsAreReadInAnyOrder(t *testing.T) {
	const n = 151
	for name, o := range forms {
		file := write(t, parquettest.Bytes(t, o, images(n)))
		p := NewPages(1 << 20)
		for _, step := range []int{1, n - 1, 37} { // front to back, back to front, to and fro
			for k := range n {
				i := k * step % n
				size, err := p.Size(file, "image.bytes", int64(i))
				if i%7 == 0 {
					if !errors.Is(err, ErrNull) {
						t.Fatalf("%s, row %d: %v", name, i, err)
					}
					continue
				}
				got := make([]byte, size)
				if err == nil {
					_, err = p.Copy(got, file, "image.bytes", int64(i))
				}
				if err != nil || !bytes.Equal(got, image(i)) {
					t.Fatalf("%s, row %d: %x, %v", name, i, got, err)
				}
			}
		}
		if err := p.Close(); err != nil || p.held != 0 {
			t.Errorf("%s: %d bytes are held, %v", name, p.held, err)
		}
	}
}

// Who reads rows in order, some ahead of others, decodes each page once, and holds no more
// than there is.
func TestPagesAreDecodedOnce(t *testing.T) {
	const n = 400
	file := write(t, parquettest.Bytes(t, parquettest.Options{Group: 100, Page: 1 << 10}, images(n)))
	f, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pages := 0
	for g := range f.pf.RowGroups() {
		infos, err := f.walk(g, f.leaf("image.bytes").Index())
		if err != nil {
			t.Fatal(err)
		}
		pages += len(infos)
	}
	const hold = 8 << 10
	p := NewPages(hold)
	defer p.Close()
	for k := range n {
		i := k ^ 3 // as four workers do
		if _, err := p.Size(file, "image.bytes", int64(i)); err != nil && i%7 > 0 {
			t.Fatal(i, err)
		}
		if p.held > hold {
			t.Fatalf("%d bytes are held", p.held)
		}
	}
	if pages < 20 || p.decoded != pages {
		t.Errorf("%d of %d pages decoded", p.decoded, pages)
	}
	if _, err := NewPages(100).Size(file, "image.bytes", 1); !errors.Is(err, ErrMemory) {
		t.Errorf("a page that is too large: %v", err)
	}
}

// Many may read at once, also where there is room for few pages.
func TestPagesServeManyAtOnce(t *testing.T) {
	const n = 200
	file := write(t, parquettest.Bytes(t, parquettest.Options{Group: 50, Page: 1 << 10}, images(n)))
	p := NewPages(5 << 10)
	defer p.Close()
	var g errgroup.Group
	for worker := range 4 {
		g.Go(func() error {
			for i := worker; i < n; i += 4 {
				if i%7 == 0 {
					continue
				}
				got := make([]byte, len(image(i)))
				if _, err := p.Copy(got, file, "image.bytes", int64(i)); err != nil || !bytes.Equal(got, image(i)) {
					return fmt.Errorf("row %d: %x, %w", i, got, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestColumnsAreKnownByWhatTheyHold(t *testing.T) {
	type row struct {
		Data  []byte `parquet:"data"`
		Text  string `parquet:"text"`
		Many  []int  `parquet:"many"`
		Real  float32
		Flag  bool
		Image parquettest.Image
		Other struct{ A, B int }
	}
	file := write(t, parquettest.Bytes(t, parquettest.Options{}, []row{{Text: "x", Real: 0.1, Flag: true}}))
	f, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[string]Kind{}
	for _, c := range f.Columns() {
		kinds[c.Name] = c.Kind
	}
	if got, want := fmt.Sprint(kinds), fmt.Sprint(map[string]Kind{"data": Binary, "text": Text, "many": Nested, "Real": Text, "Flag": Text, "Image": Image, "Other": Nested}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for row, err := range f.Texts([]string{"text", "Real", "Flag", "Image.path"}) {
		if got := fmt.Sprint(row, err); got != "[x 0.1 true ] <nil>" {
			t.Error(got)
		}
	}
}

// FuzzFile reads whatever bytes as a parquet file: no panic, no row that is not there.
func FuzzFile(f *testing.F) {
	for _, o := range forms {
		data := parquettest.Bytes(f, o, images(20))
		f.Add(data)
		f.Add(data[len(data)/2:])
	}
	file := filepath.Join(f.TempDir(), "x.parquet")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := Open(file)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is no error of the file", err)
			}
			return
		}
		defer x.Close()
		var texts []string
		for _, c := range x.Columns() {
			if c.Text != "" {
				texts = append(texts, c.Text)
			}
			if c.Bytes != "" {
				x.Sizes(c.Bytes)
				p := NewPages(1 << 20)
				for row := range min(x.Rows(), 30) {
					_, _ = p.Size(file, c.Bytes, row)
				}
				if err := p.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		rows := int64(0)
		for _, err := range x.Texts(texts) {
			if err != nil {
				break
			}
			rows++
		}
		if rows > int64(len(data)) {
			t.Errorf("%d rows of %d bytes", rows, len(data))
		}
	})
}

func TestACutFileIsRefused(t *testing.T) {
	data := parquettest.Bytes(t, parquettest.Options{Group: 5}, images(12))
	for n := range len(data) {
		if _, err := Open(write(t, data[:n])); !errors.Is(err, ErrFormat) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
}
