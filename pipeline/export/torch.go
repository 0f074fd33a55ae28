package export

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"icebox/extract"
)

// stateDict is that of torchvision's resnet18, with the head as its fc.
func stateDict(m Model) []extract.Tensor {
	return append(m.Net.Tensors(), linear(m, "fc")...)
}

// linear is the head as a linear layer of a name.
func linear(m Model, name string) []extract.Tensor {
	k := len(m.Head.Classes)
	return []extract.Tensor{
		{Name: name + ".weight", Shape: []int{k, m.Head.Dim}, Values: m.Head.W},
		{Name: name + ".bias", Shape: []int{k}, Values: m.Head.B},
	}
}

// writeTorch makes a state dict, and beside it the labels in the form that TorchServe reads.
func writeTorch(m Model, o Options, out *Exported) error {
	if err := writeTensors(o.Out, o.torchFormat(), stateDict(m)); err != nil {
		return err
	}
	out.Files = []string{o.Out, o.labelsFile()}
	if err := writeJSON(o.labelsFile(), numbered(m.Head.Classes)); err != nil {
		return errors.Join(err, os.Remove(o.Out))
	}
	return nil
}

// numbered are the classes by their places, which are texts as in all JSON.
func numbered(classes []string) map[string]string {
	all := make(map[string]string, len(classes))
	for i, name := range classes {
		all[strconv.Itoa(i)] = name
	}
	return all
}

// writeTensors makes a file of tensors, and compares what is read again bit by bit.
func writeTensors(path, format string, all []extract.Tensor) error {
	return writeFile(path, func(w io.Writer) error { return extract.WriteTensors(w, format, all) }, func(written string) error {
		read, err := extract.ReadTensors(written)
		if err != nil {
			return fmt.Errorf("%w: the file that was written is not read again: %w", ErrDisagrees, err)
		}
		return sameTensors(all, read)
	})
}

// sameTensors reports, as an [ErrDisagrees], how what was read differs, in any order.
func sameTensors(want, got []extract.Tensor) error {
	byName := make(map[string]extract.Tensor, len(got))
	for _, t := range got {
		byName[t.Name] = t
	}
	if len(byName) != len(want) {
		return fmt.Errorf("%w: %d tensors were written, and %d are read", ErrDisagrees, len(want), len(byName))
	}
	for _, t := range want {
		same := byName[t.Name]
		if !slices.Equal(t.Shape, same.Shape) || !slices.Equal(t.Values, same.Values) || !slices.Equal(t.Counts, same.Counts) {
			return fmt.Errorf("%w: the tensor %s is another one when it is read", ErrDisagrees, t.Name)
		}
	}
	return nil
}
