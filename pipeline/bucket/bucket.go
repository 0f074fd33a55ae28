package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Schemes begin the addresses of buckets.
var Schemes = []string{s3Scheme, gsScheme, azScheme}

const (
	s3Scheme = "s3://"
	gsScheme = "gs://"
	azScheme = "azblob://"
)

// Is reports whether a source is the address of a bucket.
func Is(source string) bool {
	return slices.ContainsFunc(Schemes, func(scheme string) bool { return strings.HasPrefix(source, scheme) })
}

var (
	// ErrAddress is returned for what is no address of a bucket, or of a store.
	ErrAddress = errors.New("not the address of a bucket")
	// ErrDenied is returned where the store does not let whoever asks. It is an [fs.ErrPermission].
	ErrDenied error = like{"the store denies it", fs.ErrPermission}
	// ErrMissing is returned for a bucket or an object that is not there. It is an [fs.ErrNotExist].
	ErrMissing error = like{"it is not in the store", fs.ErrNotExist}
	// ErrChanged is returned for an object that is another one than was asked for.
	ErrChanged = errors.New("the object has changed")
	// ErrThere is returned where an object is there already. It is an [fs.ErrExist].
	ErrThere error = like{"the object is there already", fs.ErrExist}
	// ErrStore is returned where the store fails, after it was asked again and again.
	ErrStore = errors.New("the store fails")
)

// like is an error with a text of its own that is another one for errors.Is.
type like struct {
	text string
	of   error
}

func (l like) Error() string        { return l.text }
func (l like) Is(target error) bool { return target == l.of }

// client speaks to a store. Objects have their full names.
type client interface {
	list(ctx context.Context, prefix string) iter.Seq2[Object, error]
	stat(ctx context.Context, name string) (Object, error)
	// get reads size bytes of an object from at, or, where size is negative, all of it. With an
	// etag the object should be that one.
	get(ctx context.Context, name, etag string, at, size int64) (io.ReadCloser, Object, error)
	put(ctx context.Context, name string, data io.ReadSeeker, size int64, absent bool) error
	// kind is the error of this package that an error of the store is.
	kind(err error) error
}

// tries is how often a request is sent before it fails: with the client's waits, which grow and
// vary, some 20 seconds.
const tries = 8

// Bucket is a bucket, or what lies below a prefix in it. Many goroutines may use it.
type Bucket struct {
	client client
	scheme string
	name   string
	prefix string // "", or ends in "/"
}

// Object is an object, without its bytes.
type Object struct {
	Name  string // below the bucket's prefix
	Size  int64
	MTime time.Time
	ETag  string // another one for another content
}

// Open names the bucket at an address: s3://, gs:// or azblob://NAME[/PREFIX]. It asks no
// store yet. Env looks up environment variables.
func Open(address string, env func(string) string) (*Bucket, error) {
	b, err := parse(address)
	if err != nil {
		return nil, err
	}
	switch b.scheme {
	case gsScheme:
		b.client, err = googleClient(b.name, env)
	case azScheme:
		b.client, err = azureClient(b.name, env)
	default:
		b.client, err = s3Client(b.name, env)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return b, nil
}

// parse takes an address apart.
func parse(address string) (*Bucket, error) {
	for _, scheme := range Schemes {
		rest, ok := strings.CutPrefix(address, scheme)
		if !ok {
			continue
		}
		name, prefix, _ := strings.Cut(rest, "/")
		if len(name) < 3 || len(name) > 63 || strings.ContainsAny(name, "?#@: ") {
			break
		}
		if prefix != "" && !strings.HasSuffix(prefix, "/") {
			prefix += "/"
		}
		return &Bucket{scheme: scheme, name: name, prefix: prefix}, nil
	}
	return nil, fmt.Errorf("%w: %q is not %sNAME/PREFIX", ErrAddress, address, strings.Join(Schemes, "NAME/PREFIX or "))
}

// Split takes the address of an object apart: that of its bucket or prefix, and its name below.
func Split(address string) (of, name string, err error) {
	if _, err := parse(address); err != nil {
		return "", "", err
	}
	at := strings.LastIndexByte(address, '/') + 1
	if strings.HasSuffix(address[:at], "://") || at == len(address) {
		return "", "", fmt.Errorf("%w: %q names no object in a bucket", ErrAddress, address)
	}
	return address[:at], address[at:], nil
}

// store takes the address of a store apart, which a variable has.
func store(variable, address string) (endpoint string, secure bool, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return "", false, fmt.Errorf("%w: %s is not http(s)://HOST[:PORT]", ErrAddress, variable)
	}
	return u.Host, u.Scheme == "https", nil
}

