package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/journal"
	"icebox/pipeline/words"
)

// trainFolder scans the folder root/base of Options.Train, which may hold parts.
func (s *scanner) trainFolder(root int, base string, o Options) error {
	base, err := s.descend(root, base)
	if err != nil {
		return err
	}
	if t, err := s.metadata(root, base, Unassigned, o.Reading); err != nil {
		return err
	} else if t != nil {
		return s.besideTable(t)
	}
	parts, err := s.parts(root, base, o)
	if err != nil {
		return err
	}
	if parts != nil {
		return s.holder(root, base, parts, o)
	}
	return s.classFolders(root, base, Unassigned)
}

// partFolder scans the folder of one part, and says so if its images have no label.
func (s *scanner) partFolder(root int, base string, part Part, o Options) error {
	before := len(s.ds.Items)
	if err := s.labelledFolder(root, base, part, o); err != nil {
		return err
	}
	name := cmp.Or(base, s.dir(root, base))
	if len(s.ds.Items) == before {
		s.empty = append(s.empty, name)
	}
	s.noteUnlabelled(before, name)
	return nil
}

// noteUnlabelled says so if none of the items from one on, which lie in the folder dir, has
// a label.
func (s *scanner) noteUnlabelled(from int, dir string) {
	n := len(s.ds.Items) - from
	if n > 0 && !slices.ContainsFunc(s.names[from:], func(class string) bool { return class != "" }) {
		s.note("%s in %s have no label, because that folder holds no class folders: their features are computed, and no head is trained or judged on them", words.Count(n, "image"), dir)
	}
}

// labelledFolder scans a folder that holds class folders, or images and their labels.
func (s *scanner) labelledFolder(root int, base string, part Part, o Options) error {
	base, err := s.descend(root, base)
	if err != nil {
		return err
	}
	if t, err := s.metadata(root, base, part, o.Reading); err != nil {
		return err
	} else if t != nil {
		return s.besideTable(t)
	}
	return s.classFolders(root, base, part)
}

// descend goes down as long as a folder holds one folder and no image, and that one
// holds folders alone: they are what is meant. A folder named after a part is a part.
func (s *scanner) descend(root int, base string) (string, error) {
	at := base
	for {
		folders, err := s.dataFolders(root, at)
		if err != nil {
			return at, err
		}
		if len(folders) != 1 || s.listed[place{root, at}].images() > 0 {
			break
		}
		if _, isPart := ParsePart(folders[0]); isPart {
			break
		}
		below := join(at, folders[0])
		inner, err := s.dataFolders(root, below)
		if err != nil {
			return at, err
		}
		if len(inner) == 0 || s.listed[place{root, below}].images() > 0 || strings.Count(below, "/") > maxDepth {
			break
		}
		at = below
	}
	if at != base {
		s.note("%s is the only folder with data in %s: the folders in it are read", at, s.dir(root, base))
	}
	return at, nil
}

// maxDepth bounds how far down the layout is looked for, should a link lead in a circle.
const maxDepth = 16

// images counts the files of l whose ending is one of images.
func (l contents) images() int {
	n := 0
	for _, name := range l.files {
		if format.ByEnding(name) == format.Image {
			n++
		}
	}
	return n
}

// partFolders are the folders of one that may hold parts.
type partFolders struct {
	byPart map[Part][]string
	nested []string // of these, those that hold class folders
	flat   []string // of these, those that do not
	others []string // folders of no part that hold images
	idle   []string // folders of no part that hold none
}

// parts returns the folders of root/base by part, or nil where they are classes. It
// refuses what can be read in two ways.
func (s *scanner) parts(root int, base string, o Options) (map[Part]string, error) {
	if o.Reading.Layout == LayoutClasses {
		return nil, nil
	}
	p, err := s.lookAtParts(root, base, o, ParsePart)
	if err == nil && len(p.others) > 0 && o.Reading.Layout != LayoutParts {
		// train_images and val2017 are parts only where nothing stands beside them that is
		// none, and only if one of them holds class folders.
		long, lerr := s.lookAtParts(root, base, o, parseLongPart)
		if lerr == nil && len(long.others) == 0 && len(long.nested) > 0 {
			p = long
		}
	}
	if err != nil || len(p.byPart) == 0 {
		return nil, err
	}
	dir := s.dir(root, base)
	if o.Reading.Layout != LayoutParts {
		switch named := slices.Concat(p.nested, p.flat); {
		case len(p.nested) == 0 && len(p.others) > 0:
			return nil, nil // a class may be called train
		case len(p.nested) == 0 && len(named) > 1:
			return nil, ambiguous(s.tablesIn(root, base), "%s holds %s without class folders in them: they are parts whose images have no label, or they are the classes", dir, words.List(named))
		case len(p.nested) > 0 && len(p.others) > 0:
			return nil, ambiguous(nil, "%s holds %s, which are named after parts and hold class folders or labels, beside %s: the parts are meant and the others are not, or all are classes", dir, words.List(p.nested), words.List(p.others))
		}
	}
	if left := slices.Concat(p.others, p.idle); len(left) > 0 {
		s.note("%s in %s: beside the parts, and passed over", words.List(left), dir)
	}
	return p.single(dir, o)
}

// ambiguous is the error of folders that can be read as parts and as classes; the labels
// may also stand in one of some tables.
func ambiguous(tables []string, text string, args ...any) error {
	err := fmt.Errorf("%w: "+text, append([]any{ErrAmbiguous}, args...)...)
	steps := []journal.Step{journal.SetTo("Data.Reading.Layout", LayoutParts), journal.SetTo("Data.Reading.Layout", LayoutClasses)}
	for _, t := range tables {
		steps = append(steps, journal.SetTo("Data.Train", t))
	}
	return journal.WithSteps(err, steps...)
}

