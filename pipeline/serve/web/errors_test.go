package web

import (
	"bytes"
	"encoding/binary"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBadBodies(t *testing.T) {
	h := painting(t, Options{MaxBody: 4000})
	whole := painted(t, red)
	for name, c := range map[string]struct {
		w      *httptest.ResponseRecorder
		status int
		says   string
	}{
		"no image":       {ask(h, "POST", "/", []byte("hello")), 400, "not an image"},
		"nothing":        {ask(h, "POST", "/", nil), 400, "no body"},
		"cut short":      {ask(h, "POST", "/", whole[:len(whole)-1500]), 400, "truncated"},
		"huge":           {ask(h, "POST", "/", make([]byte, 4001)), 413, "4000 bytes"},
		"bomb":           {ask(h, "POST", "/", bomb(whole)), 413, "pixels"},
		"an address":     {ask(h, "POST", "/", []byte(`{"inputs":"http://169.254.169.254/a.jpg"}`), "Content-Type", asJSON), 400, "not fetched"},
		"no JSON":        {ask(h, "POST", "/", []byte(`{`), "Content-Type", asJSON), 400, "no JSON"},
		"no model":       {ask(h, "POST", "/models/%3Cx%3E", whole), 404, "no such model"},
		"TorchServe":     {ask(h, "POST", "/predictions/paint", []byte("hello")), 400, "BadRequestException"},
		"its version":    {ask(h, "POST", "/predictions/paint/7", whole), 404, "ModelNotFoundException"},
		"MLflow":         {ask(h, "POST", "/invocations", []byte(`{}`), "Content-Type", asJSON), 400, "exactly one"},
		"its type":       {ask(h, "POST", "/invocations", whole, "Content-Type", "text/html"), 415, "error_code"},
		"its image":      {ask(h, "POST", "/invocations", []byte("no image"), "Content-Type", "image/png"), 400, "not an image"},
		"its charset":    {ask(h, "POST", "/invocations", []byte(`{}`), "Content-Type", "application/json; charset=latin1"), 415, "utf-8"},
		"TF":             {ask(h, "POST", "/v1/models/none:predict", []byte(`{}`)), 404, "Servable not found for request: Latest(none)"},
		"nowhere":        {ask(h, "POST", "/nowhere/at/all", whole), 404, "nothing answers"},
		"its packing":    {ask(h, "POST", "/", whole, "Content-Encoding", "br"), 415, "gzip and deflate"},
		"packed badly":   {ask(h, "POST", "/", whole, "Content-Encoding", "gzip"), 400, "gzip"},
		"packed tightly": {ask(h, "POST", "/", packed(t, make([]byte, 100_000)), "Content-Encoding", "gzip"), 413, "4000 bytes"},
		"TF's verb":      {ask(h, "POST", "/v1/models/paint:regress", []byte(`{}`)), 404, ":predict"},
		"both":           {ask(h, "POST", "/v1/models/paint:predict", []byte(`{"instances":[],"inputs":[]}`)), 400, "one of"},
		"Custom Vision":  {ask(h, "POST", "/abc/classify/iterations/none/image", whole), 404, "Not Found"},
		"its url":        {ask(h, "POST", "/url", []byte(`{"Url":"http://localhost/"}`)), 400, "not fetched"},
		"OIP":            {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[]}`)), 400, "0 inputs"},
		"its shape":      {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"features","datatype":"FP32","shape":[1,-512],"data":[1]}]}`)), 400, "shape"},
		"its values":     {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"features","datatype":"FP32","shape":[1,512],"data":[1]}]}`)), 400, "1 values"},
		"its kind":       {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"x","datatype":"INT8","shape":[1],"data":[1]}]}`)), 400, "INT8"},
		"its output":     {ask(h, "POST", "/v2/models/paint/infer", []byte(`{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["`+b64(whole[:0])+b64(painted(t, red))[:0]+`"]}],"outputs":[{"name":"x"}]}`)), 400, "error"},
		"its header":     {ask(h, "POST", "/v2/models/paint/infer", []byte(`{}`), oipHeader, "7"), 400, oipHeader},
	} {
		if c.w.Code != c.status || !strings.Contains(c.w.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d %q", name, c.w.Code, c.w.Body, c.status, c.says)
		}
		if kind := c.w.Header().Get("Content-Type"); kind != asJSON {
			t.Errorf("%s: %s", name, kind)
		}
	}
}

// bomb is a PNG that claims to be of 50,000 × 50,000 pixels.
func bomb(png []byte) []byte {
	b := bytes.Clone(png)
	binary.BigEndian.PutUint32(b[16:], 50_000)
	binary.BigEndian.PutUint32(b[20:], 50_000)
	return b
}
