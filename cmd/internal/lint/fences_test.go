package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fence says which imports stay out of which files. .golangci.yml has the same
// fences: its rules are written from this table.
type fence struct {
	name    string   // that of the rule in .golangci.yml
	imports []string // paths that stay out, with all that lies below them; "path$" is that path alone
	around  []string // folders that the fence stands around; none is the whole module
	but     []string // folders whose files may import them all the same
	built   bool     // the fence is for what is built; tests may step over it
	reason  string
}

// A folder in around and but stands for all that lies below it, too; "folder/*" is
// what lies below it, without the folder's own files.
var fences = []fence{
	// Third parties: each belongs to one place.
	{name: "viper", imports: []string{"github.com/spf13/viper"}, but: []string{"config"}, reason: "config alone puts values of a file, the environment and the command line in order"},
	{name: "yaml", imports: []string{"go.yaml.in/yaml"}, but: []string{"config"}, reason: "YAML is read in one place"},
	{name: "cobra", imports: []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}, but: []string{"cmd/icebox"}, reason: "commands and flags are words for people"},
	{name: "progress", imports: []string{"github.com/vbauerster/mpb", "golang.org/x/term"}, but: []string{"cmd/icebox"}, reason: "drawing progress is the command's business"},
	{name: "bbolt", imports: []string{"go.etcd.io/bbolt"}, but: []string{"cache"}, reason: "the file's layout and its guard against faults are in cache"},
	{name: "images", imports: []string{"golang.org/x/image", "github.com/disintegration/imaging"}, but: []string{"extract/internal/imaging", "pipeline/evidence", "pipeline/thumbs"}, reason: "pixels are decoded in one place, and drawn in two"},
	{name: "text", imports: []string{"golang.org/x/text"}, but: []string{"pipeline/dataset"}, reason: "names and tables of all alphabets and encodings are read in one place"},
	{name: "gorgonia", imports: []string{"gorgonia.org"}, but: []string{"headtrain/graph"}, reason: "a user of the linear head links no graph engine"},
	{name: "purego", imports: []string{"github.com/ebitengine/purego"}, but: []string{"extract/cuda"}, reason: "a user of the CPU engine links no dynamic loader"},
	{name: "parquet", imports: []string{"github.com/parquet-go/parquet-go"}, but: []string{"pipeline/predictions", "pipeline/export/rows", "pipeline/shards", "pipeline/worker", "pipeline/internal/parquetfile"}, reason: "a build tag leaves it out, where rows are written and images read"},
	{name: "protobuf", imports: []string{"google.golang.org/protobuf"}, but: []string{"pipeline/export/onnx", "pipeline/serve/oip", "pipeline/tensorboard"}, reason: "messages are written field by field, where their form is known"},
	{name: "chromedp", imports: []string{"github.com/chromedp"}, but: []string{"cmd/icebox/browser"}, reason: "pages are tried in a browser in a lane of its own"},
	{name: "prometheus", imports: []string{"github.com/prometheus"}, but: []string{"pipeline/serve/web"}, reason: "a server tells of itself in one place"},
	{name: "stores", imports: []string{"github.com/Azure", "github.com/minio/minio-go", "golang.org/x/oauth2"}, but: []string{"pipeline/bucket"}, reason: "stores are spoken to in one place"},
	{name: "fakes3", imports: []string{"github.com/johannesboyne/gofakes3"}, but: []string{"cmd/icebox", "pipeline"}, reason: "a store for tests"},
	{name: "beam", imports: []string{"github.com/apache/beam"}, but: []string{"cmd/icebox-beam"}, reason: "a module of its own has what Beam brings along"},
	{name: "gopickle", imports: []string{"github.com/nlpodyssey/gopickle"}, but: []string{"extract/internal/weights"}, reason: "pickles are read in one guarded place"},

	// Floors: arrows go down.
	{name: "cmd", imports: []string{"icebox/cmd"}, but: []string{"cmd"}, reason: "arrows go down"},
	{name: "config", imports: []string{"icebox/config"}, but: []string{"cmd"}, reason: "nothing below knows where a value came from"},
	{name: "pipeline", imports: []string{"icebox/pipeline"}, but: []string{"cmd", "config", "pipeline"}, reason: "arrows go down"},
	{name: "extract", imports: []string{"icebox/extract"}, but: []string{"cmd", "config", "pipeline", "extract"}, reason: "the leaves do not know each other"},
	{name: "cache", imports: []string{"icebox/cache"}, but: []string{"cmd", "config", "pipeline", "cache"}, reason: "the leaves do not know each other"},
	{name: "headtrain", imports: []string{"icebox/headtrain"}, but: []string{"cmd", "config", "pipeline", "headtrain"}, reason: "the leaves do not know each other"},
	{name: "graph", imports: []string{"icebox/headtrain/graph"}, but: []string{"cmd", "headtrain/graph"}, reason: "cmd hands down the engines that bring many modules along"},
	{name: "cuda", imports: []string{"icebox/extract/cuda"}, but: []string{"cmd", "extract/cuda"}, reason: "cmd hands down the engines that bring many modules along"},

	// Rooms within the floors. Their tests may read files, and use what is above.
	{name: "rooms", imports: []string{"icebox/pipeline$"}, around: []string{"pipeline/*"}, built: true, reason: "a program uses rooms, and no room a program"},
	{name: "tools", imports: []string{"icebox/cache", "icebox/extract", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep"},
		around: []string{"pipeline/fault", "pipeline/internal", "pipeline/journal", "pipeline/words"}, built: true,
		reason: "what every room uses knows none of them"},
	{name: "dataset", imports: []string{"icebox/extract$", "icebox/extract/cuda", "icebox/headtrain", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep"},
		around: []string{"pipeline/dataset"}, built: true, reason: "a dataset knows files, their formats and labels, no features"},
	{name: "origin", imports: []string{"icebox/headtrain", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep"},
		around: []string{"pipeline/origin"}, built: true, reason: "bytes are read before anybody knows what they are for"},
	{name: "features", imports: []string{"icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep"},
		around: []string{"pipeline/features"}, built: true, reason: "rows are made before anything is learnt from them"},
	{name: "shards", imports: []string{"icebox/headtrain", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep", "net/http"},
		around: []string{"pipeline/shards"}, built: true, reason: "a part has rows, wherever they are computed"},
	{name: "worker", imports: []string{"icebox/cache", "icebox/headtrain", "icebox/pipeline", "net/http"},
		around: []string{"pipeline/worker"}, built: true, reason: "a stream goes through a backbone, and nothing is kept"},
	{name: "runs", imports: []string{"icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/sweep"},
		around: []string{"pipeline/runs"}, built: true, reason: "a run folder does not know what is written into it"},
	{name: "sweep", imports: []string{"icebox/cache", "icebox/extract", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "image"},
		around: []string{"pipeline/sweep"}, built: true, reason: "a sweep works on rows that it is given"},
	{name: "insight", imports: []string{"icebox/extract", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep", "image", "os"},
		around: []string{"pipeline/insight"}, built: true, reason: "insight is arithmetic on rows and labels: no images, no folders"},
	{name: "predictions", imports: []string{"icebox/cache", "icebox/extract", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep"},
		around: []string{"pipeline/predictions"}, built: true, reason: "a row is an answer and a name, wherever they come from"},
	{name: "corrections", imports: []string{"icebox/extract", "icebox/headtrain", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep", "image"},
		around: []string{"pipeline/corrections"}, built: true, reason: "corrections are of labels, whatever is learnt from them"},
	{name: "studio", imports: []string{"html/template", "icebox/pipeline/report", "icebox/pipeline/sweep", "net/http"},
		around: []string{"pipeline/studio"}, but: []string{"pipeline/studio/web"}, built: true, reason: "a session knows no pages"},
	{name: "serve", imports: []string{"icebox/cache", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep", "net/http", "os"},
		around: []string{"pipeline/serve"}, but: []string{"pipeline/serve/web"}, built: true, reason: "answers know no protocol and open no files"},
	{name: "bucket", imports: []string{"icebox"},
		around: []string{"pipeline/bucket"}, built: true, reason: "a store holds bytes, whatever they are"},
	{name: "oip", imports: []string{"icebox", "net/http"},
		around: []string{"pipeline/serve/oip"}, built: true, reason: "a message knows no server"},
	{name: "export", imports: []string{"icebox/cache", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/sweep"},
		around: []string{"pipeline/export"}, built: true, reason: "an export takes a head and a backbone, no rows"},
	{name: "rowfiles", imports: []string{"icebox/cache", "icebox/headtrain", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/report", "icebox/pipeline/runs"},
		around: []string{"pipeline/export/rows"}, built: true, reason: "rows are written wherever they come from"},
	{name: "tensorboard", imports: []string{"icebox/cache", "icebox/extract", "icebox/headtrain", "icebox/pipeline"},
		around: []string{"pipeline/tensorboard"}, built: true, reason: "curves are names and numbers"},
	{name: "mlflow", imports: []string{"icebox", "os"},
		around: []string{"pipeline/mlflow"}, built: true, reason: "a tracker is told names, texts and numbers"},
	{name: "onnx", imports: []string{"icebox/cache", "icebox/extract", "icebox/headtrain", "icebox/pipeline"},
		around: []string{"pipeline/export/onnx"}, built: true, reason: "a model of ONNX knows nothing of icebox"},
	{name: "report", imports: []string{"icebox/cache", "icebox/extract"},
		around: []string{"pipeline/report"}, built: true, reason: "a report is a value, and what is written from it"},
	{name: "thumbs", imports: []string{"icebox/headtrain", "icebox/pipeline/dataset", "icebox/pipeline/features", "icebox/pipeline/insight", "icebox/pipeline/report", "icebox/pipeline/runs", "icebox/pipeline/sweep"},
		around: []string{"pipeline/thumbs"}, built: true, reason: "a small picture has a key, wherever the key comes from"},
	{name: "evidence", imports: []string{"icebox/cache", "icebox/pipeline", "os"},
		around: []string{"pipeline/evidence"}, built: true, reason: "a map is arithmetic on a grid, whatever image it is of"},
	{name: "embed", imports: []string{"icebox/pipeline/insight", "icebox/pipeline/page", "icebox/pipeline/report", "icebox/pipeline/sweep", "net/http"},
		around: []string{"pipeline/embed"}, built: true, reason: "a program that wants features links no reports and no pages"},
	{name: "page", imports: []string{"icebox/cache", "icebox/extract", "icebox/pipeline/features", "icebox/pipeline/runs", "icebox/pipeline/thumbs", "os"},
		around: []string{"pipeline/page"}, built: true, reason: "a page is drawn from values, and opens nothing"},
	{name: "tune", imports: []string{"icebox/headtrain/judge", "icebox/headtrain/probe", "os"},
		around: []string{"headtrain/tune"}, built: true, reason: "tuning is arithmetic on rows and labels"},
	{name: "judge", imports: []string{"icebox/headtrain/probe", "os"},
		around: []string{"headtrain/judge"}, built: true, reason: "judging is arithmetic on scores and labels"},
	{name: "probe", imports: []string{"icebox/headtrain/judge", "os"},
		around: []string{"headtrain/probe"}, built: true, reason: "probing is arithmetic on rows and labels"},
}

// stops reports whether the fence keeps path out of a file of folder dir.
func (f *fence) stops(dir string, test bool, path string) bool {
	if f.around != nil && !inFolders(dir, f.around) || inFolders(dir, f.but) || test && f.built {
		return false
	}
	for _, out := range f.imports {
		if alone, ok := strings.CutSuffix(out, "$"); ok && path == alone || !ok && within(path, out) {
			return true
		}
	}
	return false
}

// broken lists the fences that a file breaks with its imports. name is the file's
// path below the module's folder.
func broken(name string, file *ast.File) []string {
	var faults []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		for _, f := range fences {
			if f.stops(path.Dir(name), strings.HasSuffix(name, "_test.go"), imported) {
				faults = append(faults, fmt.Sprintf("%s imports %s, which the fence %q keeps out: %s", name, imported, f.name, f.reason))
			}
		}
	}
	return faults
}

// within reports whether path is top or lies below it.
func within(path, top string) bool {
	return path == top || strings.HasPrefix(path, top+"/")
}

func inFolders(dir string, folders []string) bool {
	for _, f := range folders {
		if top, ok := strings.CutSuffix(f, "/*"); ok && strings.HasPrefix(dir, top+"/") || !ok && within(dir, f) {
			return true
		}
	}
	return false
}

func TestFencesStand(t *testing.T) {
	eachFile(t, func(name, full string) {
		file, err := parser.ParseFile(token.NewFileSet(), full, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		for _, fault := range broken(name, file) {
			t.Error(fault)
		}
	})
}

// A rule that no import can break is no rule: each fence stops a sample, and lets
// through what it says it does.
func TestEveryFenceStopsASample(t *testing.T) {
	for _, f := range fences {
		around := append(f.around, "elsewhere")[0]
		inside := strings.Replace(around, "/*", "/room", 1)
		for _, out := range f.imports {
			sample := strings.TrimSuffix(out, "$")
			if !strings.HasSuffix(out, "$") {
				sample += "/v9"
			}
			if !stopped(t, f.name, inside+"/a.go", sample) {
				t.Errorf("the fence %q lets %s into %s", f.name, sample, inside)
			}
			if got := stopped(t, f.name, inside+"/a_test.go", sample); got == f.built {
				t.Errorf("the fence %q stops %s in a test of %s: %v", f.name, sample, inside, got)
			}
			for _, free := range append(f.but, "elsewhere") {
				if (f.around != nil || free != "elsewhere") && stopped(t, f.name, free+"/a.go", sample) {
					t.Errorf("the fence %q stops %s in %s", f.name, sample, free)
				}
			}
		}
	}
}

// stopped reports whether the fence of that name stops a file that imports path.
func stopped(t *testing.T, fence, name, path string) bool {
	t.Helper()
	src := fmt.Sprintf("package sample\nimport _ %q\n", path)
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(broken(name, file), func(fault string) bool { return strings.Contains(fault, strconv.Quote(fence)) })
}

// Each module that go.mod asks for is fenced, or is one that anybody may use.
func TestEveryModuleHasItsPlace(t *testing.T) {
	anywhere := []string{
		"github.com/adrg/xdg", "github.com/agnivade/levenshtein", "github.com/dustin/go-humanize", "github.com/google/go-cmp",
		"github.com/jedib0t/go-pretty/v6", "github.com/nlpodyssey/safetensors", "github.com/x448/float16", "go.uber.org/goleak",
		"golang.org/x/sync", "golang.org/x/sys", "pgregory.net/rapid",
	}
	var fenced []string
	for _, f := range fences {
		fenced = append(fenced, f.imports...)
	}
	modules := directModules(t)
	if len(modules) < 10 {
		t.Fatalf("go.mod asks for %v only", modules)
	}
	for _, m := range modules {
		if !inFolders(m, fenced) && !inFolders(m, anywhere) {
			t.Errorf("go.mod asks for %s: say in fences who may import it, or that anybody may", m)
		}
	}
}

// directModules are the paths of go.mod's first block of requirements.
func directModules(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "require (\n")
	block, _, _ := strings.Cut(rest, ")")
	var modules []string
	for line := range strings.Lines(block) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			modules = append(modules, name)
		}
	}
	return modules
}
