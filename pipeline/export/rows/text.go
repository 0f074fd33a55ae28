package rows

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"strconv"
	"strings"

	"icebox/pipeline/internal/csvfile"
	"icebox/pipeline/thumbs"
)

func csvFiles(t *Table) []File { return []File{{"features.csv", t.csv}} }

// csv writes as few digits as give the same float32.
func (t *Table) csv(w *bufio.Writer) error {
	line := []string{"path", "label", "split", "sha256"}
	for i := range t.Dim {
		line = append(line, "f"+strconv.Itoa(i))
	}
	var failed error
	err := csvfile.To(w, func(yield func([]string) bool) {
		if !yield(line) {
			return
		}
		failed = t.each(func(r *Row, feature []float32) error {
			line = append(line[:0], r.Path, r.Class, r.Split, r.sum())
			for _, v := range feature {
				line = append(line, number(v))
			}
			if !yield(line) {
				return errStopped
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return failed
}

// errStopped ends the rows where no more are wanted, which has an error of its own.
var errStopped = fmt.Errorf("the file takes no more rows")

func number(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

// Limits of TensorBoard's projector: the sides of a sprite, in pixels, and of a picture on
// it on which something can be seen.
const (
	maxSprite  = 8192
	minPicture = 8
)

func projectorFiles(t *Table) []File {
	config := fmt.Sprintf("embeddings {\n  tensor_name: %s\n  tensor_path: \"tensors.tsv\"\n  metadata_path: \"metadata.tsv\"\n", strconv.Quote(t.Name))
	all := []File{{"tensors.tsv", t.tensors}, {"metadata.tsv", t.metadata}}
	if across, side := t.sprite(); side > 0 {
		config += fmt.Sprintf("  sprite {\n    image_path: \"sprite.png\"\n    single_image_dim: %d\n    single_image_dim: %d\n  }\n", side, side)
		all = append(all, File{"sprite.png", func(w *bufio.Writer) error {
			sprite := image.NewNRGBA(image.Rect(0, 0, across*side, across*side))
			for i := range t.Rows {
				if jpeg := t.Picture(i); jpeg != nil {
					at := image.Pt(i%across*side, i/across*side)
					if err := thumbs.Draw(sprite, image.Rectangle{at, at.Add(image.Pt(side, side))}, jpeg); err != nil {
						return err
					}
				}
			}
			return png.Encode(w, sprite)
		}})
	}
	return append(all, File{"projector_config.pbtxt", func(w *bufio.Writer) error {
		_, err := w.WriteString(config + "}\n")
		return err
	}})
}

// sprite says how many pictures are in a row of the sprite, and how wide one is: 0 where
// there are none, or too many to see one.
func (t *Table) sprite() (across, side int) {
	if t.Picture == nil {
		return 0, 0
	}
	for across*across < len(t.Rows) {
		across++
	}
	if side = min(thumbs.Side, maxSprite/across); side < minPicture {
		side = 0
	}
	return across, side
}

// tensors writes a row a line.
func (t *Table) tensors(w *bufio.Writer) error {
	return t.each(func(_ *Row, feature []float32) error {
		for i, v := range feature {
			if i > 0 {
				w.WriteString("\t")
			}
			w.WriteString(number(v))
		}
		return w.WriteByte('\n')
	})
}

// metadata writes a line a row, without what would make two fields or lines of one.
func (t *Table) metadata(w *bufio.Writer) error {
	plain := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	w.WriteString("label\tpath\tsplit\n")
	for i := range t.Rows {
		r := &t.Rows[i]
		fmt.Fprintf(w, "%s\t%s\t%s\n", plain.Replace(r.Class), plain.Replace(r.Path), r.Split)
	}
	return nil
}
