package pipeline

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"icebox/extract"
	"icebox/headtrain"
)

// Files that Inspect writes to a run folder.
const (
	insightFile     = "insight.json"
	insightTextFile = "insight.txt"
	suspectsFile    = "suspects.csv"
	copiesFile      = "copies.csv"
)

// NearCosine is from where on two images count as near copies: the cosine of their
// whitened features (see probe.Whiten). Copies that were scaled, cropped a little
// or saved again lie above it.
const NearCosine = 0.7

// insightFolds is how many heads judge what they have not seen.
const insightFolds = 5

// Insight is what the features of a run's images tell of its data.
type Insight struct {
	Run     string   `json:"run"`
	Summary Summary  `json:"summary"`
	Classes []string `json:"classes"`
	Images  int      `json:"images"` // labelled ones with a feature
	Folds   int      `json:"folds"`
	// FoldsOfTest is the number of test images in the folds: who acts on what they
	// say of these has looked at test.
	FoldsOfTest int `json:"folds_of_test"`

	// OutOfFold judges each image by a head that saw neither it nor its copies.
	OutOfFold Score `json:"out_of_fold"`
	// LabelsWrong estimates how many of LabelsJudged labels are wrong; see
	// probe.Labels. Suspects are those with a chance of SuspectChance or more.
	LabelsWrong  float64   `json:"labels_wrong"`
	LabelsJudged int       `json:"labels_judged"`
	Suspects     []Suspect `json:"suspects"` // the most suspicious first

	Copies   Copies         `json:"copies"`
	WorstOf  string         `json:"worst_of"` // the part that Worst lists
	Worst    []Wrong        `json:"worst"`    // the run's head, the surest mistakes first
	Confused []Confusion    `json:"confused"`
	Curve    *LearningCurve `json:"learning_curve"` // null where a part of the images makes no head
}

// Confusion is two classes that are taken for each other, out of fold.
type Confusion struct {
	A     string  `json:"a"`
	B     string  `json:"b"`
	AToB  int     `json:"a_to_b"` // images of A taken for B
	BToA  int     `json:"b_to_a"`
	Share float64 `json:"share"` // of the images of both
}

// inspection is an insight in the making.
type inspection struct {
	*job
	insight *Insight
	head    *headtrain.Head
	info    HeadInfo
	near    float32
	rows    *rows     // all labelled items with a feature
	fold    []int     // of each row
	unseen  []float32 // logits of each row by the head that did not see its fold
	options headtrain.Options
}

// Inspect looks at the images of the run in dir, as the cache has them: which labels
// to doubt, which images are there twice, what more of them would bring. Of a head
// that was trained on a folder of features it is the rows of that folder, or else of
// c.Features. Near is the cosine from which on images count as near copies. It opens
// no image and writes its findings to the run folder.
func Inspect(ctx context.Context, dir string, o Options, c Choice, near float64, p Progress) (*Insight, error) {
	if !(near > 0 && near <= 1) {
		return nil, fmt.Errorf("near (%v) must be a cosine above 0, up to 1", near)
	}
	head, info, err := Head(dir)
	if err != nil {
		return nil, err
	}
	if c.Features == "" {
		c.Features = info.Features
	}
	if c.Features == "" {
		o = info.adopt(o)
	}
	j, err := newJob(o, p)
	if err != nil {
		return nil, err
	}
	defer j.close()
	j.choice = c
	j.choice.KeepSplit = true
	if c.Dataset == "" {
		j.choice.Dataset = info.Dataset
	}
	if c.Space == "" {
		j.choice.Space = head.Fingerprint
	}
	i := &inspection{job: j, head: head, info: info, near: float32(near), insight: &Insight{Run: dir}}
	err = j.do(ctx, []stage{
		{"load", loadFeatures}, {"read", i.read}, {"copies", i.findCopies}, {"out of fold", i.outOfFold},
		{"curve", i.learningCurve}, {"errors", i.worst}, {"write", i.write},
	})
	i.insight.Summary = j.sum
	return i.insight, err
}

