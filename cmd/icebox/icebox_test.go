package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/extract"
)

// result is what a command left behind.
type result struct {
	code        int
	out, errOut string
}

// icebox runs the whole program in dir, in this process, without the environment.
func icebox(t testing.TB, dir string, args ...string) result {
	t.Helper()
	return iceboxEnv(t, dir, nil, args...)
}

func iceboxEnv(t testing.TB, dir string, environ []string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	p := &process{
		environ: append([]string{"HOME=" + dir}, environ...), dir: dir,
		stdin: strings.NewReader(""), stdout: &out, stderr: &errOut,
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}
	code := p.main(args)
	return result{code, out.String(), errOut.String()}
}

// lastJSON decodes the last line of stdout.
func (r result) lastJSON(t testing.TB) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimRight(r.out, "\n"), "\n")
	var m map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		t.Fatalf("exit %d: the last line of stdout is no JSON object: %v\nstdout: %s\nstderr: %s", r.code, err, r.out, r.errOut)
	}
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write puts a file below dir.
func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, data, 0o644))
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
	return path
}

// pngOf is a small picture in a colour of its own.
func pngOf(t testing.TB, class, index int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(class), uint64(index)))
	img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		v := [3]uint8{uint8(rng.IntN(50)), uint8(rng.IntN(50)), uint8(rng.IntN(50))}
		v[class%3] += 200
		img.SetNRGBA(i%32, i/32, color.NRGBA{v[0], v[1], v[2], 255})
	}
	var buf bytes.Buffer
	must(t, png.Encode(&buf, img))
	return buf.Bytes()
}

// folder makes a new folder with photos/<class>/… in it.
func folder(t testing.TB, classes, n int) string {
	t.Helper()
	dir := t.TempDir()
	for c := range classes {
		for i := range n {
			write(t, dir, filepath.Join("photos", string(rune('a'+c)), string(rune('0'+i))+".png"), pngOf(t, c, i))
		}
	}
	time.Sleep(50 * time.Millisecond) // so that the cache trusts the times
	return dir
}

func TestRunThenTrainThenPredict(t *testing.T) {
	dir := folder(t, 3, 8)
	base := []string{"--json", "--weights", "random", "--cache", "f.db"}
	cold := icebox(t, dir, append([]string{"run", "--data", "photos", "head.epochs=20", "data.split.test=0.2"}, base...)...)
	if cold.code != 0 {
		t.Fatalf("exit %d: %s", cold.code, cold.errOut)
	}
	first := cold.lastJSON(t)
	for _, key := range []string{"images", "hits", "misses", "images_opened", "bytes_read", "quarantined", "seconds", "engine", "isa", "weights", "run_dir",
		"epochs", "epoch_seconds", "train_loss", "val_acc", "test_acc"} {
		if _, ok := first[key]; !ok {
			t.Errorf("run --json has no %q", key)
		}
	}
	if first["images_opened"] != 24.0 || first["misses"] != 24.0 || first["epochs"] != 20.0 || first["weights"] != "random:0" {
		t.Errorf("cold: %v", first)
	}
	if !strings.Contains(cold.errOut, "random weights") {
		t.Errorf("the output does not say that the weights are random: %s", cold.errOut)
	}
	warm := icebox(t, dir, append([]string{"run", "--data", "photos", "head.epochs=20", "data.split.test=0.2"}, base...)...).lastJSON(t)
	if warm["images_opened"] != 0.0 || warm["hits"] != 24.0 || warm["train_loss"] != first["train_loss"] {
		t.Errorf("warm: %v", warm)
	}

	must(t, os.Rename(filepath.Join(dir, "photos"), filepath.Join(dir, "gone")))
	train := icebox(t, dir, "train", "--json", "--cache", "f.db", "head.epochs=20", "data.split.test=0.2").lastJSON(t)
	if train["train_loss"] != first["train_loss"] || train["test_acc"] != first["test_acc"] {
		t.Errorf("train without the folder: %v", train)
	}

	answer := icebox(t, dir, "predict", "--run", first["run_dir"].(string), "--json", "-k", "2", "gone/b/1.png")
	got := answer.lastJSON(t)
	if answer.code != 0 || got["label"] != "b" || len(got["top"].([]any)) != 2 {
		t.Errorf("predict: %v %s", got, answer.errOut)
	}
	eval := icebox(t, dir, "eval", "--run", first["run_dir"].(string), "--json").lastJSON(t)
	if eval["parts"].(map[string]any)["test"].(map[string]any)["top1"] != first["test_acc"] {
		t.Errorf("eval: %v", eval)
	}
	config, err := os.ReadFile(filepath.Join(first["run_dir"].(string), "config.yaml"))
	must(t, err)
	if !strings.Contains(string(config), "epochs: 20") {
		t.Errorf("config.yaml: %s", config)
	}
}

