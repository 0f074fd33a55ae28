//go:build !noazure

package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// azure speaks to Azure's store of blobs: a bucket is a container of an account.
type azure struct{ in *container.Client }

// azureClient speaks to the account that the environment names: by a connection string, or by
// the account's name and its key, or else as who is logged in on this machine.
func azureClient(name string, env func(string) string) (client, error) {
	o := &container.ClientOptions{ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: tries}}}
	if text := env("AZURE_STORAGE_CONNECTION_STRING"); text != "" {
		in, err := container.NewClientFromConnectionString(text, name, o)
		if err != nil {
			return nil, fmt.Errorf("%w: AZURE_STORAGE_CONNECTION_STRING is not as Azure's portal shows it", ErrAddress) // the error may have the key
		}
		return &azure{in}, nil
	}
	account := env("AZURE_STORAGE_ACCOUNT")
	if account == "" {
		return nil, fmt.Errorf("%w: AZURE_STORAGE_ACCOUNT says in which account it is", ErrAddress)
	}
	at := fmt.Sprintf("https://%s.%s/%s", account, cmp.Or(env("AZURE_STORAGE_DOMAIN"), "blob.core.windows.net"), name)
	if key := env("AZURE_STORAGE_KEY"); key != "" {
		shared, err := container.NewSharedKeyCredential(account, key)
		if err != nil {
			return nil, fmt.Errorf("%w: AZURE_STORAGE_KEY is no key", ErrDenied)
		}
		in, err := container.NewClientWithSharedKeyCredential(at, shared, o)
		return &azure{in}, err
	}
	identity, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	in, err := container.NewClient(at, identity, o)
	return &azure{in}, err
}

func (c *azure) list(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for pages := c.in.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix}); pages.More(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, b := range page.Segment.BlobItems {
				p := b.Properties
				if !yield(Object{*b.Name, *p.ContentLength, *p.LastModified, string(*p.ETag)}, nil) {
					return
				}
			}
		}
	}
}

func (c *azure) stat(ctx context.Context, name string) (Object, error) {
	p, err := c.in.NewBlobClient(name).GetProperties(ctx, nil)
	if err != nil {
		return Object{}, err
	}
	return Object{name, *p.ContentLength, *p.LastModified, unquoted(*p.ETag)}, nil
}

// unquoted is an ETag as lists have it.
func unquoted(e azcore.ETag) string {
	if n := len(e); n > 1 && e[0] == '"' && e[n-1] == '"' {
		e = e[1 : n-1]
	}
	return string(e)
}

func (c *azure) get(ctx context.Context, name, etag string, at, size int64) (io.ReadCloser, Object, error) {
	o := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: at, Count: max(size, 0)}} // a count of 0 is all
	if etag != "" {
		quoted := azcore.ETag(`"` + etag + `"`)
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &quoted}}
	}
	r, err := c.in.NewBlobClient(name).DownloadStream(ctx, o)
	if err != nil {
		return nil, Object{}, err
	}
	return r.Body, Object{name, *r.ContentLength, *r.LastModified, unquoted(*r.ETag)}, nil
}

func (c *azure) put(ctx context.Context, name string, data io.ReadSeeker, size int64, absent bool) error {
	to := c.in.NewBlockBlobClient(name)
	var conditions *blob.AccessConditions
	if absent {
		none := azcore.ETagAny
		conditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &none}}
	}
	if size > maxPut { // which is sent in blocks
		_, err := to.UploadStream(ctx, data, &blockblob.UploadStreamOptions{AccessConditions: conditions})
		return err
	}
	_, err := to.Upload(ctx, streaming.NopCloser(data), &blockblob.UploadOptions{AccessConditions: conditions})
	return err
}

func (c *azure) kind(err error) error {
	var r *azcore.ResponseError
	switch ok := errors.As(err, &r); {
	case bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ContainerNotFound) || ok && r.StatusCode == http.StatusNotFound:
		return ErrMissing
	case ok && (r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusUnauthorized):
		return ErrDenied
	case ok && (r.StatusCode == http.StatusPreconditionFailed || r.StatusCode == http.StatusConflict):
		return ErrChanged
	}
	return ErrStore
}
