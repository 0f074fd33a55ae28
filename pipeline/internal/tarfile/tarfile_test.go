package tarfile

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"testing"
)

func sample(t testing.TB, format tar.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, text := range map[string]string{"a.jpg": "one", "b/c.jpg": "two and more", "empty": ""} {
		h := &tar.Header{Name: name, Size: int64(len(text)), Format: format, Mode: 0o600}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzList holds the index to what archive/tar reads from front to back.
func FuzzList(f *testing.F) {
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		f.Add(sample(f, format))
		f.Add(sample(f, format)[:700])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := List(bytes.NewReader(data), int64(len(data)))
		if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrCut) {
			t.Fatalf("%v is no error of a tar", err)
		}
		r := tar.NewReader(bytes.NewBuffer(data)) // which cannot seek
		for _, m := range x.Members {
			h, err := r.Next()
			for err == nil && h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeCont && h.Typeflag != tar.TypeGNUSparse {
				h, err = r.Next()
			}
			if err != nil {
				t.Fatalf("%q is in no tar that is read in order: %v", m.Name, err)
			}
			if m.Sparse {
				continue
			}
			want, err := io.ReadAll(r)
			if h.Name != m.Name || err != nil || m.Offset < 0 || !bytes.Equal(want, data[m.Offset:m.Offset+m.Size]) {
				t.Fatalf("%+v is %q of %d bytes (%v)", m, h.Name, len(want), err)
			}
		}
	})
}
