package web

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
)

// unpack has the body of a request read as what it is before it is packed for the way. Neither
// form may have more bytes than are allowed.
func unpack(w http.ResponseWriter, r *http.Request, most int64) error {
	var body io.ReadCloser
	var err error
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
		body, err = gzip.NewReader(r.Body)
	case "deflate":
		body, err = zlib.NewReader(r.Body)
	default:
		return &httpError{http.StatusUnsupportedMediaType, "the body is packed as " + encoding + ", and gzip and deflate are taken"}
	}
	if err != nil {
		return bodyError(err)
	}
	r.Body = http.MaxBytesReader(w, body, most)
	return nil
}
