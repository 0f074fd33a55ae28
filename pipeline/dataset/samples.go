package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/internal/tarfile"
	"icebox/pipeline/words"
)

// maxBeside bounds the text beside an image in a tar: its class, or what is known of it.
const maxBeside = 16 << 20

// sample is what a tar holds of one key, as WebDataset has it: images and what is known of
// them. A key is the path up to the first dot of the name.
type sample struct {
	images []int // in archive.items
	long   []int // of these, those whose name says more than the key and an ending
	texts  map[string]tarfile.Member
	class  string
}

// samples are those of a tar that is being listed.
type samples struct {
	*archive
	r       io.ReaderAt
	reading Reading
	byKey   map[string]*sample
	order   []string
	seen    map[string]bool // paths
}

// listTar lists the images of a tar, which lies in file, and their classes where the tar says them.
func listTar(a *archive, file string, r Reading, unlabelled bool) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	defer f.Close()
	x, err := tarfile.List(f, a.stat.Size)
	switch {
	case errors.Is(err, tarfile.ErrCut):
		return a.fault("%w: copy or download it again", err)
	case errors.Is(err, tarfile.ErrFormat):
		return a.fault("%w", err)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrData, a.file, err)
	}
	s := &samples{archive: a, r: f, reading: r, byKey: map[string]*sample{}, seen: map[string]bool{}}
	for i := range x.Members {
		if err := s.take(&x.Members[i]); err != nil {
			return err
		}
	}
	if !x.Ended {
		a.note("%s has no mark at its end: it may have been cut off behind %q", a.file, s.last(x.Members))
	}
	if x.Links > 0 {
		a.note("%s in %s left out", words.Count(x.Links, "link"), a.file)
	}
	if unlabelled {
		return nil
	}
	return s.label()
}

func (s *samples) last(members []tarfile.Member) string {
	if len(members) == 0 {
		return ""
	}
	return members[len(members)-1].Name
}

// take takes a member in: an image, or a text of a sample. Hidden ones, and what systems
// leave in archives, are passed over.
func (s *samples) take(m *tarfile.Member) error {
	name := strings.TrimPrefix(path.Clean("/"+m.Name), "/")
	dirs := strings.Split(name, "/")
	base := dirs[len(dirs)-1]
	if slices.ContainsFunc(dirs, func(d string) bool { return strings.HasPrefix(d, ".") }) ||
		slices.ContainsFunc(dirs[:len(dirs)-1], func(d string) bool { return isJunk(d, true) }) || isJunk(base, false) {
		return nil
	}
	key, ending, _ := strings.Cut(base, ".")
	key = name[:len(name)-len(base)] + key
	of := s.byKey[key]
	if of == nil {
		of = &sample{}
		s.byKey[key] = of
		s.order = append(s.order, key)
	}
	if s.isText(ending) {
		if of.texts == nil {
			of.texts = map[string]tarfile.Member{}
		}
		of.texts[strings.ToLower(ending)] = *m
		s.captions = s.captions || strings.EqualFold(ending, "txt")
		return nil
	}
	if !s.foundImage(name, func() []byte { return s.head(m) }) {
		return nil
	}
	if m.Sparse {
		return s.fault("%s is stored with holes, and cannot be read from the tar: pack it again without sparse files", m.Name)
	}
	if s.seen[name] {
		name = fmt.Sprintf("%s@%d", name, m.Offset)
	}
	s.seen[name] = true
	if strings.Contains(ending, ".") {
		of.long = append(of.long, len(s.items))
	}
	of.images = append(of.images, len(s.items))
	s.items = append(s.items, Item{Path: name, Offset: m.Offset, Stat: Stat{Size: m.Size}})
	s.classes = append(s.classes, "")
	return nil
}

// isText reports whether a member of this ending may say what an image shows.
func (s *samples) isText(ending string) bool {
	e := strings.ToLower(ending)
	return e == "cls" || e == "json" || e == "txt" || s.reading.Columns.Label != "" && e == strings.ToLower(s.reading.Columns.Label)
}

// head reads the first bytes of a member.
func (s *samples) head(m *tarfile.Member) []byte {
	head := make([]byte, min(format.HeadBytes, max(m.Size, 0)))
	n, _ := s.r.ReadAt(head, m.Offset)
	return head[:n]
}

// text reads a member that lies beside an image.
func (s *samples) text(m tarfile.Member) ([]byte, error) {
	if m.Size > maxBeside || m.Sparse {
		return nil, s.fault("%s has %d bytes: %d are the limit of a text beside an image", m.Name, m.Size, maxBeside)
	}
	text := make([]byte, m.Size)
	if _, err := s.r.ReadAt(text, m.Offset); err != nil && !(errors.Is(err, io.EOF) && m.Size == 0) {
		return nil, s.fault("%s: %w", m.Name, err)
	}
	return text, nil
}

