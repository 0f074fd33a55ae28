package lint

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"icebox/config"
	"icebox/pipeline/words"
)

// limit is a row of the table in SECURITY.md: a constant of a package, and what it bounds.
type limit struct {
	what     string
	pkg      string // folder
	constant string
	unit     string // "" for bytes
	key      string // of the configuration that changes it; "" for none
	past     string // what happens past it
}

var limits = []limit{
	{"an image file, or an image in an archive", "pipeline/origin", "MaxFileBytes", "", "", "the image is refused, unread"},
	{"an image", "extract/internal/imaging", "DefaultMaxPixels", "pixels", "extract.max_pixels", "the image is refused by its header"},
	{"the packing of a PNG", "extract/internal/imaging", "maxDeflate", "times", "", "a header that claims more is refused, before anything is unpacked"},
	{"scans of a progressive JPEG", "extract/internal/imaging", "maxScans", "scans", "", "the image is refused before it is decoded"},
	{"scans × pixels of a progressive JPEG", "extract/internal/imaging", "maxScanWork", "pixels", "", "the same"},
	{"EXIF in several segments", "extract/internal/imaging", "maxEXIF", "", "", "the rest of it is not looked at"},
	{"classes", "pipeline/dataset", "DefaultMaxClasses", "classes", "data.max_classes", "nothing is trained"},
	{"a path, label or group in a table", "pipeline/dataset", "maxText", "", "", "the table is refused, with the line"},
	{"a path, label or group in `index.csv`", "pipeline/features", "maxField", "", "", "the folder of arrays is refused, with the row"},
	{"a text beside an image in a tar", "pipeline/dataset", "maxBeside", "", "", "the tar is refused, with the member"},
	{"archives that a pattern names", "pipeline/dataset", "maxShards", "archives", "", "the pattern is refused"},
	{"a page of labels in a parquet file, unpacked", "pipeline/internal/parquetfile", "maxTextPage", "", "", "the file is refused; a page of images may take half of `extract.memory`"},
	{"folders in folders, where the layout is looked for", "pipeline/dataset", "maxDepth", "folders", "", "what lies deeper is not looked at"},
	{"a file of corrections", "pipeline/corrections", "MaxFile", "", "", "it is refused"},
	{"a path or class in a file of corrections", "pipeline/corrections", "maxField", "", "", "the file is refused, with the line"},
	{"a picture that is dropped on the studio", "pipeline/studio/web", "maxPicture", "", "", "it is refused"},
	{"pictures that are kept beside a file of corrections", "pipeline/dataset", "MostKept", "pictures", "", "more are refused"},
	{"a change in the studio", "pipeline/studio/web", "maxChange", "", "", "it is refused"},
	{"images of a request to the server", "pipeline/serve/web", "MaxImages", "images", "", "the request is refused"},
	{"rows of a request to the server, in JSON", "pipeline/serve/web", "mostMany", "rows", "", "the request is refused"},
	{"a configuration file", "config", "maxFile", "", "", "it is refused"},
	{"weights, on disk or on their way", "extract/internal/weights", "maxFile", "", "", "they are refused; a download breaks off"},
	{"header of `.safetensors`, pickle of `.pth`", "extract/internal/weights", "maxHeader", "", "", "the weights are refused"},
	{"instructions in the pickle of a `.pth`", "extract/internal/weights", "maxOpcodes", "instructions", "", "the weights are refused"},
	{"files in a `.pth`", "extract/internal/weights", "maxEntries", "files", "", "the weights are refused"},
	{"a head file", "headtrain", "maxHeadFile", "", "", "it is refused, unread"},
	{"header of a `.npy`", "pipeline/npy", "maxHeader", "", "", "the folder of arrays is refused"},
	{"a document in a cache", "cache", "maxDoc", "", "", "it is not written"},
	{"a block of a cache", "cache", "maxBlock", "", "", "the cache is damaged"},
	{"rows in a block of a cache", "cache", "maxBlockRows", "rows", "", "the cache is damaged"},
	{"a page of a cache", "cache", "maxPageSize", "", "", "the cache is damaged"},
	{"an image in a cache's list of a dataset, unpacked, on average", "pipeline/dataset", "maxItemBytes", "", "", "the list is damaged; other datasets stay readable"},
	{"heads of a sweep, unless `--yes` is given", "pipeline/sweep", "MaxHeads", "heads", "", "nothing is trained"},
	{"heads of a sweep", "pipeline/sweep", "mostHeadsEver", "heads", "", "nothing is trained"},
	{"steps of a range in a sweep", "pipeline/sweep", "mostSteps", "steps", "", "the configuration is refused"},
}

// The table stands between these lines.
const (
	limitsBegin = "<!-- `go test ./cmd/internal/lint -update` writes this table. -->\n"
	limitsEnd   = "<!-- end of the table -->\n"
)

// TestSecurityStatesTheLimits holds the table in SECURITY.md to the constants in the code.
func TestSecurityStatesTheLimits(t *testing.T) {
	file := filepath.Join(root(t), ".github", "SECURITY.md")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	above, rest, begun := strings.Cut(string(data), limitsBegin)
	have, below, ended := strings.Cut(rest, limitsEnd)
	if !begun || !ended {
		t.Fatalf("SECURITY.md lacks the lines %q and %q", limitsBegin, limitsEnd)
	}
	var want strings.Builder
	want.WriteString("| what | limit | key | past it |\n|---|---|---|---|\n")
	for _, l := range limits {
		l.write(t, &want)
	}
	if *update {
		if err := os.WriteFile(file, []byte(above+limitsBegin+want.String()+limitsEnd+below), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if have != want.String() {
		t.Error("SECURITY.md states other limits than the code has: go test ./cmd/internal/lint -update")
	}
}

func (l limit) write(t *testing.T, to *strings.Builder) {
	t.Helper()
	n := constantOf(t, l.pkg, l.constant)
	key := ""
	if l.key != "" {
		key = "`" + l.key + "`"
		keys := config.Keys()
		at := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == l.key })
		if at < 0 || keys[at].Default != strconv.FormatInt(n, 10) {
			t.Errorf("%s.%s is %d, and not the default of %s", l.pkg, l.constant, n, l.key)
		}
	}
	text := words.Number(n) + " " + l.unit
	if l.unit == "" {
		text = binaryBytes(n)
	}
	fmt.Fprintf(to, "| %s | %s | %s | %s |\n", l.what, text, key, l.past)
}

// binaryBytes writes a number of bytes in the largest unit that it is whole in.
func binaryBytes(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	at := 0
	for at+1 < len(units) && n%1024 == 0 {
		n, at = n/1024, at+1
	}
	return fmt.Sprintf("%d %s", n, units[at])
}

// constantOf is the value of a whole constant of a package, which may be made of others of
// that package.
func constantOf(t *testing.T, pkg, name string) int64 {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(root(t), filepath.FromSlash(pkg), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	// Imports are not there, and what needs them has errors; a constant of numbers has not.
	loose := types.Config{Error: func(error) {}, IgnoreFuncBodies: true, FakeImportC: true}
	checked, _ := loose.Check(pkg, set, files, nil)
	found, ok := checked.Scope().Lookup(name).(*types.Const)
	if !ok {
		t.Fatalf("%s has no constant %s", pkg, name)
	}
	n, exact := constant.Int64Val(found.Val())
	if !exact {
		t.Fatalf("%s.%s is %v", pkg, name, found.Val())
	}
	return n
}
