package rows

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"icebox/pipeline/npy"
)

func npyFiles(t *Table) []File {
	return []File{
		{"features.npy", func(w *bufio.Writer) error {
			w.Write(npy.Header(npy.Float32, len(t.Rows), t.Dim))
			return t.values(w)
		}},
		{"labels.npy", func(w *bufio.Writer) error {
			w.Write(npy.Header(npy.Int64, len(t.Rows)))
			return binary.Write(w, binary.LittleEndian, t.labels())
		}},
		t.indexFile(),
	}
}

func npzFiles(t *Table) []File { return []File{{"features.npz", t.npz}} }

// npz writes all arrays. What no array of texts can hold of a path is replaced.
func (t *Table) npz(w *bufio.Writer) error {
	a := npy.NewArchive(w)
	array := func(name string, kind string, shape []int, body func(*bufio.Writer) error) error {
		out, err := a.Create(name)
		if err != nil {
			return err
		}
		buffered := bufio.NewWriterSize(out, 1<<20)
		buffered.Write(npy.Header(kind, shape...))
		if err := body(buffered); err != nil {
			return err
		}
		return buffered.Flush()
	}
	if err := array("features", npy.Float32, []int{len(t.Rows), t.Dim}, t.values); err != nil {
		return err
	}
	err := array("labels", npy.Int64, []int{len(t.Rows)}, func(w *bufio.Writer) error {
		return binary.Write(w, binary.LittleEndian, t.labels())
	})
	if err != nil {
		return err
	}
	texts := func(of func(*Row) string) []string {
		all := make([]string, len(t.Rows))
		for i := range t.Rows {
			all[i] = strings.ToValidUTF8(of(&t.Rows[i]), "\uFFFD")
		}
		return all
	}
	for _, column := range []struct {
		name string
		all  []string
	}{
		{"classes", t.Classes},
		{"paths", texts(func(r *Row) string { return r.Path })},
		{"splits", texts(func(r *Row) string { return r.Split })},
		{"sha256", texts((*Row).sum)},
	} {
		if err := a.Add(column.name, npy.Texts(column.all)); err != nil {
			return err
		}
	}
	return a.Close()
}

func safetensorsFiles(t *Table) []File {
	return []File{{"features.safetensors", t.safetensors}, t.indexFile()}
}

// safetensors writes the labels first, whose values are wider, so that both are aligned. Its
// header is made by hand because package safetensors wants all values in memory.
func (t *Table) safetensors(w *bufio.Writer) error {
	classes, err := json.Marshal(t.Classes)
	if err != nil {
		return err
	}
	n := len(t.Rows)
	labels := 8 * n
	header, err := json.Marshal(map[string]any{
		"__metadata__": map[string]string{"dataset": t.Name, "classes": string(classes)},
		"labels":       map[string]any{"dtype": "I64", "shape": []int{n}, "data_offsets": []int{0, labels}},
		"features":     map[string]any{"dtype": "F32", "shape": []int{n, t.Dim}, "data_offsets": []int{labels, labels + 4*n*t.Dim}},
	})
	if err != nil {
		return err
	}
	header = fmt.Appendf(header, "%*s", -len(header)&7, "")
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, t.labels()); err != nil {
		return err
	}
	return t.values(w)
}
