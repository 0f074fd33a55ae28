package pipeline

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"icebox/extract"
	"icebox/pipeline/bucket"
	"icebox/pipeline/files"
)

// bringWeights copies an object with weights from a bucket to this machine, beside those that
// are downloaded, unless it is there already. The file is the user's: others of other contents
// stay beside it.
func bringWeights(env func(string) string) func(ctx context.Context, address string) (string, error) {
	return func(ctx context.Context, address string) (string, error) {
		of, name, err := bucket.Locate(address)
		if err != nil {
			return "", err
		}
		from, err := of.Open(ctx, name)
		if err != nil {
			return "", err
		}
		dir := filepath.Dir(extract.FetchOptions{Env: env}.Target())
		id := sha256.Sum256([]byte(address + "\n" + from.ETag))
		path := filepath.Join(dir, fmt.Sprintf("bucket-%.8x-%s", id, name))
		if fi, err := os.Stat(path); err == nil && fi.Size() == from.Size {
			return path, nil
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		to, err := files.Create(path)
		if err != nil {
			return "", err
		}
		if err := from.CopyTo(to); err != nil {
			to.Abandon()
			return "", err
		}
		return path, to.Replace()
	}
}
