package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
	OfficialSHA256 = "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"
)

// FetchOptions say what Fetch downloads. The zero value is the official file.
type FetchOptions struct {
	URL          string       // default OfficialURL
	Dir          string       // default: the folder that Place returns
	SHA256Prefix string       // default: of the official file the whole, else from the name in URL, which PyTorch ends in -HEX.pth
	Client       *http.Client // default: one that takes the proxy of the environment, and limits the time until an answer

	// Env looks up the variables that name folders; nil means os.Getenv.
	Env func(string) string
	// Connect is the longest wait for a connection; past it there is no network. Default 5 s.
	Connect time.Duration

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
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.Dir == "" {
		o.Dir = Place(o.Env)
	}
	if o.SHA256Prefix == "" {
		o.SHA256Prefix = digestInName(o.URL)
	}
	o.SHA256Prefix = strings.ToLower(o.SHA256Prefix)
	if o.Client == nil {
		o.Client = defaultClient()
	}
	if o.Progress == nil {
		o.Progress = func(done, total int64) {}
	}
	if o.Connect == 0 {
		o.Connect = 5 * time.Second
	}
	if o.idle == 0 {
		o.idle = time.Minute
	}
	return o
}

// digestInName returns what the name of a file says of its SHA-256. The official file's
// is known in full, wherever it comes from.
func digestInName(address string) string {
	name := address
	if u, err := url.Parse(address); err == nil {
		name = u.Path
	}
	if path.Base(name) == officialName {
		return OfficialSHA256
	}
	if m := hashInName.FindStringSubmatch(path.Base(name)); m != nil {
		return m[1]
	}
	return ""
}

// Target returns the path that Fetch puts the file at. o is valid.
func (o FetchOptions) Target() string {
	o = o.withDefaults()
	u, _ := url.Parse(o.URL)
	return filepath.Join(o.Dir, path.Base(u.Path))
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

// defaultClient limits the wait for an answer, but not the whole download.
func defaultClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ResponseHeaderTimeout: 60 * time.Second,
		ForceAttemptHTTP2:     true,
	}}
}

// Fetch downloads a weights file, checks its SHA-256 and returns its path. If the
// right file is there already, nothing is downloaded. The file appears under its name
// when it is whole and checked. A download that breaks off leaves a .part file, from
// which the next one resumes. Several processes may fetch one file at once.
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
	if err := d.claim(); err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	if err := d.get(ctx); err != nil {
		return "", errors.Join(err, d.release())
	}
	if err := checkSHA256(d.mine, d.SHA256Prefix); err != nil {
		if errors.Is(err, ErrChecksum) {
			err = fmt.Errorf("%w; %s sent something else, which has been removed", err, d.URL)
		}
		return "", errors.Join(err, os.Remove(d.mine))
	}
	if err := d.keep(); err != nil {
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
		return fmt.Errorf("weights: %w: it is %.12s…, not %.12s…", ErrChecksum, got, prefix)
	}
	return nil
}
