package bucket

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Client speaks to AWS, or to the store that the environment names.
func s3Client(bucket string, env func(string) string) (client, error) {
	endpoint, secure, err := store("AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL", cmp.Or(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com"))
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(secure)
	if err != nil {
		return nil, err
	}
	return newS3(bucket, endpoint, &minio.Options{
		Transport: transport,
		Creds:     identity(env), Secure: secure, Region: cmp.Or(env("AWS_REGION"), env("AWS_DEFAULT_REGION")), MaxRetries: tries,
	})
}

// newTransport keeps every connection for the next request. The client's own keeps 16 to a host,
// so that of more requests at once the others would begin with a handshake each.
func newTransport(secure bool) (*http.Transport, error) {
	t, err := minio.DefaultTransport(secure)
	if err == nil {
		t.MaxIdleConnsPerHost = t.MaxIdleConns
	}
	return t, err
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

// s3 speaks the protocol of S3.
type s3 struct {
	core   *minio.Core
	bucket string
}

func newS3(bucket, endpoint string, o *minio.Options) (client, error) {
	core, err := minio.NewCore(endpoint, o)
	return &s3{core, bucket}, err
}

func (c *s3) list(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o := range c.core.Client.ListObjects(ctx, c.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if !yield(objectOf(o), o.Err) || o.Err != nil {
				return
			}
		}
	}
}

func objectOf(o minio.ObjectInfo) Object { return Object{o.Key, o.Size, o.LastModified, o.ETag} }

func (c *s3) stat(ctx context.Context, name string) (Object, error) {
	info, err := c.core.Client.StatObject(ctx, c.bucket, name, minio.StatObjectOptions{})
	return objectOf(info), err
}

func (c *s3) get(ctx context.Context, name, etag string, at, size int64) (io.ReadCloser, Object, error) {
	var options minio.GetObjectOptions
	var err error
	if etag != "" {
		err = options.SetMatchETag(etag)
	}
	if size >= 0 {
		err = errors.Join(err, options.SetRange(at, at+size-1))
	}
	if err != nil {
		return nil, Object{}, err
	}
	body, info, _, err := c.core.GetObject(ctx, c.bucket, name, options)
	return body, objectOf(info), err
}

// maxPut is how large an object may be that is sent in one piece, as stores have it.
const maxPut = 5 << 30

func (c *s3) put(ctx context.Context, name string, data io.ReadSeeker, size int64, absent bool) error {
	options := minio.PutObjectOptions{
		DisableMultipart:     size <= maxPut,
		DisableContentSha256: size == 0, // else the request has no length
	}
	if absent {
		options.SetMatchETagExcept("*")
	}
	_, err := c.core.Client.PutObject(ctx, c.bucket, name, data, size, options)
	return err
}

func (c *s3) kind(err error) error {
	switch minio.ToErrorResponse(err).Code {
	case "NoSuchKey", "NoSuchBucket", "NotFound":
		return ErrMissing
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "Forbidden":
		return ErrDenied
	case "PreconditionFailed":
		return ErrChanged
	}
	return ErrStore
}
