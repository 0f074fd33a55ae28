package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"icebox/headtrain"
	"icebox/headtrain/judge"
	"icebox/pipeline/insight"
	"icebox/pipeline/quality"
	"icebox/pipeline/report"
	"icebox/pipeline/sweep"
)

var update = flag.Bool("update", false, "write testdata/report.html anew")

const (
	hostileClass = `<img src=x onerror=alert(1)>`
	hostileFile  = `train/a/</script>.jpg`
	rightToLeft  = "שלום\u202e"
)

// sample is a page with all that a page may have, of the given classes.
func sample(classes ...string) *Page {
	k := len(classes)
	score := judge.Report{N: 10 * k, Loss: .5, Top1: .8, Top5: 1, MacroF1: .79, BalancedAccuracy: .8, ECE: .05,
		Reliability: []judge.Bin{{Rows: 4, Confidence: .5, Accuracy: .4}, {Rows: 16, Confidence: .9, Accuracy: .95}}}
	for i, c := range classes {
		score.PerClass = append(score.PerClass, judge.Class{Class: c, Precision: .8, Recall: .8, F1: .8, Support: 10})
		row := make([]int, k)
		row[i], row[(i+1)%k] = 8, 2
		score.Confusion = append(score.Confusion, row)
	}
	loss, acc := .5, .8
	r := &report.Report{Program: "icebox test", Started: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), Classes: classes,
		Parts: map[string]judge.Report{"train": score, "test": score}, WrongOf: "test", Decided: "nobody decided anything",
		Answers: report.Answering{Temperature: 1.5, Threshold: .6, Parts: map[string]report.PartAnswers{"test": {Interval: &judge.Interval{Low: .7, High: .9}, Rejection: judge.Rejection{Coverage: .5, Precision: .9}}}},
		Head:    headtrain.Options{}.WithDefaults(), Engine: "fused",
		Base:  &report.Baselines{Part: "test", Found: []judge.Baseline{{Name: "majority class", Accuracy: .5, Head: .8, Rows: 20, RowsOf: 20}}},
		Wrong: []report.Wrong{{Path: hostileFile, Label: classes[0], Predicted: classes[1%k], Probability: .9, OfLabel: .1}},
		Sweep: &report.Sweep{Metric: "val_acc", Points: 2},
	}
	r.Summary.Dataset, r.Summary.Images, r.Summary.Weights, r.Summary.WeightsHash = classes[0], 20*k, "weights.pth", strings.Repeat("ab", 32)
	r.Summary.Quality = &quality.Report{Judged: 20, Issues: []quality.Issue{{Name: quality.Dark, Images: 2, Worst: []quality.Picture{{Ref: insight.Ref{Path: hostileFile, Label: classes[0]}, Score: .1}}}, {Name: quality.Light}}}
	r.Summary.Corrections = &report.Corrections{Parts: map[string]report.CorrectedPart{"test": {Accuracy: .85, Images: 20, Changed: 3}}}
	p := &Page{Report: r, Epochs: []headtrain.Epoch{{Epoch: 1, TrainLoss: 1, TrainAcc: .5, ValLoss: &loss, ValAcc: &acc}, {Epoch: 2, TrainLoss: .6, TrainAcc: .7, ValLoss: &loss, ValAcc: &acc}},
		Insight: &report.Insight{Findings: insight.Findings{LabelsJudged: 20, LabelsWrong: 1,
			Suspects: []insight.Suspect{{Path: hostileFile, Part: "train", Label: classes[0], LooksLike: classes[1%k], Chance: .9}},
			Copies:   insight.Copies{Cosine: .7, Near: 1, Leaks: 1, Pairs: []insight.CopyPair{{A: insight.Ref{Path: "a.jpg", Part: "train", Label: classes[0]}, B: insight.Ref{Path: hostileFile, Part: "test", Label: classes[0]}, Cosine: .8}}}}},
		Classes:   []Examples{{Class: classes[0], Best: []Example{{Path: "a.jpg", Predicted: classes[0], OfLabel: .99}}, Worst: []Example{{Path: hostileFile, Predicted: classes[1%k], OfLabel: .1}}}},
		Nearest:   map[string]Nearest{hostileFile: {OfLabel: "a.jpg", OfOther: "b.jpg"}},
		Rejecting: []Rejection{{1, .8}, {.5, .9}, {.1, 1}},
		Map:       []Point{{0, 0, "a.jpg", 0, false}, {1, 2, hostileFile, 1 % k, true}}, MapBy: ByComponents,
		Swept: []sweep.Result{{Values: map[string]any{"lr": .1, "optimizer": "adam"}, ValAcc: &sweep.Stat{Mean: .8}}, {Values: map[string]any{"lr": .001, "optimizer": "sgd"}, ValAcc: &sweep.Stat{Mean: .6}}},
		Next:  []Advice{{"Do this.", "icebox report --run '</script>'"}}, Reproduce: "icebox train",
		Pictures: map[string][]byte{"a.jpg": []byte("a jpeg"), hostileFile: []byte("another")},
		Maps:     map[Card][]byte{{hostileFile, classes[0], classes[1%k]}: []byte("a map")},
		Where:    func(path string) string { return "file:///photos/" + path },
	}
	return p
}

