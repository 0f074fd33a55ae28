package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"icebox/extract"
	"icebox/pipeline/serve"
)

// listening serves until the test is over, and returns the address.
func listening(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// caller speaks HTTP/2 without TLS.
func caller(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// ended is how a call ended.
type ended struct {
	status     int // of HTTP
	code, text string
	message    []byte // with its frame
}

const service = "/inference.GRPCInferenceService/"

// calls sends a body, as it is, to a method.
func calls(t *testing.T, c *http.Client, method string, body []byte, header ...string) (e ended) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, method, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return e
	}
	r.Header.Set("Content-Type", "application/grpc")
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return e
	}
	defer answer.Body.Close()
	message, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return ended{answer.StatusCode, answer.Trailer.Get("Grpc-Status"), answer.Trailer.Get("Grpc-Message"), message}
}

// frame is a message on its way.
func frame(packed byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{packed}, uint32(len(message))), message...)
}

// inner is a field of bytes of a message.
func inner(number byte, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	return append(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(data))), data...)
}

func text(number byte, s string) []byte { return inner(number, []byte(s)) }

// inputOf is a tensor of a request.
func inputOf(name, kind string, shape []int64, more ...[]byte) []byte {
	head := append(text(1, name), text(2, kind)...)
	for _, side := range shape {
		head = binary.AppendUvarint(append(head, 3<<3), uint64(side))
	}
	return inner(5, append([][]byte{head}, more...)...)
}

// oneImage is the tensor of one image.
func oneImage(more ...[]byte) []byte { return inputOf("image", "BYTES", []int64{1}, more...) }

// requestOf asks the model of paintings.
func requestOf(parts ...[]byte) []byte {
	return append(append(text(1, "paint"), text(3, "é7")...), bytes.Join(parts, nil)...)
}

// counted is data behind its length, as raw contents have images.
func counted(data []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(data))), data...)
}