// L-BFGS stops by itself at the optimum, long before the last epoch it may take, and
// says whether it came there. It has no rate to change.
func TestTrainWithLBFGSConverges(t *testing.T) {
	dir := folder(t, 3, 8)
	r := icebox(t, dir, "run", "--data", "photos", "--json", "--weights", "random", "--cache", "f.db",
		"head.optimizer=lbfgs", "head.epochs=300", "head.weight_decay=0.1", "head.lr=0.1")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.errOut)
	}
	got := r.lastJSON(t)
	n := int(got["epochs"].(float64))
	if n < 2 || n >= 300 || got["stopped"] != "converged" || got["gradient"].(float64) > 1e-7 {
		t.Errorf("lbfgs took %v iterations, stopped by %v at a gradient of %v", n, got["stopped"], got["gradient"])
	}
	if loss := got["train_loss"].(float64); loss <= 0 || loss > 0.7 {
		t.Errorf("train_loss %v: three classes of plain colour are hardly learnt", loss)
	}
	report, err := os.ReadFile(filepath.Join(got["run_dir"].(string), "report.txt"))
	must(t, err)
	if !strings.Contains(string(report), fmt.Sprintf("converged in %d iterations", n)) {
		t.Errorf("report.txt does not say that lbfgs converged: %s", report)
	}
	if !strings.Contains(r.errOut, "note: head.lr: no influence on head.optimizer=lbfgs") || strings.Contains(string(report), "lr 0.1") {
		t.Errorf("a rate is taken for lbfgs': %s%s", r.errOut, report)
	}

	r = icebox(t, dir, "train", "--json", "--cache", "f.db", "head.optimizer=lbfgs", "head.epochs=2")
	if r.code != 0 || !strings.Contains(r.errOut, "not converged") || !strings.Contains(r.errOut, "try head.epochs=1000") || strings.Contains(r.errOut, "steps") || strings.Contains(r.errOut, "another head.lr") {
		t.Errorf("exit %d: %s", r.code, r.errOut)
	}
}

func TestExtractTakesUnlabelledImages(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, dir, "flat/"+string(rune('0'+i))+".png", pngOf(t, 0, i))
	}
	sum := icebox(t, dir, "extract", "--data", "flat", "--weights", "random", "--json").lastJSON(t)
	if sum["images"] != 3.0 || sum["misses"] != 3.0 || sum["run_dir"] != nil {
		t.Errorf("%v", sum)
	}
	export := icebox(t, dir, "cache", "export", "--out", "out", "--json").lastJSON(t)
	if export["rows"] != 3.0 {
		t.Errorf("%v", export)
	}
	labels, err := os.ReadFile(filepath.Join(dir, "out", "labels.npy"))
	must(t, err)
	if !bytes.HasSuffix(labels, bytes.Repeat([]byte{0xff}, 24)) {
		t.Errorf("labels are not -1: %x", labels)
	}
	index, err := os.ReadFile(filepath.Join(dir, "out", "index.csv"))
	must(t, err)
	if !strings.HasPrefix(string(index), "row,path,label,split,sha256\n0,0.png,,train,") {
		t.Errorf("index.csv: %s", index)
	}
	if r := icebox(t, dir, "train"); r.code != exitData || !strings.Contains(r.errOut, "no labels") {
		t.Errorf("training on unlabelled images: exit %d, %s", r.code, r.errOut)
	}
}

