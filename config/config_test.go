package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"icebox/headtrain"
	"icebox/pipeline"
	"icebox/pipeline/runs"
	"icebox/pipeline/sweep"
)

func load(t *testing.T, src Source) *Config {
	t.Helper()
	c, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func overrides(t *testing.T, args ...string) []Override {
	t.Helper()
	var all []Override
	for _, arg := range args {
		o, err := ParseOverride(arg)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// entry returns what Show says of a key.
func entry(t *testing.T, c *Config, key string) Entry {
	t.Helper()
	for _, e := range c.Show() {
		if e.Key == key {
			return e
		}
	}
	t.Fatalf("Show has no %s", key)
	return Entry{}
}

func TestNothingGivenIsTheDefaultsInTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	want := pipeline.Default()
	want.Tune = pipeline.TuneAuto
	want.Head.StepEpochs = 0
	want.Cache.Path = filepath.Join(dir, ".icebox", "features.db")
	want.Output.Dir = filepath.Join(dir, "runs")
	c := load(t, Source{Dir: dir})
	want.Output.Config = c.YAML()
	if diff := cmp.Diff(want, c.Options, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for _, e := range c.Show() {
		if e.Origin != "default" {
			t.Errorf("%s comes from %s", e.Key, e.Origin)
		}
	}
}

func TestDesignExampleFillsTheOptions(t *testing.T) {
	c := load(t, Source{File: "testdata/design.good.yml"})
	dir, _ := filepath.Abs("testdata")
	want := pipeline.Default()
	want.Tune = pipeline.TuneAuto
	want.Data.Train, want.Data.Test = filepath.Join(dir, "images", "train"), filepath.Join(dir, "images", "test")
	want.Cache.Path = filepath.Join(dir, ".icebox", "features.db")
	want.Output = runs.Options{Dir: filepath.Join(dir, "runs"), Config: c.YAML()}
	want.Head.StepEpochs = 0
	want.Sweep.Seeds = 3
	want.Sweep.Axes = []sweep.Axis{
		{Key: "lr", Log: []float64{1e-4, 1e-1}, Steps: 7},
		{Key: "weight_decay", Values: []any{0.0, 1e-4}},
	}
	if diff := cmp.Diff(want, c.Options, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestLaterLayersWin(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "c.yml"), "head:\n  lr: 0.2\n  epochs: 2\n  seed: 2\n  class_weights: {Ants: 2}\n")
	src := Source{
		File: "c.yml", Dir: dir,
		Environ: []string{"ICEBOX_HEAD_EPOCHS=3", "ICEBOX_HEAD_SEED=3", "PATH=/bin", "ICEBOX_HEAD_LR="},
		Overrides: append(overrides(t, "head.seed=4", "head.seed=5", "head.class_weights={Bees: 3}"),
			Override{Key: "data.train", Value: "x=1: [", Origin: "--data"}),
	}
	c := load(t, src)
	got := []Entry{}
	for _, key := range []string{"head.batch_size", "head.lr", "head.epochs", "head.seed", "head.class_weights", "data.train"} {
		got = append(got, entry(t, c, key))
	}
	want := []Entry{
		{"head.batch_size", "256", "default"},
		{"head.lr", "0.2", "c.yml:2"},
		{"head.epochs", "3", "ICEBOX_HEAD_EPOCHS"},
		{"head.seed", "5", "argument head.seed=5"},
		{"head.class_weights", "{Bees: 3}", "argument head.class_weights={Bees: 3}"},
		{"data.train", inline(textNode(filepath.Join(dir, "x=1: ["))), "--data"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Warnings != nil {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestSectionsMergeKeyByKey(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "c.yml"), "sweep: {axes: {lr: [0.1], epochs: [5]}}")
	c := load(t, Source{File: "c.yml", Dir: dir, Overrides: overrides(t, "sweep.axes={lr: [0.2, 0.3]}", "head={epochs: 7, early_stopping: {patience: 2}}")})
	want := []sweep.Axis{{Key: "epochs", Values: []any{5}}, {Key: "lr", Values: []any{0.2, 0.3}}}
	if diff := cmp.Diff(want, c.Options.Sweep.Axes); diff != "" {
		t.Error(diff)
	}
	if h := c.Options.Head; h.Epochs != 7 || h.EarlyStopping.Patience != 2 || h.BatchSize != 256 {
		t.Errorf("head %+v", h)
	}
}

func TestPathsStartWhereTheyWereWritten(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "conf", "c.yml"), "data: {train: a, val: ../b, test: ''}\nbackbone: {weights: w.pth}\n")
	c := load(t, Source{
		File: filepath.Join("conf", "c.yml"), Dir: dir,
		Environ:   []string{"ICEBOX_CACHE_PATH=sub/../f.db"},
		Overrides: overrides(t, "output.dir=r", "data.test="+filepath.Join(dir, "abs")),
	})
	got := []string{c.Options.Data.Train, c.Options.Data.Val, c.Options.Data.Test, c.Options.Backbone.Weights, c.Options.Cache.Path, c.Options.Output.Dir}
	want := []string{"conf/a", "b", "abs", "conf/w.pth", "f.db", "r"}
	for i, w := range want {
		if w = filepath.Join(dir, filepath.FromSlash(w)); got[i] != w {
			t.Errorf("got %s, want %s", got[i], w)
		}
	}
	for _, word := range []string{"auto", "random", "random:12"} {
		c := load(t, Source{Dir: dir, Environ: []string{"ICEBOX_BACKBONE_WEIGHTS=" + word}})
		if c.Options.Backbone.Weights != word {
			t.Errorf("weights %s became %s", word, c.Options.Backbone.Weights)
		}
	}
}

func TestVariablesThatAreNoKeysAreWarnedOf(t *testing.T) {
	c := load(t, Source{Dir: t.TempDir(), Environ: []string{
		"ICEBOX_HEAD_LRR=1", "ICEBOX_LEARNING_RATE=1", "ICEBOX_DATA_DIR=x", "ICEBOX_ZEBRA=1", "ICEBOXES=1", "ICEBOX_TEST_SPLIT=0.5",
	}})
	want := []string{
		"ICEBOX_DATA_DIR is set, but is not a variable of icebox; did you mean ICEBOX_DATA_TRAIN?",
		"ICEBOX_HEAD_LRR is set, but is not a variable of icebox; did you mean ICEBOX_HEAD_LR?",
		"ICEBOX_LEARNING_RATE is set, but is not a variable of icebox; did you mean ICEBOX_HEAD_LR?",
		"ICEBOX_TEST_SPLIT is set, but is not a variable of icebox; did you mean ICEBOX_DATA_SPLIT_TEST?",
		"ICEBOX_ZEBRA is set, but is not a variable of icebox",
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestKeysThatLBFGSDoesNotTakeAreWarnedOf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "c.yml"), "head: {optimizer: lbfgs, schedule: cosine, lr: 0.1}\n")
	write(t, filepath.Join(dir, "adam.yml"), "head: {schedule: cosine, lr: 0.1}\n")
	write(t, filepath.Join(dir, "sweep.yml"), "head: {optimizer: lbfgs, lr: 0.1}\nsweep: {axes: {optimizer: [adam, lbfgs]}}\n")
	for file, want := range map[string][]string{
		"c.yml": {"head.lr, head.schedule: no influence on head.optimizer=lbfgs"}, "adam.yml": nil, "sweep.yml": nil,
	} {
		if diff := cmp.Diff(want, load(t, Source{File: file, Dir: dir}).Warnings); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func TestFaultsOfAllSourcesAreReportedTogether(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "c.yml"), "head:\n  learning_rate: 1\n  epochs: 0\nsweep: {folds: 1}\n")
	_, err := Load(Source{
		File: "c.yml", Dir: dir,
		Environ: []string{"ICEBOX_EXTRACT_WORKERS=many", "ICEBOX_DATA_SPLIT_VAL=[", "ICEBOX_DATA_NAME=a/b"},
		Overrides: append(overrides(t, "cache.dtype=f16", "hed.lr=1", "output=runs", "sweep={seeds"),
			Override{"backbone.engine", "abacus", "--engine"}),
	})
	want := []string{
		"c.yml:2: head.learning_rate is not a known key; did you mean head.lr?",
		"c.yml:3: head.epochs (0) must be from 1 to 1000000",
		"ICEBOX_DATA_SPLIT_VAL: data.split.val: [ is not a YAML value (did not find expected node content)",
		"ICEBOX_EXTRACT_WORKERS: extract.workers (many) must be a whole number",
		`argument cache.dtype=f16: cache.dtype "f16" is not known: choose float32 or float16`,
		"argument hed.lr=1: hed.lr is not a known key; did you mean head.lr?",
		"argument output=runs: output is a section, not a value: set one of its keys, such as output.dir",
		"argument sweep={seeds: sweep: {seeds is not a YAML value (did not find expected ',' or '}')",
		`--engine: backbone.engine "abacus" is not known: choose auto, native, cuda`,
		"c.yml:4: sweep.folds (1) must be 0 or ≥ 2",
	}
	if err == nil {
		t.Fatal("it loads")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(err, ErrConfig) {
		t.Error("not ErrConfig")
	}
}

// A fault names its field, and the table finds the key of it.
func TestFieldsHaveTheirKeys(t *testing.T) {
	for field, want := range map[string]string{
		"Head.EarlyStopping.Patience": "head.early_stopping.patience", "Head.Shuffle": "head.shuffle", "HeadEngine": "head.engine",
		"Answers.Calibrate": "head.calibrate", "Answers.Reject.Coverage": "head.reject.coverage", "Sweep.Axes.lr": "sweep.axes.lr",
		"Head": "head", "Data.Split": "data.split", "Answers.Reject": "head.reject", "Answers": "head", "Sweep.Axes": "sweep.axes",
		"Head.ClassWeights": "head.class_weights", "Head.ClassWeights.Map": "head.class_weights", "Nothing": "",
	} {
		if got := KeyOf(field); got != want {
			t.Errorf("%s has the key %q, want %q", field, got, want)
		}
	}
	for _, k := range table {
		if k.field == "" || KeyOf(k.field) != k.Name {
			t.Errorf("%s sets the field %q, whose key is %q", k.Name, k.field, KeyOf(k.field))
		}
	}
}

func TestEveryValueThatIsNotANumberIsRefusedForLR(t *testing.T) {
	for _, v := range []string{"NaN", ".nan", "inf", ".inf", "-.inf", "1e400", "-1", "0", "0.0", "-0.0", "'1'", "1 2", "true", "[1]", "", "0x"} {
		if c, err := Load(Source{Overrides: []Override{{Key: "head.lr", Value: v}}}); err == nil {
			t.Errorf("head.lr=%s gives %v", v, c.Options.Head.LR)
		}
	}
}

func TestArgumentWithoutEqualsIsRefused(t *testing.T) {
	for _, arg := range []string{"head.lr", "=3", " =3", ""} {
		if _, err := ParseOverride(arg); !errors.Is(err, ErrConfig) {
			t.Errorf("%q gives %v", arg, err)
		}
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	_, err := Load(Source{File: "no/such.yml", Dir: t.TempDir()})
	if !errors.Is(err, ErrConfig) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	if want := "no/such.yml: no such file"; err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := Load(Source{File: ".", Dir: t.TempDir()}); !errors.Is(err, ErrConfig) {
		t.Errorf("a folder gives %v", err)
	}
}

func TestHugeFileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yml")
	write(t, file, strings.Repeat("# remark\n", maxFile/9+1))
	if _, err := Load(Source{File: file}); err == nil || !strings.Contains(err.Error(), "larger than 1024 KiB") {
		t.Errorf("got %v", err)
	}
}

// TestHostileFilesAreRefusedWithFewWords feeds the most that a file may hold of what
// could cost time or fill a screen.
func TestHostileFilesAreRefusedWithFewWords(t *testing.T) {
	repeated := func(before, text, after string) string {
		return before + strings.Repeat(text, (maxFile-100)/len(text)) + after
	}
	var keys strings.Builder
	for i := range maxFile / 16 {
		fmt.Fprintf(&keys, "key%07d: 1\n", i)
	}
	for name, text := range map[string]string{
		"deep list":     repeated("head: {lr: ", "[", ""),
		"deep mapping":  repeated("", "{a: ", ""),
		"long key":      repeated("", "k", ": 1"),
		"many keys":     keys.String(),
		"long axis":     repeated("sweep: {axes: {lr: [", "x,", "]}}"),
		"many weights":  repeated("head: {class_weights: {", "[a]: 1, ", "}}"),
		"many aliases":  repeated("head: {lr: &a [0]}\nsweep: {axes: {lr: [", "*a,", "]}}"),
		"many segments": repeated("", "a.", ": 1"),
	} {
		file := filepath.Join(t.TempDir(), "c.yml")
		write(t, file, text)
		_, err := Load(Source{File: file})
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		} else if n := len(err.Error()); n > 20_000 {
			t.Errorf("%s: a message of %d bytes", name, n)
		}
	}
}

// A path that begins with ~/ starts in the home folder, wherever it was written.
func TestPathsMayStartAtHome(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	write(t, filepath.Join(dir, "c.yml"), "data: {train: ~/photos, val: '~', test: ~other/x}\noutput: {dir: a/~/b}\n")
	c := load(t, Source{
		File: "c.yml", Dir: dir, Environ: []string{"USERPROFILE=/elsewhere", "HOME=" + home, "ICEBOX_BACKBONE_WEIGHTS=~/w.pth"},
		Overrides: append(overrides(t, "data.root=~/root"), Override{Key: "cache.path", Value: "~/f.db", Origin: "--cache"}),
	})
	o := c.Options
	for got, want := range map[string]string{
		o.Data.Train: filepath.Join(home, "photos"), o.Data.Val: home, o.Backbone.Weights: filepath.Join(home, "w.pth"),
		o.Data.Reading.Root: filepath.Join(home, "root"), o.Cache.Path: filepath.Join(home, "f.db"),
		o.Data.Test: filepath.Join(dir, "~other", "x"), o.Output.Dir: filepath.Join(dir, "a", "~", "b"), // which are no homes
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestEveryOptionHasAKey finds each field of pipeline.Options among those that the
// table gets, but for what a file cannot say.
func TestEveryOptionHasAKey(t *testing.T) {
	o := pipeline.Default()
	var reached []any
	fill(reflect.ValueOf(&o).Elem(), "", func(name string, field reflect.Value) {
		if !slices.Contains([]string{".Engines", ".HeadEngines", ".Pinned", ".Record", ".Recipe", ".Settings", ".Env", ".Fetch", ".Words", ".Cache.Wait", ".Backbone.WeightsHash", ".Backbone.WeightsHints", ".Output.Config", ".Output.Program", ".Sweep.Axes"}, name) {
			mark(field)
			want := field.Interface()
			if field.Kind() == reflect.String {
				want = field.String() // whatever its type
			}
			reached = append(reached, want)
			found := 0
			for _, k := range table {
				if v := k.get(&o); v != nil && cmp.Equal(v, want) {
					found++
				}
			}
			if found == 0 {
				t.Errorf("no key sets Options%s", name)
			}
			field.SetZero()
		}
	})
	if len(reached) < 35 {
		t.Errorf("found only %d options", len(reached))
	}
}

// fill calls do for every field of v that is no plain struct.
func fill(v reflect.Value, name string, do func(string, reflect.Value)) {
	for i := range v.NumField() {
		field, name := v.Field(i), name+"."+v.Type().Field(i).Name
		if field.Kind() == reflect.Struct && field.Type() != reflect.TypeFor[headtrain.ClassWeights]() {
			fill(field, name, do)
		} else {
			do(name, field)
		}
	}
}

// mark gives a field a value that no other has.
func mark(field reflect.Value) {
	switch field.Kind() {
	case reflect.String:
		field.SetString("marked")
	case reflect.Float64:
		field.SetFloat(0.123456)
	case reflect.Int, reflect.Int64:
		field.SetInt(987654321)
	case reflect.Uint64:
		field.SetUint(987654321)
	case reflect.Bool:
		field.SetBool(true)
	case reflect.Slice:
		field.Set(reflect.ValueOf([]string{"marked"}))
	case reflect.Struct:
		field.Set(reflect.ValueOf(headtrain.ClassWeights{Mode: "marked"}))
	}
}

// genOverride draws a key and a value that it takes.
func genOverride(rt *rapid.T) Override {
	k := rapid.SampledFrom(table).Draw(rt, "key")
	unit := rapid.Float64Range(0.001, 0.49)
	any := rapid.StringMatching(`[a-zA-Z0-9 '"#:{}\[\]&*!|>%@\\,?~-]{0,12}|[\n\täß日\x00\x85]{1,3}|null|true|1e3`)
	var v string
	switch {
	case k.Name == "head.class_weights" && rapid.Bool().Draw(rt, "map"):
		m := rapid.MapOfN(any, unit, 1, 4).Draw(rt, "weights")
		v = inline(classWeightsNode(headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: m}))
	case k.Name == "sweep.axes.class_weights":
		m := rapid.MapOfN(any, unit, 1, 4).Draw(rt, "weights")
		v = "[balanced, " + inline(classWeightsNode(headtrain.ClassWeights{Mode: headtrain.WeightsMap, Map: m})) + "]"
	case k.Example != "" && !k.plain:
		v = k.Example
	case k.plain && (k.place != nil || k.Example != ""):
		v = strings.ReplaceAll(any.Draw(rt, "text"), "/", "")
	case k.schema["enum"] != nil:
		v = rapid.SampledFrom(k.schema["enum"].([]string)).Draw(rt, "word")
	case k.schema["type"] == "number":
		v = inline(toNode(unit.Draw(rt, "number")))
	case k.schema["type"] == "boolean":
		v = inline(toNode(rapid.Bool().Draw(rt, "flag")))
	default:
		v = k.Default
	}
	return Override{Key: k.Name, Value: v}
}

func TestEffectiveFileLoadsToTheSameOptions(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	loaded := 0
	rapid.Check(t, func(rt *rapid.T) {
		first, err := Load(Source{Dir: dir, Overrides: rapid.SliceOf(rapid.Custom(genOverride)).Draw(rt, "overrides")})
		if err != nil {
			return // two options may contradict one another, or a path be empty
		}
		loaded++
		if err := os.WriteFile(file, first.YAML(), 0o644); err != nil {
			rt.Fatal(err)
		}
		second, err := Load(Source{File: file, Dir: elsewhere})
		if err != nil {
			rt.Fatalf("%v\n%s", err, first.YAML())
		}
		if diff := cmp.Diff(first.Options, second.Options); diff != "" {
			rt.Fatal(diff)
		}
	})
	if loaded < 20 && !testing.Short() {
		t.Errorf("only %d configurations were valid", loaded)
	}
}

var commented = regexp.MustCompile(`(?m)^( *)# ([a-z0-9_]+: \S)`)

func TestStarterFileSaysEveryKeyAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "icebox.yaml")
	write(t, file, string(Init()))
	untouched := load(t, Source{File: file, Dir: dir})
	if diff := cmp.Diff(load(t, Source{Dir: dir}).Options, untouched.Options); diff != "" {
		t.Error(diff)
	}

	write(t, file, commented.ReplaceAllString(string(Init()), "$1$2"))
	all := load(t, Source{File: file, Dir: dir})
	for _, k := range table {
		if origin := entry(t, all, k.Name).Origin; !strings.HasPrefix(origin, file) {
			t.Errorf("%s is not in the file: it comes from %s", k.Name, origin)
		}
		if k.Default == "" {
			continue
		}
		if a, b := k.get(&all.Options), k.get(&untouched.Options); !cmp.Equal(a, b) {
			t.Errorf("%s: the starter file shows %v, the default is %v", k.Name, a, b)
		}
	}
}

func TestEveryKeyIsReachedByItsVariableAndItsName(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if seen[k.Env] || seen[k.Name] {
			t.Errorf("%s or %s stands for two keys", k.Name, k.Env)
		}
		seen[k.Env], seen[k.Name] = true, true
		if k.Help == "" || k.Type == "" || (k.Default == "") == (k.Example == "") {
			t.Errorf("%s lacks a help, a type, or either a default or an example: %+v", k.Name, k)
		}
		value := k.Default + k.Example
		dir := t.TempDir()
		byEnv := load(t, Source{Dir: dir, Environ: []string{k.Env + "=" + value}})
		byName := load(t, Source{Dir: dir, Overrides: []Override{{Key: k.Name, Value: value}}})
		if diff := cmp.Diff(byEnv.Options, byName.Options); diff != "" {
			t.Errorf("%s: %s", k.Name, diff)
		}
		if got := entry(t, byEnv, k.Name).Origin; got != k.Env {
			t.Errorf("%s comes from %s", k.Name, got)
		}
	}
}