// tablesIn are the first files of root/base that may be tables of labels, and have a name
// that says so.
func (s *scanner) tablesIn(root int, base string) []string {
	const most = 2
	var tables []string
	for _, name := range s.listed[place{root, base}].files {
		if lower := strings.ToLower(name); len(tables) < most && slices.Contains(tableEndings, format.Ending(name)) && (strings.Contains(lower, "label") || strings.Contains(lower, "train")) {
			tables = append(tables, filepath.Join(s.dir(root, base), name))
		}
	}
	return tables
}

// lookAtParts sorts the folders of root/base by what their names and contents say.
func (s *scanner) lookAtParts(root int, base string, o Options, parse func(string) (Part, bool)) (p partFolders, err error) {
	folders, err := s.dataFolders(root, base)
	if err != nil {
		return p, err
	}
	p.byPart = map[Part][]string{}
	for _, name := range folders {
		rel := join(base, name)
		part, ok := parse(name)
		if !ok {
			if s.holdsImage(root, rel, 0) {
				p.others = append(p.others, name)
			} else {
				p.idle = append(p.idle, name)
			}
			continue
		}
		p.byPart[part] = append(p.byPart[part], name)
		inner, err := s.dataFolders(root, rel)
		if err != nil {
			return p, err
		}
		t, err := s.metadata(root, rel, part, o.Reading)
		if err != nil {
			return p, err
		}
		if len(inner) > 0 || t != nil {
			p.nested = append(p.nested, name)
		} else {
			p.flat = append(p.flat, name)
		}
	}
	return p, nil
}

// holdsImage reports whether there is an image below root/rel, by its name.
func (s *scanner) holdsImage(root int, rel string, depth int) bool {
	l, err := s.list(root, rel)
	if err != nil || depth > maxDepth {
		return false
	}
	return l.images() > 0 || slices.ContainsFunc(l.folders, func(name string) bool { return s.holdsImage(root, join(rel, name), depth+1) })
}

// single gives each part its folder. Two folders of one part are refused, unless o names
// the source of that part.
func (p partFolders) single(dir string, o Options) (map[Part]string, error) {
	one := map[Part]string{}
	for _, part := range Parts {
		names := p.byPart[part]
		if part == Val && o.Val != "" || part == Test && o.Test != "" || len(names) == 0 {
			continue
		}
		if len(names) > 1 {
			var steps []journal.Step
			for _, name := range names {
				field := map[Part]string{Train: "Data.Train", Val: "Data.Val", Test: "Data.Test"}[part]
				steps = append(steps, journal.SetTo(field, filepath.Join(dir, name)))
			}
			return nil, journal.WithSteps(fmt.Errorf("%w: %s holds %s, which are all named after the part %s", ErrAmbiguous, dir, words.List(names), part), steps...)
		}
		one[part] = names[0]
	}
	return one, nil
}

// holder scans a folder that holds the folders of parts.
func (s *scanner) holder(root int, base string, parts map[Part]string, o Options) error {
	for _, p := range Parts {
		name, ok := parts[p]
		if !ok {
			continue
		}
		part := p
		if p == Train {
			part = Unassigned
		}
		if err := s.partFolder(root, join(base, name), part, o); err != nil {
			return err
		}
	}
	return nil
}

// classFolders adds the items of the class folders in root/base, or of root/base itself,
// unlabelled, if it holds no folder.
func (s *scanner) classFolders(root int, base string, part Part) error {
	classes, err := s.dataFolders(root, base)
	if err != nil {
		return err
	}
	if len(classes) == 0 {
		return s.walk(root, base, "", part, s.above(root, base))
	}
	s.passBeside(root, base)
	if err := s.noteNested(root, base, classes); err != nil {
		return err
	}
	full, void := 0, error(nil)
	for _, class := range classes {
		before, skipped := len(s.ds.Items), maps.Clone(s.ds.Skipped)
		rel := join(base, class)
		if err := s.walk(root, rel, class, part, s.above(root, rel)); err != nil {
			return err
		}
		if len(s.ds.Items) > before {
			full++
			continue
		}
		s.empty = append(s.empty, rel)
		if void == nil {
			void = s.ds.Skipped.without("class %q holds no image (%s%s): add some, or take the folder away", class, filepath.Join(s.dir(root, base), class), s.ds.Skipped.since(skipped))
		}
	}
	if part == Unassigned && full < 2 {
		return void
	}
	return nil
}

// passBeside counts the images beside class folders. Nobody misses other files there.
func (s *scanner) passBeside(root int, base string) {
	for _, name := range s.listed[place{root, base}].files {
		switch format.ByEnding(name) {
		case format.Image:
			s.beside++
		case format.Foreign:
			s.ds.Skipped[format.Ending(name)]++
		}
	}
}

// noteNested says which level of folders names the classes, where another might be meant:
// no class folder holds an image, only folders.
func (s *scanner) noteNested(root int, base string, classes []string) error {
	var inner []string
	same := true
	for i, class := range classes {
		folders, err := s.dataFolders(root, join(base, class))
		if err != nil {
			return err
		}
		if len(folders) == 0 || s.listed[place{root, join(base, class)}].images() > 0 {
			return nil
		}
		same = same && (i == 0 || slices.Equal(inner, folders))
		inner = folders
	}
	text := fmt.Sprintf("the classes are the outer folders (such as %q), and the folders in them (such as %q) are part of their class", classes[0], path.Join(classes[0], inner[0]))
	if same && len(classes) > 1 {
		text += fmt.Sprintf("; each holds the same folders (%s): if those are the classes, name them in a table", words.List(inner))
	}
	s.note("%s", text)
	return nil
}
