package export

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"

	"icebox/headtrain"
	"icebox/pipeline/npy"
)

// regression is the head as a fitted LogisticRegression has it: a row of weights a class, but
// for two classes one row, the second class less the first, whose sigmoid is their softmax.
func regression(h *headtrain.Head) (coef, intercept []float32) {
	if len(h.Classes) != 2 {
		return h.W, h.B
	}
	for i, w := range h.W[:h.Dim] {
		coef = append(coef, float32(float64(h.W[h.Dim+i])-float64(w)))
	}
	return coef, []float32{float32(float64(h.B[1]) - float64(h.B[0]))}
}

// writeSklearn makes an npz of the attributes that a fitted LogisticRegression has. The
// arrays temperature and reject_threshold are icebox's own.
func writeSklearn(m Model, o Options, out *Exported) error {
	h := m.Head
	coef, intercept := regression(h)
	arrays := []struct {
		name string
		file []byte
	}{
		{"coef_", npy.Floats32(coef, len(intercept), h.Dim)},
		{"intercept_", npy.Floats32(intercept, len(intercept))},
		{"classes_", npy.Texts(h.Classes)},
		{"temperature", npy.Floats32([]float32{float32(temperature(h))}, 1)},
		{"reject_threshold", npy.Floats32([]float32{float32(h.Threshold)}, 1)},
	}
	out.Files = []string{o.Out}
	return writeFile(o.Out, func(w io.Writer) error {
		a := npy.NewArchive(w)
		for _, array := range arrays {
			if err := a.Add(array.name, array.file); err != nil {
				return err
			}
		}
		return a.Close()
	}, func(written string) error {
		z, err := zip.OpenReader(written)
		if err != nil {
			return fmt.Errorf("%w: the file that was written is not read again: %w", ErrDisagrees, err)
		}
		defer z.Close()
		for _, array := range arrays {
			f, err := z.Open(array.name + ".npy")
			if err != nil {
				return fmt.Errorf("%w: %w", ErrDisagrees, err)
			}
			data, err := io.ReadAll(f)
			if err = errors.Join(err, f.Close()); err != nil || !bytes.Equal(data, array.file) {
				return fmt.Errorf("%w: the array %s is another one when it is read: %w", ErrDisagrees, array.name, err)
			}
		}
		return nil
	})
}