// The table states no range of its own: each number has that of its field.
func TestEveryNumberHasTheRangeOfItsOwner(t *testing.T) {
	for _, k := range table {
		if kind := k.schema["type"]; kind != "number" && kind != "integer" {
			continue
		}
		r, ok := pipeline.Ranges()[k.field]
		if !ok || !strings.HasSuffix(k.Type, r.String()) {
			t.Errorf("%s is a %s; its owner has the range %v", k.Name, k.Type, r)
		}
	}
	for field := range pipeline.Ranges() {
		if KeyOf(field) == "" {
			t.Errorf("no key sets %s", field)
		}
	}
	for field, want := range pipeline.Choices() {
		k := keyNamed(KeyOf(field))
		if k == nil || field != "Head.ClassWeights.Mode" && !slices.Equal(k.Values, want) {
			t.Errorf("%s may be %v; its key is %v", field, want, k)
		}
	}
}

// FuzzFile feeds a file's bytes to Load: it must not panic, and what it accepts it
// must write in a form that it accepts again.
func FuzzFile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\xff\xfeh\x00:\x00"))
	f.Add([]byte("head: &a [*a]\n? &k lr\n: *k"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		first, second := filepath.Join(dir, "1.yml"), filepath.Join(dir, "2.yml")
		write(t, first, string(data))
		c, err := Load(Source{File: first, Dir: dir})
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("%v is not ErrConfig", err)
			}
			return
		}
		write(t, second, string(c.YAML()))
		again := load(t, Source{File: second, Dir: dir})
		if diff := cmp.Diff(c.Options, again.Options); diff != "" {
			t.Fatal(diff)
		}
	})
}
