package web

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A unary call of gRPC is a POST of HTTP/2. Its body, and that of the answer, is one frame: a
// byte that says whether the message is packed, its length in four, and the message. How a
// call ended stands in the trailers of the answer.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

// rpc is the language of errors of gRPC.
var rpc = &dialect{name: "grpc", fail: func(w http.ResponseWriter, status int, text string) {
	answerGRPC(w, nil, codeOf(status), text)
}}

// frameHead is what stands before a message.
const frameHead = 5

// call makes the body of a route of what answers a message with a message.
func call(answer func(ctx context.Context, s *server, message []byte) ([]byte, error)) func(*server, http.ResponseWriter, *http.Request) error {
	return func(s *server, w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		if text := r.Header.Get("Grpc-Timeout"); text != "" {
			limit, err := grpcTimeout(text)
			if err != nil {
				return err
			}
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, limit)
			defer stop()
		}
		message, err := readFrame(r, s.MaxBody)
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := answer(ctx, s, message)
		if err != nil {
			return err
		}
		answerGRPC(w, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(out))), out...), codeOK, "")
		return nil
	}
}

// isGRPC reports whether a request is a call of gRPC whose messages are protocol buffers.
func isGRPC(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return r.ProtoMajor == 2 && (kind == "application/grpc" || kind == "application/grpc+proto")
}

// onlyGRPC lets calls of gRPC through.
func onlyGRPC(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isGRPC(r) {
			failError(w, http.StatusUnsupportedMediaType, "this path takes calls of gRPC: HTTP/2 with the content type application/grpc")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// turnAway answers a request that belongs to no route, in the form that its client reads.
func turnAway(w http.ResponseWriter, r *http.Request, status int, text string) {
	switch {
	case !isGRPC(r):
		failError(w, status, text)
	case status == http.StatusNotFound:
		answerGRPC(w, nil, codeUnimplemented, "there is no such method: "+r.URL.Path)
	default:
		answerGRPC(w, nil, codeOf(status), text)
	}
}

// readFrame reads the message of a call. It takes no more memory than what has come.
func readFrame(r *http.Request, most int64) ([]byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r.Body, head[:]); err != nil {
		return nil, bodyError(fmt.Errorf("the frame of the message is cut short: %w", err))
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > most {
		return nil, bodyError(&http.MaxBytesError{Limit: most})
	}
	var message bytes.Buffer
	if _, err := io.CopyN(&message, r.Body, size); err != nil {
		return nil, bodyError(fmt.Errorf("the message has %d bytes of %d: %w", message.Len(), size, err))
	}
	switch n, err := io.ReadFull(r.Body, make([]byte, 1)); {
	case n > 0:
		return nil, bad("more follows the message, and the call takes one")
	case !errors.Is(err, io.EOF):
		return nil, bodyError(err)
	}
	switch head[0] {
	case 0:
		return message.Bytes(), nil
	case 1:
		return unpackFrame(r.Header.Get("Grpc-Encoding"), &message, most)
	}
	return nil, bad("the frame of the message begins with %d, and 0 and 1 are known", head[0])
}

// unpackFrame unpacks a message.
func unpackFrame(encoding string, packed io.Reader, most int64) ([]byte, error) {
	var from io.ReadCloser
	var err error
	switch encoding {
	case "gzip":
		from, err = gzip.NewReader(packed)
	case "deflate":
		from, err = zlib.NewReader(packed)
	case "", "identity":
		return nil, bad("the message is packed, and grpc-encoding does not say how")
	default:
		return nil, &httpError{http.StatusUnsupportedMediaType, "the message is packed as " + encoding + ", and gzip and deflate are taken"}
	}
	if err != nil {
		return nil, bodyError(err)
	}
	defer from.Close()
	message, err := io.ReadAll(http.MaxBytesReader(nil, from, most))
	if err != nil {
		return nil, bodyError(err)
	}
	return message, nil
}

// answerGRPC ends a call. A frame is there where the code is that of success.
func answerGRPC(w http.ResponseWriter, frame []byte, code int, text string) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Accept-Encoding", "identity, gzip, deflate")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(frame) // who has gone gets nothing
	h.Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(code))
	if text != "" {
		h.Set(http.TrailerPrefix+"Grpc-Message", escaped(text))
	}
}

// escaped is a text as trailers carry it: bytes that are not plain ASCII stand in hexadecimal.
func escaped(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		if b < ' ' || b > '~' || b == '%' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// grpcTimeout reads how long a client waits: up to eight digits, and a unit.
func grpcTimeout(text string) (time.Duration, error) {
	unit := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond}[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 64)
	if err != nil || unit == 0 || len(text) > 9 {
		return 0, bad("grpc-timeout %q is not up to eight digits and one of H, M, S, m, u, n", text)
	}
	if n > uint64(time.Hour/unit)*100 { // longer than anything here takes
		return 100 * time.Hour, nil
	}
	return time.Duration(n) * unit, nil
}

// Codes of gRPC.
const (
	codeOK            = 0
	codeUnknown       = 2
	codeUnimplemented = 12
)

// codeOf is the code of gRPC that stands for a status of HTTP.
func codeOf(status int) int {
	code, known := map[int]int{
		http.StatusBadRequest: 3, http.StatusUnauthorized: 16, http.StatusForbidden: 7, http.StatusNotFound: 5, http.StatusMisdirectedRequest: 7,
		http.StatusRequestEntityTooLarge: 8, http.StatusUnsupportedMediaType: codeUnimplemented, http.StatusTooManyRequests: 8, statusGone: 1,
		http.StatusInternalServerError: 13, http.StatusNotImplemented: codeUnimplemented, http.StatusServiceUnavailable: 14, http.StatusGatewayTimeout: 4,
	}[status]
	if !known {
		return codeUnknown
	}
	return code
}