// read loads the rows and the recipe of the head.
func (i *inspection) read(context.Context, *job) error {
	err := i.head.Check(i.space.ID, extract.Dim)
	if i.arrays != nil {
		err = i.arrays.fit(i.head, i.insight.Run) // what made them is for the caller to know
	}
	if err != nil {
		return err
	}
	if i.arrays != nil && i.arrays.dir == i.info.Features || i.arrays == nil && i.ds.Name == i.info.Dataset {
		i.info.joinLearned(i.ds)
	}
	classes, err := matchClasses(i.ds.Classes, i.head.Classes)
	if err != nil {
		return err
	}
	if i.rows, err = i.rowsOf(func(*Item) bool { return true }); err != nil {
		return err
	}
	if len(i.rows.items) == 0 {
		return fmt.Errorf("%w: no labelled image of %s has a feature", ErrNotExtracted, i.ds.Name)
	}
	for r, l := range i.rows.data.Labels {
		i.rows.data.Labels[r] = classes[l]
	}
	i.rows.data.Classes = i.head.Classes
	var epochs int
	if i.options, epochs, err = i.head.Trained(); err != nil {
		return err
	}
	i.options.Epochs = epochs
	// Whatever the run's head is, linear ones look at the data: quick ones tell enough.
	i.options.Kind, i.options.Hidden, i.options.Dropout = headtrain.KindLinear, 0, 0
	i.options.EarlyStopping = headtrain.EarlyStopping{}
	for r := range i.rows.items {
		if i.item(r).Part == TestPart {
			i.insight.FoldsOfTest++
		}
	}
	i.insight.Classes, i.insight.Images = i.head.Classes, len(i.rows.items)
	return nil
}

func (i *inspection) item(row int) *Item { return &i.ds.Items[i.rows.items[row]] }

func (i *inspection) path(row int) string { return i.ds.Display(i.item(row)) }

func (i *inspection) class(row int) string { return i.head.Classes[i.rows.data.Labels[row]] }

// temperature is the head's; heads trained as it was are about as sure.
func (i *inspection) temperature() float64 {
	if i.head.Temperature == 0 {
		return 1
	}
	return i.head.Temperature
}

// worst lists the surest mistakes of the run's head on what it was not trained on.
func (i *inspection) worst(context.Context, *job) error {
	for _, p := range []Part{TestPart, ValPart} {
		var at []int
		held := &rows{data: &headtrain.Dataset{Dim: i.head.Dim, Classes: i.head.Classes}}
		for r, item := range i.rows.items {
			if i.ds.Items[item].Part == p {
				at = append(at, r)
			}
		}
		if len(at) == 0 {
			continue
		}
		for _, r := range at {
			held.items = append(held.items, i.rows.items[r])
			held.data.Labels = append(held.data.Labels, i.rows.data.Labels[r])
			held.data.X = append(held.data.X, i.rows.data.Row(r)...)
		}
		logits := make([]float32, len(at)*len(i.head.Classes))
		i.head.Logits(logits, held.data.X, len(at))
		i.insight.WorstOf, i.insight.Worst = p.String(), wrong(i.ds, i.head.Classes, held, logits, i.temperature())
		return nil
	}
	return nil
}

// write puts the findings into the run folder.
func (i *inspection) write(context.Context, *job) error {
	dir := i.insight.Run
	if fi, err := os.Stat(dir); err == nil && !fi.IsDir() {
		dir = filepath.Dir(dir)
	}
	i.insight.Summary = i.sum
	body, err := json.MarshalIndent(i.insight, "", "  ")
	if err != nil {
		return err
	}
	text := new(strings.Builder)
	i.insight.Text(text)
	suspects := [][]string{{"path", "part", "label", "looks_like", "chance_wrong", "label_probability", "looks_like_probability"}}
	for _, s := range i.insight.Suspects {
		suspects = append(suspects, []string{s.Path, s.Part, s.Label, s.LooksLike, decimal(s.Chance), decimal(s.OfLabel), decimal(s.OfLooksLike)})
	}
	copies := [][]string{{"path", "part", "label", "other_path", "other_part", "other_label", "cosine"}}
	for _, c := range i.insight.Copies.Pairs {
		copies = append(copies, []string{c.A.Path, c.A.Part, c.A.Label, c.B.Path, c.B.Part, c.B.Label, decimal(c.Cosine)})
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, insightFile), append(body, '\n'), 0o644),
		os.WriteFile(filepath.Join(dir, insightTextFile), []byte(text.String()), 0o644),
		writeCSV(filepath.Join(dir, suspectsFile), suspects),
		writeCSV(filepath.Join(dir, copiesFile), copies))
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 6, 64) }

func writeCSV(path string, lines [][]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(f).WriteAll(lines), f.Close())
}