func draw(t *testing.T, p *Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	got := draw(t, sample("ant", "bee"))
	path := filepath.Join("testdata", "report.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("go test ./pipeline/page -update writes it anew, if this is meant:\n%s", diff)
	}
}

// Whatever classes and files are called, they are text.
func TestNamesAreText(t *testing.T) {
	got := draw(t, sample(hostileClass, rightToLeft, `"' onmouseover=alert(1) x="`, "{{.}}", strings.Repeat("long", 200)))
	for _, bad := range []string{"<img", "</script>.jpg", `" onmouseover`, `' onmouseover=alert(1) x="`} {
		if strings.Contains(got, bad) {
			t.Errorf("%s is in the page as markup", bad)
		}
	}
	if n := strings.Count(got, "<script"); n != 1 || strings.Count(got, "</script>") != 1 {
		t.Errorf("there are %d scripts", n)
	}
	if !strings.Contains(got, "&lt;img src=x onerror=alert(1)&gt;") {
		t.Error("the name of the class is not there")
	}
}

// The policy names the very style sheet and script that are in the page, and allows nothing
// that comes from elsewhere.
func TestPolicyFits(t *testing.T) {
	got := draw(t, sample("ant", "bee"))
	for _, tag := range []string{"style", "script"} {
		m := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(got)
		if m == nil {
			t.Fatalf("no %s", tag)
		}
		sum := sha256.Sum256([]byte(m[1]))
		hash := base64.StdEncoding.EncodeToString(sum[:])
		if !strings.Contains(strings.ReplaceAll(got, "&#43;", "+"), tag+"-src 'sha256-"+hash+"'") && !strings.Contains(strings.ReplaceAll(got, "&#43;", "+"), tag+"-src &#39;sha256-"+hash+"&#39;") {
			t.Errorf("the policy does not name the %s: %s", tag, hash)
		}
	}
	if regexp.MustCompile(`(?i)https?:|\ssrc=|@import|style="|\son[a-z]+="`).MatchString(got) {
		t.Error("something is loaded, or styled or run in place")
	}
	if !strings.Contains(got, "default-src") {
		t.Error("there is no policy")
	}
}

// A page stays below 5 MB however large the data is.
func TestPageIsBounded(t *testing.T) {
	for _, k := range []int{25, 900, 20_000} {
		classes := make([]string, k)
		for i := range classes {
			classes[i] = fmt.Sprintf("class with a name of some length, number %d", i)
		}
		p := large(classes)
		if got := len(draw(t, p)); got > 5_000_000 {
			t.Errorf("%d classes: %d bytes", k, got)
		}
		if n := len(p.Paths()); n > MaxPictures {
			t.Errorf("%d pictures", n)
		}
	}
}

