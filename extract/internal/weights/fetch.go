package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The official weights, ResNet18_Weights.IMAGENET1K_V1.
const (
	OfficialURL    = "https://download.pytorch.org/models/" + officialName
	OfficialSHA256 = "f37072fd" // its first digits, as torchvision knows it
)

// FetchOptions say what Fetch downloads. The zero value is the official file.
type FetchOptions struct {
	URL          string       // default OfficialURL
	Dir          string       // default Folder(os.Getenv)
	SHA256Prefix string       // default: from the name in URL, which PyTorch ends in -HEX.pth
	Client       *http.Client // default: one with time limits for connecting and answering

	// Progress, if set, is called while bytes arrive: with how many are there, and of
	// how many, 0 where the server does not say.
	Progress func(done, total int64)

	idle time.Duration // longest wait for the next byte; default 60 s
}

var (
	hashInName = regexp.MustCompile(`-([0-9a-f]{8,64})\.`)
	hexDigits  = regexp.MustCompile(`^[0-9a-f]{8,64}$`)
)

func (o FetchOptions) withDefaults() FetchOptions {
	if o.URL == "" {
		o.URL = OfficialURL
	}
	if o.Dir == "" {
		o.Dir = Folder(os.Getenv)
	}
	if o.SHA256Prefix == "" {
		if m := hashInName.FindStringSubmatch(path.Base(o.URL)); m != nil {
			o.SHA256Prefix = m[1]
		}
	}
	o.SHA256Prefix = strings.ToLower(o.SHA256Prefix)
	if o.Client == nil {
		o.Client = defaultClient()
	}
	if o.Progress == nil {
		o.Progress = func(done, total int64) {}
	}
	if o.idle == 0 {
		o.idle = time.Minute
	}
	return o
}

// Validate reports every fault of o.
func (o FetchOptions) Validate() error {
	o = o.withDefaults()
	var errs []error
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fmt.Errorf("weights: %q is not an http or https address", o.URL))
	} else if name := path.Base(u.Path); name == "." || !filepath.IsLocal(name) {
		errs = append(errs, fmt.Errorf("weights: the address %q names no file", o.URL))
	}
	if !hexDigits.MatchString(o.SHA256Prefix) {
		errs = append(errs, fmt.Errorf("weights: SHA-256 %q: it takes at least its first 8 hexadecimal digits", o.SHA256Prefix))
	}
	return errors.Join(errs...)
}

// defaultClient limits connecting and answering, but not the whole download.
func defaultClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 20 * time.Second}).DialContext,
		TLSHandshakeTimeout:   20 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		ForceAttemptHTTP2:     true,
	}}
}

// Fetch downloads a weights file, checks its SHA-256 and returns its path. If the
// right file is there already, nothing is downloaded. A download that breaks off
// leaves a .part file, from which the next one resumes.
func Fetch(ctx context.Context, o FetchOptions) (path string, err error) {
	if err := o.Validate(); err != nil {
		return "", err
	}
	d := newDownload(o.withDefaults())
	if err := checkSHA256(d.path, d.SHA256Prefix); err == nil {
		return d.path, nil
	}
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	if err := d.get(ctx); err != nil {
		return "", err
	}
	if err := checkSHA256(d.part, d.SHA256Prefix); err != nil {
		if errors.Is(err, ErrChecksum) {
			err = errors.Join(fmt.Errorf("%w; %s sent something else, which has been removed", err, d.URL), os.Remove(d.part))
		}
		return "", err
	}
	if err := os.Rename(d.part, d.path); err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	return d.path, nil
}

// checkSHA256 returns ErrChecksum if the file's hash does not begin with prefix.
func checkSHA256(path, prefix string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !strings.HasPrefix(got, prefix) {
		return fmt.Errorf("weights %s: %w: it is %.12s…, not %.12s…", filepath.Base(path), ErrChecksum, got, prefix)
	}
	return nil
}
