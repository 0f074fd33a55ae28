package bucket

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// Google Cloud Storage speaks the protocol of S3, too, which Google calls its XML API. Requests
// carry a token in the place of a signature, and conditions of Google's own.
// https://cloud.google.com/storage/docs/xml-api/overview

// googleScope is what the token is for: to read and to write objects.
const googleScope = "https://www.googleapis.com/auth/devstorage.read_write"

// googleClient speaks to Google Cloud Storage, or to the emulator that the environment names,
// which asks for no token.
func googleClient(bucket string, env func(string) string) (client, error) {
	emulator := env("STORAGE_EMULATOR_HOST")
	if emulator != "" && !strings.Contains(emulator, "://") {
		emulator = "http://" + emulator
	}
	endpoint, secure, err := store("STORAGE_EMULATOR_HOST", cmp.Or(emulator, "https://storage.googleapis.com"))
	if err != nil {
		return nil, err
	}
	inner, err := newTransport(secure)
	if err != nil {
		return nil, err
	}
	transport := &googleTransport{inner: inner}
	if emulator == "" {
		found, err := google.FindDefaultCredentials(context.Background(), googleScope)
		if err != nil {
			return nil, fmt.Errorf("%w: GOOGLE_APPLICATION_CREDENTIALS names a file with credentials, or `gcloud auth application-default login` writes one: %w", ErrDenied, err)
		}
		transport.token = found.TokenSource
	}
	return newS3(bucket, endpoint, &minio.Options{
		Creds: credentials.NewStaticV4("", "", ""), Secure: secure, Region: "auto", BucketLookup: minio.BucketLookupPath, Transport: transport, MaxRetries: tries,
	})
}

// googleTransport makes requests of S3 ones of Google's.
type googleTransport struct {
	inner http.RoundTripper
	token oauth2.TokenSource // nil where none is asked for
}

// RoundTrip sends a request.
func (t *googleTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") { // Google takes no mixture of them with its own
			r.Header.Del(name)
		}
	}
	if r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" {
		r.Header.Del("If-None-Match")
		r.Header.Set("X-Goog-If-Generation-Match", "0") // no object of that name
	}
	if t.token != nil {
		token, err := t.token.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDenied, err)
		}
		token.SetAuthHeader(r)
	}
	return t.inner.RoundTrip(r)
}