// large is a page of a large run of those classes, with many mistakes of all kinds.
func large(classes []string) *Page {
	p := sample("a", "b")
	r := p.Report
	r.Classes = classes
	score := r.Parts["test"]
	score.PerClass, score.Confusion = nil, nil
	for _, c := range classes {
		score.PerClass = append(score.PerClass, judge.Class{Class: c, Support: 10})
	}
	if k := len(classes); k <= 1000 {
		for range classes {
			row := make([]int, k)
			for j := range row {
				row[j] = 9
			}
			score.Confusion = append(score.Confusion, row)
		}
	}
	r.Parts = map[string]judge.Report{"train": score, "val": score, "test": score}
	r.Wrong, p.Insight.Suspects, p.Insight.Copies.Pairs = nil, nil, nil
	jpeg := bytes.Repeat([]byte{200}, 6000)
	path := func(i int) string {
		name := fmt.Sprintf("test/%s/%d%s.jpg", classes[i%len(classes)], i, strings.Repeat("x", 100))
		p.Pictures[name] = jpeg
		return name
	}
	for i := range 20_000 {
		r.Wrong = append(r.Wrong, report.Wrong{Path: path(i), Label: classes[i%len(classes)], Predicted: classes[(i*7+1)%len(classes)], Probability: .9})
		p.Insight.Suspects = append(p.Insight.Suspects, insight.Suspect{Path: path(i), Label: classes[0], LooksLike: classes[1]})
		p.Insight.Copies.Pairs = append(p.Insight.Copies.Pairs, insight.CopyPair{A: insight.Ref{Path: path(i)}, B: insight.Ref{Path: path(i + 1)}})
		p.Map = append(p.Map, Point{float64(i), float64(i * i), path(i), i % len(classes), true})
		p.Swept = append(p.Swept, sweep.Result{Values: map[string]any{"lr": float64(i), "decay": float64(i)}, ValAcc: &sweep.Stat{Mean: float64(i)}})
	}
	for _, card := range p.Cards() {
		p.Maps[card] = jpeg
	}
	return p
}

// A page of a run that has hardly anything is whole.
func TestBarePage(t *testing.T) {
	r := &report.Report{Classes: []string{"a", "b"}, WrongOf: "train", Parts: map[string]judge.Report{"train": {N: 2, PerClass: []judge.Class{{Class: "a"}, {Class: "b"}}, Confusion: [][]int{{1, 0}, {0, 1}}}}}
	got := draw(t, &Page{Report: r})
	for _, id := range []string{"verdict", "data", "confusion", "classes", "trust", "recipe"} {
		if !strings.Contains(got, `id="`+id+`"`) {
			t.Errorf("there is no section %s", id)
		}
	}
}

// Every link within the page leads somewhere, and every id is there once.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, p := range []*Page{sample("ant", "bee"), large([]string{"a", "b", "c"})} {
		got := draw(t, p)
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(got, -1) {
			ids[m[1]]++
		}
		for id, n := range ids {
			if n > 1 {
				t.Errorf("id %s is there %d times", id, n)
			}
		}
		for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(got, -1) {
			if ids[m[1]] == 0 {
				t.Errorf("nothing has the id %s", m[1])
			}
		}
	}
}

// compared is a page of three runs, with names that look like markup.
func compared() *Comparison {
	pair := func(run string) *report.Comparison {
		c := &report.Comparison{A: report.Listed{Run: "runs/a"}, B: report.Listed{Run: run, Options: map[string]string{"lr": "0.1"}}, Part: "test", AccA: .8, AccB: .9,
			Paired: judge.Paired{Rows: 10, OnlyA: 1, OnlyB: 2, Difference: .1, P: .5}}
		for i := range 700 {
			c.Differing = append(c.Differing, report.Differing{Path: fmt.Sprintf("%d%s", i, hostileFile), Label: hostileClass, A: hostileClass, B: "bee"},
				report.Differing{Path: "x" + hostileFile, Label: hostileClass, A: "bee", B: hostileClass})
		}
		return c
	}
	return &Comparison{Pairs: []*report.Comparison{pair("runs/b"), pair("runs/<script>")}, Pictures: map[string][]byte{"x" + hostileFile: []byte("a jpeg")}}
}

func TestComparisonPage(t *testing.T) {
	c := compared()
	var out bytes.Buffer
	if err := WriteComparison(&out, c); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if len(got) > 5_000_000 || len(c.Paths()) > MaxPictures {
		t.Errorf("%d bytes, %d pictures", len(got), len(c.Paths()))
	}
	for _, bad := range []string{"<img", "</script>.jpg", "runs/<script>"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s is in the page as markup", bad)
		}
	}
	for _, say := range []string{"3 runs on the same images", "B is right 10.00 points more often", "C is right 10.00 points more often", "Only C is right: 2", "<code>lr</code>", "data:image/jpeg"} {
		if !strings.Contains(got, say) {
			t.Errorf("the page does not say %q", say)
		}
	}
}