func TestCallsAreAnswered(t *testing.T) {
	at, c := listening(t, painting(t, Options{Program: "icebox 9"}))+service, caller(t)
	for method, message := range map[string][]byte{"ServerLive": nil, "ServerReady": nil, "ModelReady": text(1, "paint")} {
		if e := calls(t, c, at+method, frame(0, message)); e.code != "0" || string(e.message) != string(frame(0, []byte{8, 1})) {
			t.Errorf("%s: %+v", method, e)
		}
	}
	if e := calls(t, c, at+"ModelReady", frame(0, text(1, "none"))); e.code != "0" || string(e.message) != string(frame(0, nil)) {
		t.Errorf("a model that is not there: %+v", e)
	}
	if e := calls(t, c, at+"ServerMetadata", frame(0, nil)); e.code != "0" || string(e.message[5:]) != "\n\x06icebox\x12\x08icebox 9" {
		t.Errorf("%+v", e)
	}
	if e := calls(t, c, at+"ModelMetadata", frame(0, text(1, "paint"))); e.code != "0" || !strings.Contains(string(e.message), "20261127-120000-paint") || !strings.Contains(string(e.message), "features") {
		t.Errorf("%+v", e)
	}
	image := painted(t, green)
	row := make([]byte, 4*extract.Dim)
	binary.LittleEndian.PutUint32(row[4:], math.Float32bits(1)) // green, too
	crop := bytes.Repeat([]byte{0, 200, 0}, extract.Side*extract.Side)
	var crops []byte // as numbers that are packed
	for _, v := range crop {
		crops = binary.AppendUvarint(crops, uint64(v))
	}
	for name, message := range map[string][]byte{
		"an image, raw":     requestOf(text(2, "20261127-120000-paint"), oneImage(), inner(7, counted(image))),
		"an image, typed":   requestOf(oneImage(inner(5, inner(8, image)))),
		"a crop, raw":       requestOf(inputOf("pixels", "UINT8", []int64{1, 224, 224, 3}), inner(7, crop)),
		"a crop, typed":     requestOf(inputOf("pixels", "UINT8", []int64{1, 224, 224, 3}, inner(5, inner(4, crops)))),
		"features, raw":     requestOf(inputOf("features", "FP32", []int64{1, 512}), inner(7, row)),
		"features, typed":   requestOf(inputOf("features", "FP32", []int64{1, 512}, inner(5, inner(6, row[:1024])), inner(5, inner(6, row[1024:])))),
		"label is wanted":   requestOf(oneImage(), inner(7, counted(image)), inner(6, text(1, "label"))),
		"what nobody knows": requestOf(oneImage(), inner(7, counted(image)), inner(4, text(1, "x")), text(15, "y")),
	} {
		e := calls(t, c, at+"ModelInfer", frame(0, message))
		if e.code != "0" || !bytes.HasSuffix(e.message, inner(6, counted([]byte("green")))) || !bytes.Contains(e.message, text(3, "é7")) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	zipped := frame(1, packed(t, requestOf(oneImage(), inner(7, counted(image)))))
	if e := calls(t, c, at+"ModelInfer", zipped, "Grpc-Encoding", "gzip", "Grpc-Timeout", "20S", "Content-Type", "application/grpc+proto"); e.code != "0" {
		t.Errorf("a packed message: %+v", e)
	}
}

// A call that is wrong ends with a code and a reason; the server answers the next.
func TestBadCalls(t *testing.T) {
	address, c := listening(t, painting(t, Options{MaxBody: 20_000})), caller(t)
	withImage := func(parts ...[]byte) []byte {
		return requestOf(append(parts, inner(7, counted(painted(t, red))))...)
	}
	good := withImage(oneImage())
	const infer = service + "ModelInfer"
	type bad struct {
		method string
		body   []byte
		header []string
		code   string
		text   string
	}
	all := map[string]bad{
		"nothing":               {infer, nil, nil, "3", "cut short"},
		"half a head":           {infer, []byte{0, 0, 0}, nil, "3", "cut short"},
		"half a message":        {infer, frame(0, good)[:40], nil, "3", "35 bytes of"},
		"a huge length":         {infer, []byte{0, 255, 255, 255, 255, 1}, nil, "8", "more than 20000 bytes"},
		"a huge message":        {infer, frame(0, make([]byte, 20_000)), nil, "8", "more than 20000 bytes"},
		"two messages":          {infer, append(frame(0, good), frame(0, good)...), nil, "3", "takes one"},
		"an unknown flag":       {infer, frame(2, good), nil, "3", "begins with 2"},
		"packed, without how":   {infer, frame(1, good), nil, "3", "does not say how"},
		"packed otherwise":      {infer, frame(1, good), []string{"Grpc-Encoding", "snappy"}, "12", "gzip and deflate"},
		"packed badly":          {infer, frame(1, good), []string{"Grpc-Encoding", "gzip"}, "3", "gzip"},
		"packed tightly":        {infer, frame(1, packed(t, make([]byte, 1<<20))), []string{"Grpc-Encoding", "gzip"}, "8", "more than 20000 bytes"},
		"an unknown method":     {service + "ModelStreamInfer", frame(0, nil), nil, "12", "no such method"},
		"an unknown service":    {"/grpc.health.v1.Health/Check", frame(0, nil), nil, "12", "no such method"},
		"no message for model":  {service + "ModelMetadata", frame(0, []byte{10, 200}), nil, "3", "Open Inference Protocol"},
		"no message for server": {service + "ServerLive", frame(0, []byte{10, 200}), nil, "3", "Open Inference Protocol"},
		"an unknown version":    {service + "ModelMetadata", frame(0, append(text(1, "paint"), text(2, "7")...)), nil, "5", "no such version"},
		"no time":               {infer, frame(0, good), []string{"Grpc-Timeout", "1n"}, "4", "too long"},
		"a time of no unit":     {infer, frame(0, good), []string{"Grpc-Timeout", "10"}, "3", "grpc-timeout"},
		"a time of many digits": {infer, frame(0, good), []string{"Grpc-Timeout", "123456789S"}, "3", "grpc-timeout"},
	}
	for name, m := range map[string]struct {
		message    []byte
		code, text string
	}{
		"no message":            {[]byte("hello"), "3", "Open Inference Protocol"},
		"an unknown model":      {append(withImage(oneImage()), text(1, "<é>")...), "5", "no such model: <%C3%A9>"},
		"a name of no letters":  {append(withImage(), text(1, "\xff")...), "3", "UTF-8"},
		"no input":              {requestOf(), "3", "0 inputs"},
		"two inputs":            {requestOf(oneImage(), oneImage()), "3", "2 inputs"},
		"many inputs":           {requestOf(bytes.Repeat(oneImage(), 20)), "3", "more than 16"},
		"raw of another number": {withImage(oneImage(), oneImage()), "3", "raw contents of 1"},
		"contents twice":        {withImage(oneImage(inner(5, inner(8)))), "3", "twice"},
		"another shape":         {withImage(inputOf("image", "BYTES", []int64{2})), "3", "says 2"},
		"a shape below 0":       {withImage(inputOf("image", "BYTES", []int64{-1})), "3", "shape"},
		"a long shape":          {withImage(inputOf("image", "BYTES", make([]int64, 30))), "3", "more than 16"},
		"a type":                {withImage(inputOf("image", "INT64", []int64{1})), "3", "INT64"},
		"contents of a type":    {requestOf(inputOf("features", "FP32", []int64{1, 512}, inner(5, inner(7, make([]byte, 8))))), "3", "another type"},
		"pixels above 255":      {requestOf(inputOf("pixels", "UINT8", []int64{1}, inner(5, inner(4, []byte{0x80, 2})))), "3", "256"},
		"features of no rows":   {requestOf(inputOf("features", "FP32", []int64{1, 3}), inner(7, make([]byte, 12))), "3", "rows of 512"},
		"many images":           {requestOf(inputOf("image", "BYTES", []int64{200}), inner(7, make([]byte, 800))), "8", "128 are allowed"},
		"an image cut short":    {requestOf(oneImage(), inner(7, []byte{9, 0, 0, 0, 1})), "3", "within an element"},
		"no image":              {requestOf(oneImage(), inner(7, counted([]byte("no")))), "3", "not an image"},
		"a bomb":                {requestOf(oneImage(), inner(7, counted(bomb(painted(t, red))))), "8", "pixels"},
		"an unknown output":     {withImage(oneImage(), inner(6, text(1, "x"))), "3", "no output"},
		"an output twice":       {withImage(oneImage(), inner(6, text(1, "label")), inner(6, text(1, "label"))), "3", "twice"},
	} {
		all[name] = bad{infer, frame(0, m.message), nil, m.code, m.text}
	}
	for name, e := range all {
		got := calls(t, c, address+e.method, e.body, e.header...)
		if got.status != 200 || got.code != e.code || !strings.Contains(got.text, e.text) || len(got.message) != 0 {
			t.Errorf("%s: %+v, want %s %q", name, got, e.code, e.text)
		}
	}
	if got := calls(t, c, address+infer, frame(0, good), "Grpc-Timeout", "99999999H"); got.code != "0" {
		t.Errorf("%+v", got)
	}
	if got := calls(t, c, address+infer, frame(0, good), "Content-Type", "application/grpc+json"); got.status != 415 {
		t.Errorf("another form of messages: %+v", got)
	}
	if w := ask(painting(t, Options{}), "POST", infer, frame(0, good), "Content-Type", "application/grpc"); w.Code != 415 || !strings.Contains(w.Body.String(), "HTTP/2") {
		t.Errorf("over HTTP/1: %d %s", w.Code, w.Body)
	}
}

// holding holds all that a backbone computes, but what it computes when it is opened, until it
// is closed.
func holding() chan struct{} {
	hold := make(chan struct{}, 1)
	hold <- struct{}{}
	return hold
}

// Calls have the doors, the token, the limits and the metrics of all requests, and clients of
// HTTP/1 are answered beside them.
func TestCallsAtTheDoors(t *testing.T) {
	hold := holding()
	o := Options{Token: "a token of some length", PerClient: 1, Timeout: 10 * time.Second}
	address, c := listening(t, New(shelfOf(t, painter(backboneOf(t, colours{hold}, serve.BackboneOptions{}))), o)), caller(t)
	at := address + service
	good := frame(0, requestOf(oneImage(), inner(7, counted(painted(t, red)))))
	token := []string{"Authorization", "Bearer a token of some length"}
	if e := calls(t, c, at+"ServerReady", frame(0, nil)); e.code != "0" {
		t.Errorf("health asks for a token: %+v", e)
	}
	for _, method := range []string{"ModelInfer", "ModelReady", "ModelMetadata"} {
		if e := calls(t, c, at+method, good); e.code != "16" {
			t.Errorf("%s without a token: %+v", method, e)
		}
	}
	if e := calls(t, c, at+"ServerLive", frame(0, nil), "Origin", "https://evil.example"); e.code != "7" {
		t.Errorf("a foreign page: %+v", e)
	}
	first := make(chan ended, 1)
	go func() {
		for { // it is the one that is turned away while the other call below is being answered
			if e := calls(t, c, at+"ModelInfer", good, token...); e.code != "8" {
				first <- e
				return
			}
		}
	}()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if e := calls(t, c, at+"ServerLive", frame(0, nil)); e.code == "8" && strings.Contains(e.text, "too many") {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatal("a client has two requests at once, and may have one")
		}
	}
	close(hold)
	if e := <-first; e.code != "0" {
		t.Errorf("%+v", e)
	}
	if e := calls(t, c, at+"ModelInfer", good, append(token, "Grpc-Timeout", "0m")...); e.code != "4" {
		t.Errorf("%+v", e)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(token[0], token[1])
	one := &http.Transport{}
	defer one.CloseIdleConnections()
	answer, err := (&http.Client{Transport: one}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	metrics, err := io.ReadAll(answer.Body)
	if err != nil || answer.ProtoMajor != 1 {
		t.Fatal(err, answer.Proto)
	}
	for _, status := range []string{"200", "401", "504"} {
		if line := `icebox_requests_total{dialect="grpc",path="` + service + `ModelInfer",status="` + status + `"} 1` + "\n"; !strings.Contains(string(metrics), line) {
			t.Errorf("there is no %s in\n%s", line, metrics)
		}
	}
}

// A server that ends answers the calls that have come.
func TestCallsWhileTheServerEnds(t *testing.T) {
	hold, began := holding(), make(chan struct{}, 1)
	h := New(shelfOf(t, painter(backboneOf(t, colours{hold}, serve.BackboneOptions{}))), Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() {
		over <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began <- struct{}{}
			h.ServeHTTP(w, r)
		}))
	}()
	first := make(chan ended, 1)
	c, at := caller(t), "http://"+l.Addr().String()+service
	go func() {
		first <- calls(t, c, at+"ModelInfer", frame(0, requestOf(oneImage(), inner(7, counted(painted(t, red))))))
	}()
	<-began
	stop()
	select {
	case err := <-over:
		t.Fatalf("the server has ended, and a call is not answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(hold)
	if e := <-first; e.code != "0" {
		t.Errorf("%+v", e)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// Whatever comes in a frame, its reader takes no more than it may, and returns what was sent.
func FuzzFrame(f *testing.F) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte("hello")); err != nil || w.Close() != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, "")
	f.Add(frame(0, []byte("hello")), "")
	f.Add(frame(1, zipped.Bytes()), "gzip")
	f.Add(frame(1, zipped.Bytes()), "deflate")
	f.Add([]byte{0, 255, 255, 255, 255}, "")
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		const limit = 1000
		r := &http.Request{Header: http.Header{"Grpc-Encoding": {encoding}}, Body: http.MaxBytesReader(nil, io.NopCloser(bytes.NewReader(body)), limit)}
		message, err := readFrame(r, limit)
		var own *httpError
		switch {
		case err != nil && !errors.As(err, &own):
			t.Errorf("the error has no status: %v", err)
		case err == nil && len(message) > limit:
			t.Errorf("%d bytes", len(message))
		case err == nil && body[0] == 0 && !bytes.Equal(message, body[frameHead:]):
			t.Errorf("%q of %q", message, body)
		}
	})
}
