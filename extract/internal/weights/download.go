package weights

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"
)

// download is one file on its way: into part first, which is renamed to path.
type download struct {
	FetchOptions
	path, part string
}

// newDownload takes options that are valid and have their defaults.
func newDownload(o FetchOptions) *download {
	u, _ := url.Parse(o.URL)
	name := filepath.Join(o.Dir, path.Base(u.Path))
	return &download{FetchOptions: o, path: name, part: name + ".part"}
}

// get completes part from what it holds already.
func (d *download) get(ctx context.Context) error {
	part, err := os.OpenFile(d.part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	err = d.fill(ctx, part)
	return errors.Join(err, part.Close())
}

var errStalled = errors.New("no data has arrived for too long")

func (d *download) fill(ctx context.Context, part *os.File) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(d.idle, func() { cancel(errStalled) })
	defer watch.Stop()

	done, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	response, err := d.request(ctx, done)
	if err != nil {
		return d.broken(ctx, err, done)
	}
	defer response.Body.Close()
	total, err := d.accept(response, part, &done)
	if err != nil || response.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return err
	}
	d.Progress(done, total)
	buffer := make([]byte, 256<<10)
	for {
		n, err := response.Body.Read(buffer)
		watch.Reset(d.idle)
		if done += int64(n); done > maxFile {
			return fmt.Errorf("weights %s: %w: more than %d bytes", d.URL, ErrDownload, maxFile)
		}
		if _, err := part.Write(buffer[:n]); err != nil {
			return fmt.Errorf("weights: %w", err)
		}
		d.Progress(done, total)
		switch {
		case err == io.EOF && (total == 0 || done == total):
			return part.Sync()
		case err == io.EOF:
			return d.broken(ctx, io.ErrUnexpectedEOF, done)
		case err != nil:
			return d.broken(ctx, err, done)
		}
	}
}

func (d *download) request(ctx context.Context, from int64) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "identity") // a range counts the file's own bytes
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	return d.Client.Do(r)
}

// accept prepares part and done for the body of a response, and returns the size
// of the whole file, 0 if unknown.
func (d *download) accept(r *http.Response, part *os.File, done *int64) (total int64, err error) {
	switch r.StatusCode {
	case http.StatusPartialContent:
		var from, to, size int64
		n, _ := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &size)
		if n < 2 || from != *done {
			return 0, fmt.Errorf("weights %s: %w %q after %d bytes, which are in %s", d.URL, ErrRange, r.Header.Get("Content-Range"), *done, d.part)
		}
		return size, nil
	case http.StatusOK: // the server knows no ranges: from the start
		*done = 0
		if err := part.Truncate(0); err != nil {
			return 0, fmt.Errorf("weights: %w", err)
		}
		if _, err := part.Seek(0, io.SeekStart); err != nil {
			return 0, fmt.Errorf("weights: %w", err)
		}
		return max(r.ContentLength, 0), nil
	case http.StatusRequestedRangeNotSatisfiable: // all bytes are there; the hash will tell if they are right
		return 0, nil
	}
	return 0, fmt.Errorf("weights %s: %w: the server says %s", d.URL, ErrDownload, r.Status)
}

// broken says why a download ended early.
func (d *download) broken(ctx context.Context, err error, done int64) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("weights %s: %w after %d bytes: %w", d.URL, ErrBroken, done, err)
}
