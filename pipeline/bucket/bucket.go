package bucket

import (
	"cmp"
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

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Schemes begin the addresses of buckets.
var Schemes = []string{s3Scheme, gsScheme}

const (
	s3Scheme = "s3://"
	gsScheme = "gs://"
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

// Bucket is a bucket, or what lies below a prefix in it. Many goroutines may use it.
type Bucket struct {
	client *minio.Core
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

// tries is how often a request is sent before it fails: with the client's waits, which grow and
// vary, some 20 seconds.
const tries = 8

// Open names the bucket at an address, s3://NAME[/PREFIX] or gs://NAME[/PREFIX]. It asks no
// store yet. Env looks up environment variables.
func Open(address string, env func(string) string) (*Bucket, error) {
	b, err := parse(address)
	if err != nil {
		return nil, err
	}
	if b.scheme == gsScheme {
		b.client, err = googleClient(env)
	} else {
		b.client, err = s3Client(env)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return b, nil
}

// s3Client speaks to AWS, or to the store that the environment names.
func s3Client(env func(string) string) (*minio.Core, error) {
	endpoint, secure, err := store("AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL", cmp.Or(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com"))
	if err != nil {
		return nil, err
	}
	return minio.NewCore(endpoint, &minio.Options{
		Creds: identity(env), Secure: secure, Region: cmp.Or(env("AWS_REGION"), env("AWS_DEFAULT_REGION")), MaxRetries: tries,
	})
}

// identity is who asks.
func identity(env func(string) string) *credentials.Credentials {
	if id := env("AWS_ACCESS_KEY_ID"); id != "" {
		return credentials.NewStaticV4(id, env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN"))
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.FileAWSCredentials{Filename: env("AWS_SHARED_CREDENTIALS_FILE"), Profile: env("AWS_PROFILE")},
		&credentials.IAM{Region: env("AWS_REGION")},
	})
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
		for o := range b.client.Client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
			if o.Err != nil {
				yield(Object{}, b.fault("", o.Err))
				return
			}
			name := strings.TrimPrefix(o.Key, b.prefix)
			if name == "" || strings.HasSuffix(name, "/") {
				continue // a console makes such objects for folders
			}
			if !yield(Object{name, o.Size, o.LastModified, o.ETag}, nil) {
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
	body, info, _, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, Object{}, b.fault(name, err)
	}
	defer body.Close()
	o := Object{name, info.Size, info.LastModified, info.ETag}
	switch {
	case data == nil:
		if err := reserve(o.Size); err != nil {
			return nil, o, err
		}
		data = make([]byte, o.Size)
	case o != was:
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
	info, err := b.client.Client.StatObject(ctx, b.name, b.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return nil, b.fault(name, err)
	}
	return &File{Object{name, info.Size, info.LastModified, info.ETag}, ctx, b}, nil
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
	var options minio.GetObjectOptions
	err := errors.Join(options.SetMatchETag(f.ETag), options.SetRange(at, at+int64(len(want))-1))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrStore, err)
	}
	for range tries {
		if err = f.readOnce(want, options); err == nil || !errors.Is(err, errBroken) || f.ctx.Err() != nil {
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
func (f *File) readOnce(data []byte, options minio.GetObjectOptions) error {
	body, info, _, err := f.of.client.GetObject(f.ctx, f.of.name, f.of.prefix+f.Name, options)
	if err != nil {
		return f.of.fault(f.Name, err)
	}
	defer body.Close()
	if info.ETag != f.ETag { // a store that does not know the condition
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
	options := minio.PutObjectOptions{
		DisableMultipart:     size <= maxPut,
		DisableContentSha256: size == 0, // else the request has no length
	}
	if absent {
		options.SetMatchETagExcept("*")
	}
	_, err := b.client.Client.PutObject(ctx, b.name, b.prefix+name, data, size, options)
	if err = b.fault(name, err); absent && errors.Is(err, ErrChanged) {
		return fmt.Errorf("%w: %s", ErrThere, b.at(name))
	}
	return err
}

// maxPut is how large an object may be that is sent in one piece, as stores have it.
const maxPut = 5 << 30

// at is the address of an object.
func (b *Bucket) at(name string) string { return b.String() + name }

// fault is an error of the client in words, with what the program can tell apart.
func (b *Bucket) fault(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	kind := ErrStore
	switch minio.ToErrorResponse(err).Code {
	case "NoSuchKey", "NoSuchBucket", "NotFound":
		kind = ErrMissing
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "Forbidden":
		kind = ErrDenied
	case "PreconditionFailed":
		kind = ErrChanged
	}
	return fmt.Errorf("%w: %s: %w", kind, b.at(name), err)
}
