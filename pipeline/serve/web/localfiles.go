package web

import (
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// taskImage reads the picture that a task names: data: with its bytes, or a file below the
// folder that the user named. Addresses of other machines are not fetched.
func (s *server) taskImage(text string) ([]byte, error) {
	if strings.HasPrefix(text, "data:") {
		return fromBase64(text)
	}
	name, err := localName(text)
	if err != nil {
		return nil, err
	}
	if s.LocalFiles == nil {
		return nil, bad("the server was not given a folder of local files to read pictures from")
	}
	return readLocal(s.LocalFiles, name, s.MaxBody)
}

// localName is the name of a local file: what stands behind /data/local-files/?d=, or the path
// of an upload, upload/PROJECT/FILE.
func localName(text string) (string, error) {
	at, err := url.Parse(text)
	if err != nil || at.IsAbs() || at.Host != "" {
		return "", bad("addresses are not fetched: a picture is /data/local-files/?d=PATH, /data/upload/… or data:…")
	}
	name, uploaded := strings.CutPrefix(at.Path, "/data/upload/")
	switch {
	case strings.TrimSuffix(at.Path, "/") == "/data/local-files":
		name = at.Query().Get("d")
	case uploaded:
		name = "upload/" + name
	default:
		return "", bad("a picture is /data/local-files/?d=PATH, /data/upload/… or data:…, and not %.80q", text)
	}
	if name = strings.TrimPrefix(path.Clean("/"+name), "/"); name == "" {
		return "", bad("%.80q names no file", text)
	}
	return name, nil
}

// readLocal reads a file below a root, which nothing leads out of.
func readLocal(root *os.Root, name string, most int64) ([]byte, error) {
	name = filepath.FromSlash(name)
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, bad("%s is no file", name) // opening a pipe would wait
	}
	var f *os.File
	if err == nil {
		f, err = root.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, bad("there is no %s among the local files", name)
	}
	if err != nil {
		return nil, bad("%s is not read: it lies outside the folder of local files, or may not be read", name)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, bad("%s cannot be read", name)
	}
	if int64(len(data)) > most {
		return nil, bad("%s has more than %d bytes", name, most)
	}
	return data, nil
}
