package weights

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// download is one file on its way. It grows in a file of its own, mine, which is renamed
// to path when it is whole. What broke off waits as part for whoever comes next.
type download struct {
	FetchOptions
	path, part, mine string
}

// newDownload takes options that are valid and have their defaults.
func newDownload(o FetchOptions) *download {
	name := o.Target()
	return &download{FetchOptions: o, path: name, part: name + ".part"}
}

// abandoned is how long a file has not grown that nobody writes to any more. A download
// gives up after a minute of silence.
const abandoned = 10 * time.Minute

// claim makes d.mine: from what an earlier download left, or else empty. A rename decides
// which of several processes goes on from there.
func (d *download) claim() error {
	left, _ := filepath.Glob(globQuoted(d.part) + "-*") // of processes that were killed
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.Rename(name, d.part) // another process may have been quicker
		}
	}
	f, err := createAnew(d.part + "-")
	if err != nil {
		return err
	}
	d.mine = f.Name()
	if err := f.Close(); err != nil {
		return err
	}
	switch err := os.Rename(d.part, d.mine); {
	case err == nil:
		now := time.Now()
		return os.Chtimes(d.mine, now, now) // it is somebody's again
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return errors.Join(err, os.Remove(d.mine))
	}
}

// keep puts the file, which is whole and checked, in its place. Where another process has
// done so meanwhile and uses it, a system may refuse to replace it.
func (d *download) keep() error {
	err := os.Rename(d.mine, d.path)
	switch {
	case err == nil:
		return nil
	case checkSHA256(d.path, d.SHA256Prefix) == nil:
		return os.Remove(d.mine)
	}
	return errors.Join(err, d.release())
}

// release leaves what has arrived to the next download.
func (d *download) release() error {
	if info, err := os.Stat(d.mine); err == nil && info.Size() == 0 {
		return os.Remove(d.mine)
	}
	return os.Rename(d.mine, d.part)
}

// globQuoted is a path as a pattern that matches it alone.
func globQuoted(path string) string {
	if filepath.Separator == '\\' {
		return path // a pattern cannot quote there
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// get completes d.mine from what it holds already.
func (d *download) get(ctx context.Context) error {
	file, err := os.OpenFile(d.mine, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return errors.Join(d.fill(ctx, file), file.Close())
}

var (
	errStalled = errors.New("no data has arrived for too long")
	errConnect = errors.New("no connection came about in time")
	errSize    = errors.New("it is not the size of that file")
)

// fill asks for what part lacks, and writes it there.
func (d *download) fill(ctx context.Context, part *os.File) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(d.idle, func() { cancel(errStalled) })
	defer watch.Stop()

	done, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	connected := false
	response, err := d.request(ctx, cancel, done, &connected)
	if err != nil && !connected {
		return d.unreached(ctx, err)
	}
	if err != nil {
		return d.broken(ctx, err, done)
	}
	defer response.Body.Close()
	total, err := d.accept(response, part, &done)
	if err != nil || response.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return err
	}
	if d.SHA256Prefix == OfficialSHA256 && total > 0 && total != officialSize {
		return fmt.Errorf("weights %s: %w: %d bytes, where the official file has %d: %w", d.URL, ErrDownload, total, officialSize, errSize)
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

// request asks for the bytes of the file from an offset on. It ends ctx if there is no
// connection in time, and says in connected whether there was one.
func (d *download) request(ctx context.Context, cancel context.CancelCauseFunc, from int64, connected *bool) (*http.Response, error) {
	late := time.AfterFunc(d.Connect, func() { cancel(errConnect) })
	defer late.Stop()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		late.Stop()
		*connected = true
	}})
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
			return 0, fmt.Errorf("weights %s: %w %q after %d bytes, which are thrown away", d.URL, ErrRange, r.Header.Get("Content-Range"), *done)
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

// unreached says why there was no connection.
func (d *download) unreached(ctx context.Context, err error) error {
	err = causeOf(ctx, err)
	var untrusted *tls.CertificateVerificationError
	if errors.Is(err, context.Canceled) || errors.As(err, &untrusted) {
		return fmt.Errorf("weights %s: %w: %w", d.URL, ErrDownload, err)
	}
	return fmt.Errorf("weights %s: %w: %w", d.URL, ErrNoNetwork, err)
}

// causeOf returns what ended ctx, or else err without the address, which is told anyway.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// broken says why a download ended early.
func (d *download) broken(ctx context.Context, err error, done int64) error {
	err = causeOf(ctx, err)
	return fmt.Errorf("weights %s: %w after %d bytes: %w", d.URL, ErrBroken, done, err)
}
