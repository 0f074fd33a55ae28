package dataset

import (
	"fmt"
	"path/filepath"
	"slices"

	"icebox/pipeline/words"
)

// metadataFiles hold the labels of the images beside them, as Hugging Face's ImageFolder
// has it.
var metadataFiles = []string{"metadata.csv", "metadata.jsonl", "metadata.parquet"}

// metadata opens the table beside the images of root/base; nil if there is none with
// labels.
func (s *scanner) metadata(root int, base string, part Part, r Reading) (*table, error) {
	l, err := s.list(root, base)
	if err != nil {
		return nil, err
	}
	for _, name := range metadataFiles {
		if !slices.Contains(l.files, name) {
			continue
		}
		file := filepath.Join(s.dir(root, base), name)
		t, err := openMetadata(file, r)
		if err != nil {
			s.notRead(file, err)
			continue
		}
		t.root, t.base, t.part, t.beside = root, base, part, true
		return t, nil
	}
	return nil, nil
}

// openMetadata refuses a table that only happens to have the name of one beside images.
func openMetadata(file string, r Reading) (*table, error) {
	sheet, err := openSheet(file, r.Columns)
	if err != nil {
		return nil, err
	}
	if r.Columns.Path == "" && columnsOf(sheet.header, []string{"file_name"}) == nil {
		return nil, fmt.Errorf("it has no column file_name; its columns are %s", headerText(sheet.header))
	}
	t, err := newTable(sheet, r)
	if err != nil {
		return nil, err
	}
	if _, ok := t.at["label"]; !ok {
		return nil, fmt.Errorf("it has no column of labels that icebox knows; its columns are %s", headerText(sheet.header))
	}
	return t, nil
}

// notRead says once why a table beside images is not read.
func (s *scanner) notRead(file string, err error) {
	s.noteOnce(fmt.Sprintf("%s lies beside the images and is not read: %v", file, err))
}

// besideTable adds the items of a table beside images, and counts the images that it does
// not name.
func (s *scanner) besideTable(t *table) error {
	before := len(s.ds.Items)
	s.note("the labels are those in %s, whatever the folders are called", t.file)
	if err := s.rows(t); err != nil {
		return err
	}
	if n := s.countImages(t.root, t.base, 0) - (len(s.ds.Items) - before); n > 0 {
		s.note("%s left out: %s does not name them", words.Count(n, "image"), t.file)
	}
	return nil
}

// countImages counts the images below root/rel, by their names.
func (s *scanner) countImages(root int, rel string, depth int) int {
	l, err := s.list(root, rel)
	if err != nil || depth > maxDepth {
		return 0
	}
	n := l.images()
	for _, name := range l.folders {
		n += s.countImages(root, join(rel, name), depth+1)
	}
	return n
}