// label gives the images of samples the class, the part and the group that lie beside them.
func (s *samples) label() error {
	fields := map[string]bool{} // that texts in JSON have
	left := 0
	for _, key := range s.order {
		of := s.byKey[key]
		if len(of.images) == 0 || len(of.texts) == 0 {
			continue
		}
		if err := s.labelSample(of, fields); err != nil {
			return err
		}
		if of.class == "" {
			continue
		}
		s.Labelled = true
		for _, i := range of.images {
			s.classes[i] = of.class
		}
		if n := len(of.long); n > 0 && n < len(of.images) {
			for _, i := range of.long {
				s.items[i].Offset = -1
			}
			left += n
		}
	}
	if left > 0 {
		s.drop()
		s.note("%s of %s left out: their samples have another image, whose name is the key alone", words.Count(left, "image"), s.file)
	}
	if want := s.reading.Columns.Label; want != "" && !s.Labelled && len(s.items) > 0 {
		return s.fault("no sample has a member .%s or, in its .json, a field %q with a label; the fields are %s", strings.ToLower(want), want, headerText(slices.Sorted(maps.Keys(fields))))
	}
	return nil
}

// drop takes out the images that label has marked.
func (s *samples) drop() {
	n := 0
	for i := range s.items {
		if s.items[i].Offset >= 0 {
			s.items[n], s.classes[n] = s.items[i], s.classes[i]
			n++
		}
	}
	s.items, s.classes = s.items[:n], s.classes[:n]
}

// labelSample reads the texts of a sample as far as they are asked for.
func (s *samples) labelSample(of *sample, fields map[string]bool) error {
	c := s.reading.Columns
	plain, ok := of.texts[strings.ToLower(c.Label)]
	if c.Label == "" {
		plain, ok = of.texts["cls"]
	}
	if ok {
		text, err := s.text(plain)
		if err != nil {
			return err
		}
		if of.class = strings.TrimSpace(string(text)); len(of.class) > maxText {
			return s.fault("%s: a label of %d bytes: %d are the limit", plain.Name, len(of.class), maxText)
		}
	}
	beside, has := of.texts["json"]
	if !has || ok && c.Split == "" && c.Group == "" {
		return nil
	}
	text, err := s.text(beside)
	if err != nil {
		return err
	}
	return s.labelByJSON(of, beside.Name, text, fields)
}

// labelByJSON takes the class, unless the sample has one, and the part and the group from a
// JSON object.
func (s *samples) labelByJSON(of *sample, name string, text []byte, fields map[string]bool) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return s.fault("%s is not a JSON object: %w", name, err)
	}
	for field := range object {
		fields[field] = true
	}
	value := func(what string) string {
		for _, field := range fieldsOf(what, s.reading.Columns, object) {
			if text := strings.TrimSpace(jsonText(object[field])); text != "" {
				return text
			}
		}
		return ""
	}
	label, group, split := value("label"), value("group"), value("split")
	if of.class == "" {
		if strings.HasPrefix(label, "[") {
			return fmt.Errorf("%w: %s: %s: the label is a list (%.80s), and a head gives an image one class", ErrSeveralLabels, s.file, name, label)
		}
		of.class = label
	}
	if len(of.class) > maxText || len(group) > maxText {
		return s.fault("%s: the label or the group has more than %d bytes", name, maxText)
	}
	part, ok := ParsePart(split)
	if split != "" && !ok {
		return s.fault("%s: split %q is not train, val or test", name, split)
	}
	for _, i := range of.images {
		s.items[i].Part, s.items[i].Group = part, group
	}
	return nil
}

// fieldsOf are the fields of an object that may hold what is asked for: the one that c names,
// or those of usual names. WebDataset calls a class cls.
func fieldsOf(what string, c Columns, object map[string]any) []string {
	header := slices.Sorted(maps.Keys(object))
	if name := c.named(what); name != "" {
		return columnNamesIn(header, []string{plainName(name)})
	}
	for _, names := range columnNames {
		if names.of == what {
			usual := names.usual
			if what == "label" {
				usual = append(slices.Clip(usual), "cls")
			}
			return columnNamesIn(header, usual)
		}
	}
	return nil
}

// columnNamesIn are the names in a header that are one of some, in the order of these.
func columnNamesIn(header, names []string) []string {
	var found []string
	for _, i := range columnsOf(header, names) {
		found = append(found, header[i])
	}
	return found
}
