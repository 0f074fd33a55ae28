package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"icebox/pipeline/files"
)

// writeFile makes a file that must not be there, and has its name only once check has seen
// what was written.
func writeFile(path string, body func(io.Writer) error, check func(written string) error) error {
	f, err := files.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = body(w); err == nil {
		err = w.Flush()
	}
	if err == nil && check != nil {
		err = check(f.Name())
	}
	if err != nil {
		f.Abandon()
		return err
	}
	if err := f.Place(); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", ErrExists, err)
	} else if err != nil {
		return err
	}
	return nil
}

// writeJSON makes a file of v, indented.
func writeJSON(path string, v any) error {
	return writeFile(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}, nil)
}

// writeONNX makes an ONNX file.
func writeONNX(ctx context.Context, m Model, o Options, out *Exported) error {
	g, err := graph(m, o.Input)
	if err != nil {
		return err
	}
	out.Files = []string{o.Out}
	return writeFile(o.Out, g.Write, func(written string) (err error) {
		out.Check, err = check(ctx, m, o.Input, written)
		return err
	})
}