// String is the address.
func (b *Bucket) String() string { return b.scheme + b.name + "/" + b.prefix }

// List yields the objects, sorted bytewise by name.
func (b *Bucket) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for o, err := range b.client.list(ctx, b.prefix) {
			if err != nil {
				yield(Object{}, b.fault("", err))
				return
			}
			o.Name = strings.TrimPrefix(o.Name, b.prefix)
			if o.Name == "" || strings.HasSuffix(o.Name, "/") {
				continue // a console makes such objects for folders
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Read reads an object. It asks reserve for the bytes that it is going to take, and returns its
// error. A connection that breaks is made anew.
func (b *Bucket) Read(ctx context.Context, name string, reserve func(int64) error) (data []byte, o Object, err error) {
	for range tries {
		data, o, err = b.readOnce(ctx, name, data, o, reserve)
		if err == nil || !errors.Is(err, errBroken) || ctx.Err() != nil {
			break
		}
	}
	return data, o, err
}

// errBroken is a connection that breaks within an object.
var errBroken = fmt.Errorf("%w: the connection breaks", ErrStore)

// readOnce reads an object into data, or, if that is nil, into memory that it asks for.
func (b *Bucket) readOnce(ctx context.Context, name string, data []byte, was Object, reserve func(int64) error) ([]byte, Object, error) {
	body, o, err := b.client.get(ctx, b.prefix+name, "", 0, -1)
	if err != nil {
		return nil, Object{}, b.fault(name, err)
	}
	defer body.Close()
	o.Name = name
	switch {
	case data == nil:
		if err := reserve(o.Size); err != nil {
			return nil, o, err
		}
		data = make([]byte, o.Size)
	case o.Size != was.Size || o.ETag != was.ETag:
		return nil, o, fmt.Errorf("%w: %s", ErrChanged, b.at(name))
	}
	if _, err := io.ReadFull(body, data); err != nil {
		return data, o, fmt.Errorf("%w: %s: %w", errBroken, b.at(name), err)
	}
	return data, o, nil
}

// File is an object that is read in pieces. Many goroutines may read it.
type File struct {
	Object
	ctx context.Context
	of  *Bucket
}

// Open finds an object. It is read with ctx.
func (b *Bucket) Open(ctx context.Context, name string) (*File, error) {
	o, err := b.client.stat(ctx, b.prefix+name)
	if err != nil {
		return nil, b.fault(name, err)
	}
	o.Name = name
	return &File{o, ctx, b}, nil
}

// With is the file, read with another context.
func (f *File) With(ctx context.Context) *File { return &File{f.Object, ctx, f.of} }

// ReadAt reads a piece. An object that is another one by now is an [ErrChanged].
func (f *File) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= f.Size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), f.Size-at)]
	if len(want) == 0 {
		return 0, nil
	}
	var err error
	for range tries {
		if err = f.readOnce(want, at); err == nil || !errors.Is(err, errBroken) || f.ctx.Err() != nil {
			break
		}
	}
	switch {
	case err != nil:
		return 0, err
	case len(want) < len(p):
		return len(want), io.EOF
	}
	return len(want), nil
}

// readOnce fills data with what a request is answered.
func (f *File) readOnce(data []byte, at int64) error {
	body, o, err := f.of.client.get(f.ctx, f.of.prefix+f.Name, f.ETag, at, int64(len(data)))
	if err != nil {
		return f.of.fault(f.Name, err)
	}
	defer body.Close()
	if o.ETag != f.ETag { // a store that does not know the condition
		return fmt.Errorf("%w: %s", ErrChanged, f.of.at(f.Name))
	}
	if _, err := io.ReadFull(body, data); err != nil {
		return fmt.Errorf("%w: %s: %w", errBroken, f.of.at(f.Name), err)
	}
	return nil
}

// Write writes an object of size bytes, whole or not at all. With absent, one that is there
// stays, and the error is an [ErrThere].
func (b *Bucket) Write(ctx context.Context, name string, data io.ReadSeeker, size int64, absent bool) error {
	err := b.fault(name, b.client.put(ctx, b.prefix+name, data, size, absent))
	if absent && errors.Is(err, ErrChanged) {
		return fmt.Errorf("%w: %s", ErrThere, b.at(name))
	}
	return err
}

// at is the address of an object.
func (b *Bucket) at(name string) string { return b.String() + name }

// fault is an error of the client in words, with what the program can tell apart.
func (b *Bucket) fault(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	kind := b.client.kind(err)
	return fmt.Errorf("%w: %s: %w", kind, b.at(name), err)
}
