package weights

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"strconv"
)

// encodePTH writes the zip that torch.save writes: stored entries, the tensors'
// bytes aligned to 64 so that they can be mapped.
func encodePTH(w io.Writer, tensors []tensor) error {
	out := &archiveWriter{file: &countingWriter{w: w}}
	out.zip = zip.NewWriter(out.file)
	out.add("data.pkl", pickleStateDict(tensors))
	out.add("byteorder", []byte("little"))
	for i, t := range tensors {
		out.add("data/"+strconv.Itoa(i), t.bytes())
	}
	out.add("version", []byte("3\n"))
	if out.err != nil {
		return out.err
	}
	return out.zip.Close()
}

// countingWriter knows how much has gone through it.
type countingWriter struct {
	w io.Writer
	n int
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}

// archiveWriter adds entries until one fails.
type archiveWriter struct {
	file *countingWriter
	zip  *zip.Writer
	err  error
}

func (a *archiveWriter) add(name string, data []byte) {
	if a.err != nil {
		return
	}
	if a.err = a.zip.Flush(); a.err != nil {
		return
	}
	h := &zip.FileHeader{Name: "archive/" + name, Method: zip.Store}
	h.Extra = padding(a.file.n + len(h.Name))
	entry, err := a.zip.CreateHeader(h)
	if err == nil {
		_, err = entry.Write(data)
	}
	a.err = err
}

// padding returns the extra field (id "FB", as torch.save calls it) that aligns an
// entry to 64 bytes; before is where its local header starts, plus its name.
func padding(before int) []byte {
	const localHeader, fieldHeader, alignment = 30, 4, 64
	n := -(before + localHeader + fieldHeader) & (alignment - 1)
	field := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(n))
	return append(field, make([]byte, n)...)
}

// pickleStateDict returns the pickle (protocol 2) of an OrderedDict of tensors,
// the i-th on storage "i".
func pickleStateDict(tensors []tensor) []byte {
	var p pickler
	p.raw("\x80\x02")
	p.raw("ccollections\nOrderedDict\n)R")
	p.raw("(")
	for i, t := range tensors {
		n, _ := elements(t.shape)
		p.text(t.name)
		p.raw("ctorch._utils\n_rebuild_tensor_v2\n(")
		p.raw("(")
		p.text("storage")
		p.raw("ctorch\n" + t.dtype.storageClass() + "\n")
		p.text(strconv.Itoa(i))
		p.text("cpu")
		p.integer(n)
		p.raw("tQ")
		p.integer(0)
		p.tuple(t.shape)
		p.tuple(rowMajor(t.shape))
		p.raw("\x89ccollections\nOrderedDict\n)RtR")
	}
	p.raw("u.")
	return p.out
}

// pickler writes the few opcodes that a state dict needs.
type pickler struct{ out []byte }

func (p *pickler) raw(opcodes string) { p.out = append(p.out, opcodes...) }

func (p *pickler) text(s string) {
	p.out = binary.LittleEndian.AppendUint32(append(p.out, opBinUnicode), uint32(len(s)))
	p.raw(s)
}

func (p *pickler) integer(n int) {
	if int64(n) < 1<<31 {
		p.out = binary.LittleEndian.AppendUint32(append(p.out, 'J'), uint32(n))
		return
	}
	p.out = binary.LittleEndian.AppendUint64(append(p.out, opLong1, 8), uint64(n))
}

func (p *pickler) tuple(values []int) {
	p.raw("(")
	for _, v := range values {
		p.integer(v)
	}
	p.raw("t")
}

// rowMajor returns the strides of a shape without gaps.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}
