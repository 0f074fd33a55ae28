package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"icebox/extract/format"
	"icebox/pipeline/words"
)

// junkFolders are made by systems, storage boxes and archives. They hold thumbnails and
// deleted images, which must not be trained on. In small letters.
var junkFolders = []string{
	"@eadir", "#recycle", "@recycle", "#snapshot", "@recently-snapshot", "@tmp", "@sharebin", // Synology, QNAP, Samba
	"$recycle.bin", "recycler", "system volume information", "found.000", // Windows
	"lost+found", "__macosx", "__pycache__",
}

// junkFiles are made by file managers. In small letters.
var junkFiles = []string{"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}

// isJunk reports whether a name is one that a system gives. Names that begin with a dot
// are hidden, and are none that anybody needs to hear of.
func isJunk(name string, folder bool) bool {
	if folder {
		return slices.Contains(junkFolders, strings.ToLower(name))
	}
	return slices.Contains(junkFiles, strings.ToLower(name))
}

// isRun reports whether l is of a folder that icebox wrote: a run's, whole or not, a
// quickstart's, or one of exported features.
func (l contents) isRun() bool {
	file := func(name string) bool { return slices.Contains(l.files, name) }
	switch {
	case file("head.safetensors"):
		return file("config.yaml") || file("report.json")
	case file("metrics.jsonl"):
		return file("config.yaml")
	case file("pictures.json"):
		return slices.Contains(l.folders, "images")
	}
	return file("features.npy") && file("labels.npy")
}

// isOwn reports whether a folder is icebox's: one that it wrote, one that holds nothing
// but such, or one that holds nothing but caches.
func (s *scanner) isOwn(root int, rel string) (bool, error) {
	l, err := s.list(root, rel)
	if err != nil || l.isRun() {
		return err == nil, err
	}
	if len(l.folders) == 0 {
		cache := func(name string) bool { return isCache(filepath.Join(s.dir(root, rel), name)) }
		return len(l.files) > 0 && !slices.ContainsFunc(l.files, func(name string) bool { return !cache(name) }), nil
	}
	if slices.ContainsFunc(l.files, func(name string) bool { return format.ByEnding(name) == format.Image }) {
		return false, nil
	}
	for _, name := range l.folders {
		inner, err := s.list(root, join(rel, name))
		if err != nil || !inner.isRun() {
			return false, err
		}
	}
	return true, nil
}

// isCache reports whether a file is a cache of icebox, the lock beside it, or another bbolt
// database.
func isCache(file string) bool {
	file = strings.TrimSuffix(file, ".lock")
	const magicAt, magic = 16, "\xed\xda\x0c\xed"
	if format.Ending(file) != ".db" {
		return false
	}
	head := readHead(file, magicAt+len(magic))
	return len(head) == magicAt+len(magic) && string(head[magicAt:]) == magic
}

// readHead returns the first n bytes of a file; fewer if it is shorter or cannot be read.
func readHead(file string, n int) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, n)
	for have := 0; have < n; {
		k, err := f.Read(head[have:])
		have += k
		if err != nil {
			return head[:have]
		}
	}
	return head
}

// passed counts what a scan passes over for one reason.
type passed struct {
	n       int
	example string
}

func (p *passed) add(path string) {
	if p.n == 0 {
		p.example = path
	}
	p.n++
}

// text says how many there are, and names one; "" where there are none.
func (p passed) text(tail string) string {
	what := "1 folder or file"
	switch {
	case p.n == 0:
		return ""
	case p.n > 1:
		what = words.Number(p.n) + " folders and files"
	}
	return fmt.Sprintf("%s %s (such as %s)", what, tail, p.example)
}