func TestCacheCommands(t *testing.T) {
	dir := folder(t, 2, 4)
	for _, w := range []string{"random:1", "random:2"} {
		if r := icebox(t, dir, "extract", "--data", "photos", "--weights", w, "--cache", "f.db"); r.code != 0 {
			t.Fatal(r.errOut)
		}
	}
	stat := icebox(t, dir, "cache", "stat", "--cache", "f.db", "--json").lastJSON(t)
	spaces := stat["spaces"].([]any)
	if len(spaces) != 2 || len(stat["datasets"].([]any)) != 1 {
		t.Fatalf("%v", stat)
	}
	if r := icebox(t, dir, "cache", "verify", "--cache", "f.db"); r.code != 0 || !strings.Contains(r.out, "is sound: 16 rows") {
		t.Errorf("verify: %d %s %s", r.code, r.out, r.errOut)
	}
	first := spaces[0].(map[string]any)
	producer := first["producers"].([]any)[0].(map[string]any)
	if producer["engine"] != "native" || producer["rows"] != first["rows"] {
		t.Errorf("stat: producers %v of %v rows", producer, first["rows"])
	}
	if r := icebox(t, dir, "cache", "stat", "--cache", "f.db"); !strings.Contains(r.out, ", fp32, weights random") || !strings.Contains(r.out, "8 rows by native on ") {
		t.Errorf("stat: %s", r.out)
	}
	id := first["id"].(string)
	if r := icebox(t, dir, "cache", "drop", "--cache", "f.db", "--space", id[:10]); r.code != 0 {
		t.Errorf("drop: %s", r.errOut)
	}
	if r := icebox(t, dir, "cache", "compact", "--cache", "f.db"); r.code != 0 {
		t.Errorf("compact: %s", r.errOut)
	}
	stat = icebox(t, dir, "cache", "stat", "--cache", "f.db", "--json").lastJSON(t)
	if n := len(stat["spaces"].([]any)); n != 1 {
		t.Errorf("%d spaces after drop", n)
	}
	if r := icebox(t, dir, "cache", "stat", "--cache", "f.db"); r.code != 0 || !strings.Contains(r.out, "dataset photos") {
		t.Errorf("stat: %s", r.out)
	}
}

func TestQuickstartIsWarmTheSecondTime(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	dir := t.TempDir()
	cold := icebox(t, dir, "quickstart", "--json", "--weights", "random")
	if cold.code != 0 {
		t.Fatal(cold.errOut)
	}
	got := cold.lastJSON(t)
	if c := got["cold"].(map[string]any); c["images_opened"] != c["images"] || c["random_weights"] != true {
		t.Errorf("cold: %v", c)
	}
	if w := got["warm"].(map[string]any); w["images_opened"] != 0.0 {
		t.Errorf("warm: %v", w)
	}
	again := icebox(t, dir, "quickstart", "--json", "--weights", "random").lastJSON(t)
	if c := again["cold"].(map[string]any); c["images_opened"] != 0.0 {
		t.Errorf("a second quickstart opened images: %v", c)
	}
}

func TestHelpAndUsage(t *testing.T) {
	dir := t.TempDir()
	if r := icebox(t, dir); r.code != 0 || !strings.Contains(r.out, "icebox quickstart") {
		t.Errorf("no arguments: %d %s", r.code, r.out)
	}
	if r := icebox(t, dir, "help", "exit-codes"); r.code != 0 || !strings.Contains(r.out, "130") {
		t.Errorf("exit codes: %s", r.out)
	}
	for _, args := range [][]string{{"nonsense"}, {"run", "--nonsense"}, {"run", "photos"}, {"cache", "nonsense"}, {"predict"}, {"eval"}, {"cache", "export"}, {"weights", "inspect"}} {
		if r := icebox(t, dir, args...); r.code != exitUsage && r.code != exitData || r.errOut == "" || strings.Count(r.errOut, "\n") > 2 {
			t.Errorf("%v: exit %d, %s", args, r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "version", "--json"); r.lastJSON(t)["isa"] == "" {
		t.Errorf("version: %s", r.out)
	}
}

func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	if r := icebox(t, dir, "config", "init"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	if r := icebox(t, dir, "config", "init"); r.code != exitUsage {
		t.Errorf("init overwrote: %s", r.errOut)
	}
	if r := icebox(t, dir, "config", "check"); r.code != 0 {
		t.Errorf("the starter file is not sound: %s", r.errOut)
	}
	r := iceboxEnv(t, dir, []string{"ICEBOX_HEAD_LR=0.5"}, "config", "show", "head.epochs=3")
	for _, want := range []string{"head.lr", "0.5", "ICEBOX_HEAD_LR", "head.epochs"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("show has no %q: %s", want, r.out)
		}
	}
}

func TestBenchForwardPrintsRatesAndLayers(t *testing.T) {
	if extract.NativeISA() == extract.Portable {
		t.Skip("takes a minute in plain Go")
	}
	r := icebox(t, t.TempDir(), "bench", "forward", "--weights", "random", "--seconds", "0.03")
	for _, want := range []string{"plan winograd", "single images compact", "1 thread", "batch 32", "layer4.1.conv2", "F(7,3)", "all"} {
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Fatalf("exit %d, no %q in %s%s", r.code, want, r.out, r.errOut)
		}
	}
	m := icebox(t, t.TempDir(), "bench", "forward", "--weights", "random", "--seconds", "0.03", "--batch", "1", "--threads", "2", "--json").lastJSON(t)
	if m["batch"] != 1.0 || m["threads"] != 2.0 || m["plan"] != "compact-3" || !(m["images_per_s"].(float64) > 0) {
		t.Errorf("%v", m)
	}
}
