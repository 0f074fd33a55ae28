package origin

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"icebox/extract"
	"icebox/pipeline/dataset"
)

// A member of a tar has the limits of a file, and its memory is asked for before it is taken.
func TestReadingKeepsItsLimits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	full, asked := errors.New("no memory"), int64(0)
	ask := func(n int64) error { asked = n; return nil }
	stopped, stop := context.WithCancel(t.Context())
	stop()
	whole, member := Place{Path: file}, Place{Kind: dataset.Tar, Path: file, Offset: 3, Size: 4}
	for name, c := range map[string]struct {
		ctx     context.Context
		p       Place
		most    int64
		reserve func(int64) error
		want    string
		err     error
	}{
		"file":              {t.Context(), whole, 10, ask, "0123456789", nil},
		"large file":        {t.Context(), whole, 9, ask, "", extract.ErrImageTooLarge},
		"no memory":         {t.Context(), whole, 10, func(int64) error { return full }, "", full},
		"member":            {t.Context(), member, 4, ask, "3456", nil},
		"large member":      {t.Context(), member, 3, ask, "", extract.ErrImageTooLarge},
		"member, no memory": {t.Context(), member, 4, func(int64) error { return full }, "", full},
		"cut member":        {t.Context(), Place{Kind: dataset.Tar, Path: file, Offset: 8, Size: 3}, 10, ask, "", ErrCut},
		"no offset":         {t.Context(), Place{Kind: dataset.Tar, Path: file, Offset: -1, Size: 3}, 10, ask, "", ErrCut},
		"no size":           {t.Context(), Place{Kind: dataset.Tar, Path: file, Size: -1}, 10, ask, "", ErrCut},
		"no tar":            {t.Context(), Place{Kind: dataset.Tar, Path: file + "y"}, 10, ask, "", fs.ErrNotExist},
		"stopped":           {stopped, member, 4, ask, "", context.Canceled},
		"another kind":      {t.Context(), Place{Kind: "tape", Path: file}, 10, ask, "", ErrKind},
	} {
		asked = 0
		r := NewReader(1 << 20)
		data, stat, err := r.Read(c.ctx, c.p, c.most, c.reserve)
		if string(data) != c.want || !errors.Is(err, c.err) || err != nil && asked != 0 {
			t.Errorf("%s: %q, %v, %d bytes asked for", name, data, err, asked)
		}
		if err == nil && (stat.Size != int64(len(data)) || asked != stat.Size || !stat.Timed()) {
			t.Errorf("%s: %+v, %d bytes asked for", name, stat, asked)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
