package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is the largest file read, in bytes. Aliases need no bound of their own:
// a list or a mapping holds scalars only, and no key is read twice, so that what a
// file can stand for is at most the number of keys times its size.
const maxFile = 1 << 20

// file reads a configuration file. Its name stands in messages as it was given.
func (r *reader) file(name string) []setting {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	data, err := readFile(path)
	if err != nil {
		r.faults = append(r.faults, fileFault(name, err))
		return nil
	}
	root, err := parseFile(data)
	if err != nil {
		r.faults = append(r.faults, syntaxFault(name, err))
		return nil
	}
	at := place{func(line int) string { return fmt.Sprintf("%s:%d", name, line) }, filepath.Dir(path)}
	return r.section("", root, at)
}

// fileFault names the file once, whatever the operating system said.
func fileFault(file string, err error) *fault {
	text := err.Error()
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = "no such file"
	case errors.As(err, &pathErr):
		text = pathErr.Err.Error()
	}
	return &fault{origin: file, text: text, cause: err}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d KiB: this is no configuration file", maxFile>>10)
	}
	return data, err
}

// parseFile returns the one document of data, or nil if there is none.
func parseFile(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	switch err := d.Decode(&second); {
	case errors.Is(err, io.EOF):
		return doc.Content[0], nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("yaml: line %d: a second document begins here; a configuration is one", max(second.Line, 1))
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxFault puts the line of a YAML error beside the file's name.
func syntaxFault(name string, err error) *fault {
	text := err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = strings.TrimPrefix(text, m[0])
		if m[1] != "" {
			name += ":" + m[1]
		}
	}
	return &fault{origin: name, text: text, cause: err}
}

// parseScalarOrFlow reads the value of an argument or a variable.
func parseScalarOrFlow(text string) (*yaml.Node, error) {
	root, err := parseFile([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s is not a YAML value (%s)", quote(text), yamlLine.ReplaceAllString(err.Error(), ""))
	}
	if root == nil {
		root = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	return root, nil
}
